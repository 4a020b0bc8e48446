/** `pipeline prod status`: hosts, addresses, releases, health. */
import { ageWords, type BackupAge, backupAges } from '../../backup/age.ts';
import type { Machine } from '../../cloud/provider.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { rememberHostKeys, targetOf } from '../../environment/fleet.ts';
import { inventoryTargets } from '../../environment/inventory-targets.ts';
import { asFailure } from '../../errors.ts';
import { type AppStatus, appStatus } from '../../release/index.ts';
import type { SshTarget } from '../../ssh/connection.ts';
import { wordsOf } from '../../ssh/failures.ts';
import { connect } from '../../ssh/openssh.ts';
import { monitorGroup, type Watched, watched } from '../../watching/watched.ts';
import type { Handler, Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { openProject } from '../project.ts';
import { table } from '../table.ts';

interface HostStatus {
  readonly name: string;
  readonly address: string;
  /** `running`, or what keeps it from serving. */
  readonly state: string;
  readonly apps: readonly AppStatus[];
  /** What is backed up there; absent where there are no backups. */
  readonly backups?: readonly BackupAge[];
  /** US dollars a month; absent where the hosts come from an inventory. */
  readonly monthlyCost?: number;
}

export const prodStatus: Handler<typeof definitions.prodStatus> = async (options, session) => {
  const { output } = session;
  const { provider, hosts, monitor } =
    options.inventory === undefined
      ? await fromProvider(options.provider, session)
      : await fromInventory(options.inventory, session);
  if (hosts.length === 0) output.line('There are no hosts. Make them: pipeline prod up');
  else
    for (const line of table(
      [
        'host',
        'address',
        'state',
        'application',
        'release',
        'health',
        ...(monitor === undefined ? [] : ['last heard']),
      ],
      hosts.flatMap((host) => rows(host, monitor, session)),
    ))
      output.line(line);
  sayBackups(hosts, session);
  sayMonitor(monitor, session);
  const cost = hosts.reduce((sum, host) => sum + (host.monthlyCost ?? 0), 0);
  if (cost > 0) output.line(`\nCost: ${cost.toFixed(2)} US dollars a month.`);
  const seen = hosts.map((host) => ({ ...host, lastSeenSeconds: monitor?.lastSeen[host.name] ?? null }));
  return { json: { provider, hosts: seen, monitor: monitor ?? null, monthlyCost: cost } };
};

async function fromProvider(flag: string | undefined, session: Session) {
  const { config, choice, spec, provider } = await openProject(session, flag);
  const machines = await provider.machines();
  await rememberHostKeys(machines, spec);
  const host = machines.find(({ group, state }) => group === monitorGroup(config) && state === 'running');
  const asked = watched(host === undefined ? undefined : targetOf(host, spec), session);
  const hosts = await Promise.all(
    machines.map(async (machine: Machine): Promise<HostStatus> => {
      const { name, address, monthlyCost } = machine;
      if (machine.state !== 'running') return { name, address, state: machine.state, apps: [], monthlyCost };
      return { ...(await ask(targetOf(machine, spec), config, session)), monthlyCost };
    }),
  );
  return { provider: choice.name, hosts, monitor: await asked };
}

async function fromInventory(flag: string, session: Session) {
  const config = await loadConfig(session.common.config, session.context);
  const { targets, groups } = await inventoryTargets(flag, config, session.context);
  const [monitor, ...hosts] = await Promise.all([
    watched(groups.get(monitorGroup(config))?.[0], session),
    ...targets.map((target) => ask(target, config, session)),
  ]);
  return { provider: 'inventory', hosts, monitor };
}

/** One host's own answer. A host that does not answer is a finding here, not the end of the command. */
async function ask(target: SshTarget, { backups }: Config, session: Session): Promise<HostStatus> {
  const connection = connect(target, session.context);
  const { name, address } = target;
  try {
    const [apps, ages] = await Promise.all([
      appStatus(connection, session.context),
      backups && backupAges(connection, session.context),
    ]);
    return { name, address, state: 'running', apps, ...(ages && { backups: ages }) };
  } catch (thrown) {
    session.context.signal.throwIfAborted();
    const failure = asFailure(thrown);
    if (failure.kind === 'internal') throw failure;
    return { name, address, state: `unreachable: ${wordsOf(failure)}`, apps: [] };
  } finally {
    await connection.close();
  }
}

/** How old backups are, and whether they came back when that was tried. */
function sayBackups(hosts: readonly HostStatus[], { output, context }: Session): void {
  const { red } = output.colors;
  const now = context.now().getTime();
  const lines = hosts.flatMap(({ name, backups = [] }) =>
    backups.map((one) => {
      const last = one.empty ? 'nothing there yet' : ageWords(one.at, one.error, now);
      const tried = ageWords(one.verifiedAt, one.verifyError, now);
      const bad = one.late || one.error !== '';
      return [name, one.item, bad ? red(last) : last, one.verifyError === '' ? tried : red(tried)];
    }),
  );
  if (lines.length === 0) return;
  output.line();
  for (const line of table(['host', 'backup of', 'made', 'restored on trial'], lines)) output.line(line);
}

/** What the monitor alerts of; and that nobody watches, which nobody else would say. */
function sayMonitor(monitor: Watched | undefined, { output }: Session): void {
  if (monitor === undefined) return;
  const { red } = output.colors;
  output.line();
  if (monitor.trouble !== '') output.line(red(`Nobody watches. ${monitor.trouble}.`));
  for (const { severity, message } of monitor.alerts) output.line(`${red(severity)}: ${message}`);
  if (monitor.trouble === '' && monitor.alerts.length === 0) output.line('The monitor has no alert.');
}

function rows(host: HostStatus, monitor: Watched | undefined, { output: { colors } }: Session): string[][] {
  const ago = monitor?.lastSeen[host.name];
  const heard = monitor === undefined ? [] : [ago === undefined ? colors.red('never') : `${ago} s ago`];
  const state = host.state === 'running' ? colors.green(host.state) : colors.red(host.state);
  if (host.apps.length === 0) return [[host.name, host.address, state, '', '', '', ...heard]];
  return host.apps.map((app, index) => [
    ...(index === 0 ? [host.name, host.address, state] : ['', '', '']),
    app.app,
    app.release ?? 'none',
    `${app.healthy ? colors.green('healthy') : colors.red(app.reason ?? 'not healthy')}${
      app.maintenance === undefined ? '' : colors.yellow(', closed for maintenance')
    }`,
    ...(index === 0 ? heard : heard.map(() => '')),
  ]);
}
