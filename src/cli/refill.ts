/** What a host that was lost gets back, whoever made the one that replaces it. */
import { bringBack, noteDone, servedOn } from '../backup/bring-back.ts';
import { coveredOn } from '../backup/coverage.ts';
import {
  appsOf,
  backupLines,
  type KnownReleases,
  type LastBackup,
  lastBackups,
  lostWords,
  releaseToBring,
} from '../backup/lost.ts';
import { buildArtifact } from '../build/build.ts';
import type { Config } from '../config/schema.ts';
import type { ServedRelease } from '../contract/backup.ts';
import { withLock } from '../environment/lock.ts';
import { asFailure } from '../errors.ts';
import { deploy as release } from '../release/index.ts';
import type { Connection } from '../ssh/connection.ts';
import { findMonitor } from '../watching/place.ts';
import { setUpMonitor } from '../watching/set-up.ts';
import { withAppHosts } from './app-hosts.ts';
import type { Session } from './command.ts';
import { both, type Known, NONE } from './survivors.ts';

/** The host that is made anew. */
export interface Replaced {
  readonly name: string;
  readonly config: Config;
  /** Entries of `hosts:` that it belongs to. */
  readonly groups: readonly string[];
  /** Absent: the one beside pipeline.yml. */
  readonly inventory: string | undefined;
  /** What its locks are held for. */
  readonly command: string;
}

/** The newest backup of each thing that it had; undefined: nobody is left to ask. */
function backupsOf({ name, config, groups }: Replaced, known: Known): readonly LastBackup[] | undefined {
  // Where none are made, or they lie on the host itself, they are as lost as the host.
  const isElsewhere = config.backups !== undefined && !config.backups.to.startsWith('/');
  const found = isElsewhere ? known.snapshots : [];
  return found && lastBackups(name, coveredOn(config, groups), found);
}

/** The first sentence says what is lost. */
export function sayLost(replaced: Replaced, known: Known, { output, context }: Session): void {
  const { name } = replaced;
  const now = context.now().getTime();
  if (known.begun) {
    output.line(`An earlier run made ${name} anew and was interrupted: this finishes it, and loses nothing.`);
    return;
  }
  const backups = backupsOf(replaced, known);
  output.line(lostWords(name, backups, now));
  for (const line of backupLines(backups ?? [], now)) output.line(`  ${line}`);
}

/** Data first, then what uses it, then who watches it. */
export async function refill(
  connection: Connection,
  replaced: Replaced,
  known: Known,
  session: Session,
): Promise<{ readonly restored: readonly string[]; readonly apps: readonly string[] }> {
  const { config, groups, command, inventory } = replaced;
  const { context, output } = session;
  await noteDone(connection, '', context);
  const backups =
    config.backups === undefined
      ? []
      : await withLock(connection, { command, wait: true }, context, (locked) =>
          bringBack(connection, coveredOn(config, groups), locked),
        );
  const came = backups.filter(({ snapshot }) => snapshot !== null);
  for (const line of backupLines(came, context.now().getTime())) output.line(`  restored ${line}`);
  const own = await servedOn(connection, context).catch(noProgram(session));
  const served = both([known.served, own]);
  const apps: string[] = [];
  for (const app of new Set(groups.flatMap((group) => appsOf(config, group)))) {
    const wanted = releaseToBring(app, served);
    if (await bringApp(app, wanted, inventory, session)) apps.push(app);
  }
  const isMonitor = config.monitor !== undefined && groups.includes(config.monitor.host);
  const hadMonitor = came.some(({ item }) => item.kind === 'monitor');
  if (config.monitor !== undefined && (known.watched || (isMonitor && hadMonitor)))
    await watch(inventory, session);
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
async function bringApp(
  app: string,
  wanted: ServedRelease | undefined,
  inventory: string | undefined,
  session: Session,
): Promise<boolean> {
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
  await withAppHosts(session, app, inventory, async (hosts, keeper) => {
    const artifact = await buildArtifact(hosts.config, app, commit, context, {});
    const lock = { command: `pipeline deploy ${app}`, wait: true };
    await withLock(keeper.connection, lock, context, (locked) =>
      release({ ...hosts, artifact: { ...artifact, ref: wanted.ref } }, locked),
    );
  });
  output.line(`  ${app}: ${commit.slice(0, 7)} (${wanted.ref}) serves`);
  return true;
}

async function watch(inventory: string | undefined, session: Session): Promise<void> {
  const { output } = session;
  const place = await findMonitor(inventory, session);
  const onFirstUser = ({ user, password }: { readonly user: string; readonly password: string }) =>
    output.line(`Sign in to the dashboard as ${user} with the password ${password}: it is shown only once.`);
  const { hosts } = await setUpMonitor(place, { wait: true, onFirstUser }, session);
  const failed = hosts.flatMap(({ failure }) => failure ?? [])[0];
  if (failed !== undefined) throw failed;
}
