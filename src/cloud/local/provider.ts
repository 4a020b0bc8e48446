/** The provider of hosts on this machine. */
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { operatorKey } from '../operator-key.ts';
import type { CloudPlan, EnvironmentSpec, Machine, Provider } from '../provider.ts';
import { ensureBase } from './base-image.ts';
import { claimSubnet, lockEnvironment } from './claim.ts';
import { destroyable, destroyEnvironment, destroyHost, removeHost } from './destroy.ts';
import { makeHost, saveHost } from './disk.ts';
import { canStack, find, findMachines, type Local, type MachineFindings } from './found.ts';
import { layInside, replaceKeys } from './inside.ts';
import { ensureLayer } from './layers.ts';
import { readMachine } from './machine.ts';
import { ensureNetwork } from './network.ts';
import { authorizedKeys, type HostWork, lostSentence, planLocal } from './plan.ts';
import type { HostRecord } from './records.ts';
import { type Fleet, limitHost, startHost, waitForSsh } from './running.ts';
import { environmentLayout, hostLayout, localSettings } from './settings.ts';
import { ensureTools } from './tools.ts';

/**
 * Real Debian hosts on this machine. Nothing is touched before a method is called.
 * @throws Failure kind `usage` where the settings (`PIPELINE_LOCAL_…`) are wrong.
 */
export function createLocalProvider(context: Context, spec: EnvironmentSpec): Provider {
  const settings = localSettings(context.env);
  const environment = environmentLayout(settings, spec);
  const local: Local = { context, spec, settings, environment, facts: readMachine() };
  const asRoot = async <T>(work: () => Promise<T>): Promise<T> => {
    requireRoot(local);
    return work();
  };
  return {
    name: 'local',
    plan: () => asRoot(async () => planLocal((await find(local)).found, spec).plan),
    apply: (plan) => asRoot(() => apply(local, plan)),
    machines: () => asRoot(() => findMachines(local)),
    destroyable: () => asRoot(() => destroyable(local.facts, environment)),
    remove: (name) => asRoot(() => destroyHost(context, local.facts, environment, name)),
    destroy: () => asRoot(() => destroyEnvironment(context, local.facts, environment)),
  };
}

function requireRoot({ facts }: Local): void {
  if (facts.root) return;
  throw new Failure(
    'usage',
    'Local hosts need root: they have disks, networks and control groups of their own on this machine.',
    { next: 'Run the same command with sudo, or use `--provider digitalocean`.' },
  );
}

/**
 * What was planned is decided once more under the lock, since another command may have changed something
 * meanwhile.
 */
async function apply(local: Local, plan: CloudPlan): Promise<readonly Machine[]> {
  const { context, spec, settings, environment } = local;
  const settled = plan.changes.length === 0 && plan.machines.every(({ state }) => state === 'running');
  if (settled) return plan.machines;
  await requireAbility(local);
  await ensureTools(context);
  await using lock = await lockEnvironment(context, environment);
  await claimSubnet(context, settings, environment, spec);
  const key = await operatorKey(spec.directory, spec.environment);
  const findings = await find(local);
  const { work } = planLocal(findings.found, spec);
  const { bases, layers } = findings.found;
  const keep = [...bases, ...[...layers.values()].flat()].map(({ directory }) => directory);
  for (const { directory } of work.bases) {
    const recipe = findings.recipes.get(directory);
    if (recipe !== undefined) await ensureBase(context, settings, recipe, directory, keep);
  }
  for (const layer of work.layers) {
    await ensureLayer(context, settings, layer, findings.handed.files, keep);
  }
  const fleet: Fleet = {
    facts: local.facts,
    environment,
    subnet: findings.found.subnet,
    lock: lock.descriptor,
  };
  await settleAll(work.remove.map((name) => removeHost(context, fleet, hostLayout(environment, name))));
  if (work.network) {
    context.progress({ stage: 'network', state: 'started', detail: fleet.subnet });
    await ensureNetwork(context, environment, fleet.subnet, fleet.lock);
    context.progress({ stage: 'network', state: 'done', detail: fleet.subnet });
  }
  const keys = authorizedKeys(key.publicKey, spec);
  await settleAll(work.hosts.map((host) => settle({ ...local, fleet, findings, keys }, host)));
  // they have just answered: a slow one is not to be called starting
  return findMachines(local, 30_000);
}

