/** `pipeline prod replace HOST`: makes a lost host anew, with its applications and the newest backup. */
import { bringBack, noteDone, servedOn } from '../../backup/bring-back.ts';
import { coveredOn } from '../../backup/coverage.ts';
import {
  appsOf,
  backupLines,
  type KnownReleases,
  type LastBackup,
  lastBackups,
  lostWords,
  releaseToBring,
} from '../../backup/lost.ts';
import { buildArtifact } from '../../build/build.ts';
import type { Machine } from '../../cloud/provider.ts';
import type { ServedRelease } from '../../contract/backup.ts';
import { withCheckoutLock } from '../../environment/checkout-lock.ts';
import { rememberHostKeys, targetOf, withConnections } from '../../environment/fleet.ts';
import { withLock } from '../../environment/lock.ts';
import { asFailure, closest, Failure } from '../../errors.ts';
import { duration } from '../../format.ts';
import { deploy as release } from '../../release/index.ts';
import type { Connection } from '../../ssh/connection.ts';
import { findMonitor } from '../../watching/place.ts';
import { setUpMonitor } from '../../watching/set-up.ts';
import { withAppHosts } from '../app-hosts.ts';
import { bringUp, specOf } from '../bring-up.ts';
import { argument, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { openProject, type Project } from '../project.ts';
import { confirm } from '../question.ts';
import { askSurvivors, both, type Known, NONE } from '../survivors.ts';

export const prodReplace: Handler<typeof definitions.prodReplace> = async (options, session) => {
  const { output, context } = session;
  const started = performance.now();
  const name = argument(session, 0) ?? '';
  const project = await openProject(session, options.provider);
  const { config, spec, provider } = project;
  requireMachine(project, name);
  const command = `pipeline prod replace ${name}`;
  const lock = {
    directory: config.directory,
    environment: spec.environment,
    command: 'prod replace',
    wait: options.wait,
  };
  return withCheckoutLock(lock, context, async () => {
    const machines = await provider.machines();
    await rememberHostKeys(machines, spec);
    const there = machines.find((one) => one.name === name);
    const known = await askSurvivors(machines, name, project, session);
    const items = coveredOn(config, [specOf(spec.machines, name).group]);
    // Where none are made, or they lie on the host itself, they are as lost as the host.
    const isElsewhere = config.backups !== undefined && !config.backups.to.startsWith('/');
    const found = isElsewhere ? known.snapshots : [];
    const backups = found && lastBackups(name, items, found);
    say(name, there, known, backups, session);
    if (!options.yes) await confirm(`Type ${name} to go on: `, name, output);
    if (there !== undefined && !known.begun) await provider.remove(name);
    const up = await bringUp(project, { command, wait: true }, context, output);
    const machine = up.machines.find((one) => one.name === name);
    if (machine === undefined) throw new Error(`${name} was made`);
    const restored = await withConnections([targetOf(machine, spec)], context, async ([connection]) => {
      if (connection === undefined) throw new Error('one connection was asked for');
      return fill(connection, known, project, command, session);
    });
    const seconds = (performance.now() - started) / 1000;
    output.line(`${name} is back at ${machine.address} (${duration(seconds * 1000)}).`);
    const { address } = machine;
    return { json: { host: name, address, inventory: up.inventory, ...restored, seconds } };
  });
};

/** @throws Failure `usage`: pipeline.yml has no such host */
function requireMachine({ spec }: Project, name: string): void {
  const names = spec.machines.map((one) => one.name);
  if (names.includes(name)) return;
  const guess = closest(name, names);
  throw new Failure('usage', `there is no host "${name}" in pipeline.yml`, {
    next: guess === undefined ? `Hosts: ${names.join(', ')}` : `Did you mean ${guess}?`,
  });
}

/** The first sentence says what is lost. */
function say(
  name: string,
  there: Machine | undefined,
  { begun }: Known,
  backups: readonly LastBackup[] | undefined,
  { output, context }: Session,
): void {
  const now = context.now().getTime();
  if (begun) {
    output.line(`An earlier run made ${name} anew and was interrupted: this finishes it, and loses nothing.`);
    return;
  }
  output.line(lostWords(name, backups, now));
  for (const line of backupLines(backups ?? [], now)) output.line(`  ${line}`);
  if (there?.state === 'running')
    output.line(`${name} (${there.address}) still runs. It is removed, with everything on it.`);
}

/** Data first, then what uses it, then who watches it. */
async function fill(
  connection: Connection,
  known: Known,
  project: Project,
  command: string,
  session: Session,
): Promise<{ readonly restored: readonly string[]; readonly apps: readonly string[] }> {
  const { config, spec } = project;
  const { context, output } = session;
  const { group } = specOf(spec.machines, connection.target.name);
  await noteDone(connection, '', context);
  const backups =
    config.backups === undefined
      ? []
      : await withLock(connection, { command, wait: true }, context, (locked) =>
          bringBack(connection, coveredOn(config, [group]), locked),
        );
  const came = backups.filter(({ snapshot }) => snapshot !== null);
  for (const line of backupLines(came, context.now().getTime())) output.line(`  restored ${line}`);
  const own = await servedOn(connection, context).catch(noProgram(session));
  const served = both([known.served, own]);
  const apps: string[] = [];
  for (const app of appsOf(config, group)) {
    const wanted = releaseToBring(app, served);
    if (await bringApp(app, wanted, session)) apps.push(app);
  }
  const isMonitor = config.monitor?.host === group;
  const hadMonitor = came.some(({ item }) => item.kind === 'monitor');
  if (config.monitor !== undefined && (isMonitor ? known.watched || hadMonitor : known.watched))
    await watch(session);
  await noteDone(connection, 'end', context);
  return { restored: came.flatMap(({ snapshot }) => snapshot?.item ?? []), apps };
}

/** A host without applications and backups has no program to ask. */
function noProgram({ context }: Session) {
  return (thrown: unknown): KnownReleases => {
    context.signal.throwIfAborted();
    if (asFailure(thrown).kind === 'internal') throw thrown;
    return NONE;
  };
}

/** The version that served; other hosts of the application that serve it stay as they are. */
async function bringApp(app: string, wanted: ServedRelease | undefined, session: Session): Promise<boolean> {
  const { output, context } = session;
  if (wanted === undefined) {
    output.line(`  ${app}: nobody knows a release of it. Bring one: pipeline deploy ${app}`);
    return false;
  }
  if (wanted.commit === null) {
    output.line(
      `  ${app}: ${wanted.release} came from a file. Bring it: pipeline deploy ${app} --artifact FILE`,
    );
    return false;
  }
  const { commit } = wanted;
  await withAppHosts(session, app, undefined, async (hosts, keeper) => {
    const artifact = await buildArtifact(hosts.config, app, commit, context, {});
    const lock = { command: `pipeline deploy ${app}`, wait: true };
    await withLock(keeper.connection, lock, context, (locked) =>
      release({ ...hosts, artifact: { ...artifact, ref: wanted.ref } }, locked),
    );
  });
  output.line(`  ${app}: ${commit.slice(0, 7)} (${wanted.ref}) serves`);
  return true;
}

async function watch(session: Session): Promise<void> {
  const { output } = session;
  const place = await findMonitor(undefined, session);
  const onFirstUser = ({ user, password }: { readonly user: string; readonly password: string }) =>
    output.line(`Sign in to the dashboard as ${user} with the password ${password}: it is shown only once.`);
  const { hosts } = await setUpMonitor(place, { wait: true, onFirstUser }, session);
  const failed = hosts.flatMap(({ failure }) => failure ?? [])[0];
  if (failed !== undefined) throw failed;
}
