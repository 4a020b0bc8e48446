/** `pipeline monitor setup`: Redis, hub and dashboard on the monitor host, an agent on every host. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { converge } from '../../host/converge.ts';
import type { Resource } from '../../host/resource.ts';
import { audit, whoami, withLock } from '../../release/index.ts';
import { agentResources } from '../../roles/agent.ts';
import { hubResources, REDIS_PORT } from '../../roles/hub.ts';
import type { Connection } from '../../ssh/connection.ts';
import { quote } from '../../ssh/quote.ts';
import { changeEntries, changeSummary, type HostChanges } from '../changes.ts';
import type { Handler, Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { allSettledOrFirst, withConnections } from '../fleet.ts';
import { agentConfig, hubConfigText, rolesOf } from '../monitor/desired.ts';
import { askHub, dashboardUrl, findMonitor, groupsOf, type MonitorPlace } from '../monitor/place.ts';
import { findPrograms, nodePath, sendPrograms } from '../monitor/programs.ts';
import { type MonitorSecrets, monitorSecrets } from '../monitor/secrets.ts';
import { counted, seconds } from '../output.ts';

/** How long a host may take until its first sample arrives. */
const HEARD_MS = 30_000;
const MIB = 2 ** 20;

interface FirstUser {
  readonly made: boolean;
  readonly user?: string;
  readonly password?: string;
}

export const monitorSetup: Handler<typeof definitions.monitorSetup> = async (options, session) => {
  const { output, context } = session;
  const started = performance.now();
  const place = await findMonitor(options.inventory, session);
  const { inventory, monitor } = place;
  requireNames(inventory.targets.map(({ name }) => name));
  const targets = inventory.targets;
  const { changes, first } = await withConnections(targets, context, async (connections) => {
    const of = (target: (typeof targets)[number]) => connections.find((one) => one.target === target);
    const keeper = of(inventory.lockKeeper);
    const hub = of(monitor);
    if (keeper === undefined || hub === undefined) throw new Error('every target has a connection');
    return withLock(keeper, { command: 'pipeline monitor setup', wait: options.wait }, context, (locked) =>
      setUp(place, hub, connections, { ...session, context: locked }),
    );
  });
  const url = dashboardUrl(place);
  const time = seconds(performance.now() - started);
  const entries = changeEntries({ changes: [] }, changes);
  if (entries.length === 0) output.line(`Nothing to change on ${counted(targets.length, 'host')} (${time}).`);
  else output.line(`Ready in ${time}. ${changeSummary(entries)}.`);
  output.line(`Dashboard: ${url}`);
  return {
    json: {
      dashboard: url,
      changes: entries,
      changed: entries.length,
      hosts: targets.map(({ name }) => name),
      ...(first.made ? { user: first.user, password: first.password } : {}),
    },
  };
};

async function setUp(
  place: MonitorPlace,
  hub: Connection,
  connections: readonly Connection[],
  session: Session,
) {
  const { context } = session;
  const [secrets, programs, fleet] = await Promise.all([
    monitorSecrets(hub, context),
    findPrograms(context),
    fleetAddresses(place.monitor.address, connections, context),
  ]);
  const { config, inventory, monitor } = place;
  const node = nodePath(programs.node);
  const hubPart = await hubState(place, secrets, fleet, { node, program: programs.hub.to }, hub, context);
  const changes = await allSettledOrFirst(
    connections.map(async (connection): Promise<HostChanges> => {
      const host = connection.target.name;
      const isMonitor = connection === hub;
      context.progress({ host, stage: 'monitor', state: 'started' });
      try {
        const sent = await sendPrograms(connection, programs, isMonitor, context);
        const groups = groupsOf(connection.target, inventory);
        const resources: readonly Resource[] = [
          ...(isMonitor ? hubPart : []),
          ...agentResources({
            node,
            program: programs.agent.to,
            mariadb: rolesOf(config, groups).has('mariadb'),
            config: agentConfig(config, {
              host,
              groups,
              monitorAddress: monitor.address,
              certificate: secrets.certificate,
              password: secrets.password(`agent:${host}`),
            }),
          }),
        ];
        const { changes: made } = await converge(connection, unique(resources), context);
        const message = counted(made.length + sent.length, 'change');
        if (made.length > 0)
          await audit(
            connection,
            {
              at: context.now().toISOString(),
              by: whoami(context),
              action: 'monitor setup',
              result: 'done',
              message,
            },
            context,
          );
        context.progress({
          host,
          stage: 'monitor',
          state: 'done',
          detail: made.length === 0 ? 'as it should be' : message,
        });
        return { host, changes: made };
      } catch (error) {
        context.progress({ host, stage: 'monitor', state: 'failed' });
        throw error;
      }
    }),
  );
  const first = (await askHub(hub, ['users', 'first'], session, { secretOutput: true })) as FirstUser;
  // Said at once: whatever fails after this, it cannot be shown again.
  if (first.made) {
    const { output } = session;
    output.line(`Sign in as ${first.user} with the password ${output.colors.bold(first.password ?? '')}`);
    output.line(
      'It is shown this once and kept nowhere. Another one: pipeline monitor users set admin --admin',
    );
  }
  await waitUntilHeard(
    hub,
    connections.map(({ target }) => target.name),
    session,
  );
  return { changes, first };
}