/** What no `apt-get install` mends. */
async function requireAbility({ facts, settings }: Local): Promise<void> {
  if (facts.hierarchies.length === 0) {
    throw new Failure('usage', 'No control groups are mounted on this machine, and hosts need them.', {
      next: 'Mount them (`mount -t cgroup2 none /sys/fs/cgroup`), or run on a machine with systemd.',
    });
  }
  if (await canStack(settings)) return;
  throw new Failure(
    'usage',
    `The folder ${settings.stateDirectory} lies on an overlay, as in a container, where hosts' disks ` +
      'cannot be stacked.',
    {
      next:
        'Mount an ordinary disk there (a Docker volume will do), or set PIPELINE_LOCAL_STATE to a ' +
        'folder on one.',
    },
  );
}

interface Work extends Local {
  readonly fleet: Fleet;
  readonly findings: MachineFindings;
  /** Public keys that may sign in as root. */
  readonly keys: readonly string[];
}

/** Brings one host to what it should be, saying so where it takes time. */
async function settle(work: Work, host: HostWork): Promise<void> {
  const { context } = work;
  const event = { host: host.spec.name, stage: 'host', detail: host.address };
  const boots = host.record === undefined || host.start;
  if (boots) context.progress({ ...event, state: 'started' });
  try {
    await mend(work, host, boots);
  } catch (error) {
    context.progress({ ...event, state: 'failed' });
    throw error;
  }
  if (boots) context.progress({ ...event, state: 'done' });
}

async function mend(work: Work, host: HostWork, boots: boolean): Promise<void> {
  const { context, environment, fleet } = work;
  const { name } = host.spec;
  const layout = hostLayout(environment, name);
  if (host.lost.length > 0) {
    throw new Failure('host', lostSentence(host), {
      host: name,
      next:
        'Restore that folder from a backup, or run `pipeline prod destroy` and `pipeline prod up`, ' +
        'which makes the host anew.',
    });
  }
  if (host.leftover) await removeHost(context, fleet, layout);
  const record = host.record ? await limited(work, host, host.record) : await made(work, host);
  const starting = boots ? await startHost(context, fleet, layout, record) : undefined;
  await waitForSsh(context, fleet, layout, record, starting);
  if (host.record) await handedDown(work, host, record);
}

function made({ context, environment, findings, keys }: Work, host: HostWork): Promise<HostRecord> {
  const { spec, address, base, layers } = host;
  const { handed } = findings;
  return makeHost(context, hostLayout(environment, spec.name), {
    ...{ spec, address, handed, authorizedKeys: keys },
    ...{ base: base.directory, layers: layers.map(({ directory }) => directory), release: base.codename },
  });
}

/** Limits that changed hold at once where the host runs, and from its next start on where it does not. */
async function limited(
  { context, environment, fleet }: Work,
  host: HostWork,
  before: HostRecord,
): Promise<HostRecord> {
  const { name, group, memoryBytes, cpus } = host.spec;
  const layout = hostLayout(environment, name);
  const record = { ...before, group, memoryBytes, cpus };
  if (host.differs.limits && !host.start) await limitHost(context, fleet, layout, record);
  await saveHost(layout, record);
  return record;
}

/** Keys and settings that changed since the host was made. */
async function handedDown(
  { context, environment, fleet, findings, keys }: Work,
  host: HostWork,
  record: HostRecord,
): Promise<void> {
  const layout = hostLayout(environment, record.name);
  if (host.differs.keys) {
    await replaceKeys(context, fleet, layout, { before: record.authorizedKeys, after: keys });
  }
  if (host.differs.settings) await layInside(context, fleet, layout, findings.handed.files);
  await saveHost(layout, { ...record, authorizedKeys: [...keys], settings: findings.handed.digest });
}

/** Waits for all, then throws the first failure: no host is abandoned half-way because another failed. */
async function settleAll(tasks: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