async function hubState(
  { config, inventory, monitor }: MonitorPlace,
  secrets: MonitorSecrets,
  fleet: readonly string[],
  paths: { readonly node: string; readonly program: string },
  hub: Connection,
  context: Context,
): Promise<readonly Resource[]> {
  const hosts = inventory.targets.map(({ name }) => name);
  const hubPassword = secrets.password('hub');
  const files = config.monitor?.tls;
  const read = (path: string) =>
    readFile(resolve(config.directory, path), 'utf8').catch((cause: Error) => {
      throw new Failure('usage', `monitor.tls: ${cause.message}`, {
        next: 'Give a PEM file, relative to pipeline.yml.',
        cause,
      });
    });
  const total = await hub.check(
    "sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo; cat /sys/fs/cgroup/memory.max 2>/dev/null || true",
    {
      label: 'memory of the monitor',
      signal: context.signal,
    },
  );
  const [kilobytes = '0', limit = 'max'] = total.trim().split('\n');
  const declared = config.hosts[config.monitor?.host ?? 'monitor']?.memory ?? config.defaults.memory;
  const memory = Math.min(
    Number(kilobytes) * 1024,
    Number(limit) || Number.POSITIVE_INFINITY,
    declared ?? Number.POSITIVE_INFINITY,
  );
  return hubResources({
    ...paths,
    hubPassword,
    agents: hosts.map((host) => ({ host, password: secrets.password(`agent:${host}`) })),
    fleet,
    // Half of the memory in steps of 64 MiB: the hub, and a rewrite of the append-only file, need the rest.
    maxMemory: Math.max(64 * MIB, Math.floor(memory / 2 / (64 * MIB)) * 64 * MIB),
    config: hubConfigText(config, { hosts, password: hubPassword, address: monitor.address }, context.env),
    tls:
      files === undefined
        ? undefined
        : { certificate: await read(files.certificate), key: await read(files.key) },
  });
}

/** Addresses by which the hosts reach the monitor: what Redis's firewall admits. */
async function fleetAddresses(
  monitor: string,
  connections: readonly Connection[],
  context: Context,
): Promise<readonly string[]> {
  const script = `address=$(getent ahosts ${quote(monitor)} | awk 'NR==1 {print $1}')
ip -o route get "$address" | sed -n 's/.* src \\([^ ]*\\).*/\\1/p'`;
  const found = await Promise.all(
    connections.map(async (connection) => {
      const text = await connection.check(script, {
        label: 'address towards the monitor',
        signal: context.signal,
      });
      return [text.trim(), connection.target.address].filter((address) => isIP(address) !== 0);
    }),
  );
  return [...new Set(found.flat())].sort();
}

/** @throws Failure `host` where a host's samples do not arrive, with what its agent says */
async function waitUntilHeard(hub: Connection, hosts: readonly string[], session: Session): Promise<void> {
  const { context } = session;
  const begun = performance.now();
  context.progress({ stage: 'first samples', state: 'started' });
  for (;;) {
    const status = (await askHub(hub, ['status'], session)) as {
      now: number;
      hosts: Record<string, { at: number }>;
    };
    const missing = hosts.filter((host) => status.now - (status.hosts[host]?.at ?? 0) > 15_000);
    if (missing.length === 0) break;
    if (performance.now() - begun > HEARD_MS) {
      context.progress({ stage: 'first samples', state: 'failed' });
      const [host = ''] = missing;
      throw new Failure('host', `no samples arrive from ${missing.join(', ')}`, {
        host,
        next: `On ${host}: journalctl -u pipeline-agent. If it cannot reach port ${REDIS_PORT} of the monitor, say "monitor:" in pipeline.yml and run pipeline prod up, which opens the firewall.`,
      });
    }
    await sleep(500, undefined, { signal: context.signal });
  }
  context.progress({ stage: 'first samples', state: 'done' });
}

/** What hub and agent both need is said once. */
function unique(resources: readonly Resource[]): readonly Resource[] {
  const seen = new Set<string>();
  return resources.filter((resource) => {
    const key = JSON.stringify(resource);
    return seen.has(key) ? false : seen.add(key);
  });
}

/** A host's name is part of Redis's access rules. */
function requireNames(names: readonly string[]): void {
  const wrong = names.find((name) => !/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/.test(name));
  if (wrong !== undefined)
    throw new Failure('usage', `the monitor cannot watch a host that is called "${wrong}"`, {
      next: 'Use letters, digits, dots, dashes and underscores in the inventory.',
    });
}
