/** The provider of hosts on this machine. */
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { writeFileAtomic } from '../../files.ts';
import { findOperatorKey, operatorKey, operatorKeyFile } from '../operator-key.ts';
import type { CloudPlan, Destroyed, EnvironmentSpec, Machine, Provider } from '../provider.ts';
import { baseDirectory, baseExists, ensureBase, readRecipe } from './base-image.ts';
import { destroyable, destroyEnvironment, removeHost } from './destroy.ts';
import { makeHost, saveHost } from './disk.ts';
import { isLed } from './groups.ts';
import { handedFiles } from './handed.ts';
import { type Lock, tryLock } from './lock.ts';
import { hostGroups, type MachineFacts, readMachine } from './machine.ts';
import { ensureNetwork, networkReady, subnetFor } from './network.ts';
import { asMachine, authorizedKeys, type Found, type FoundHost, type LocalWork, planLocal } from './plan.ts';
import { type HostRecord, listHosts, readEnvironmentRecord, readHostRecord } from './records.ts';
import { answersSsh, type Fleet, limitHost, replaceKeys, startHost, waitForSsh } from './running.ts';
import {
  type EnvironmentLayout,
  environmentLayout,
  hostLayout,
  type LocalSettings,
  localSettings,
} from './settings.ts';
import { ensureTools, missingPackages } from './tools.ts';

/**
 * Real Debian hosts on this machine. Nothing is touched before a method is called.
 * @throws Failure kind `usage` where the settings (`PIPELINE_LOCAL_…`) are wrong.
 */
export function createLocalProvider(context: Context, spec: EnvironmentSpec): Provider {
  const settings = localSettings(context.env);
  const environment = environmentLayout(settings, spec);
  const local: Local = { context, spec, settings, environment, facts: readMachine() };
  return {
    name: 'local',
    plan: async () => {
      requireRoot(local);
      return planLocal(await find(local), spec).plan;
    },
    apply: (plan) => apply(local, plan),
    machines: () => machines(local),
    destroyable: () => {
      requireRoot(local);
      return destroyable(context, environment);
    },
    destroy: async (): Promise<Destroyed> => {
      requireRoot(local);
      return destroyEnvironment(context, local.facts, environment);
    },
  };
}

interface Local {
  readonly context: Context;
  readonly spec: EnvironmentSpec;
  readonly settings: LocalSettings;
  readonly environment: EnvironmentLayout;
  readonly facts: MachineFacts;
}

function requireRoot({ facts }: Local): void {
  if (facts.root) return;
  throw new Failure(
    'usage',
    'Local hosts need root: they have disks, networks and control groups of their own on this machine.',
    {
      next: 'Run the same command with sudo, or use `--provider digitalocean`.',
    },
  );
}

/** Reads everything that decisions depend on; starts at most one program. */
async function find(local: Local): Promise<Found> {
  const { context, spec, settings, environment } = local;
  const [packages, record, key, hosts] = await Promise.all([
    missingPackages(context),
    readEnvironmentRecord(environment),
    findOperatorKey(spec.directory, spec.environment),
    findHosts(local),
  ]);
  const subnet = await subnetFor(settings, environment, record);
  return {
    missingPackages: packages,
    subnet,
    networkReady:
      record !== undefined && packages.length === 0 && (await networkReady(context, environment, subnet)),
    baseReady: await baseExists(baseDirectory(settings, await readRecipe())),
    operatorKey: key?.publicKey,
    identityFile: operatorKeyFile(spec.directory, spec.environment),
    hosts,
  };
}

async function findHosts({ environment, facts }: Local): Promise<FoundHost[]> {
  const names = await listHosts(environment);
  return Promise.all(
    names.map(async (name) => {
      const layout = hostLayout(environment, name);
      const [record, alive] = await Promise.all([
        readHostRecord(layout.recordFile),
        isLed(hostGroups(facts, layout)),
      ]);
      return {
        name,
        record,
        alive,
        answers: alive && record !== undefined && (await answersSsh(record.address, 300)),
      };
    }),
  );
}

async function machines(local: Local): Promise<Machine[]> {
  requireRoot(local);
  const { directory, environment } = local.spec;
  const identityFile = operatorKeyFile(directory, environment);
  const hosts = await findHosts(local);
  return hosts.flatMap((host) => (host.record ? [asMachine({ identityFile }, host.record, host)] : []));
}

/** What was planned is decided once more under the lock: another command may have changed something since. */
async function apply(local: Local, _plan: CloudPlan): Promise<Machine[]> {
  requireRoot(local);
  const { context, spec, settings, environment } = local;
  await ensureTools(context);
  await using lock = await lockEnvironment(context, environment);
  const key = await operatorKey(spec.directory, spec.environment);
  const found = await find(local);
  const { work } = planLocal(found, spec);
  const base = baseDirectory(settings, await readRecipe());
  if (work.base) await ensureBase(context, await readRecipe(), base);
  const fleet: Fleet = { facts: local.facts, environment, subnet: found.subnet, lock: lock.descriptor };
  await Promise.all(work.remove.map(({ name }) => removeHost(context, fleet, hostLayout(environment, name))));
  if (work.network) await bringUpNetwork(local, fleet);
  const handed = work.create.length > 0 ? await handedFiles(context, found.subnet) : [];
  const keys = authorizedKeys(key.publicKey, spec);
  await settleAll(
    spec.machines.map(async ({ name }) => {
      const creation = work.create.find((one) => one.spec.name === name);
      const layout = hostLayout(environment, name);
      if (creation === undefined) return mend(local, fleet, work, name);
      context.progress({ host: name, stage: 'host', state: 'started', detail: creation.address });
      if (creation.leftover) await removeHost(context, fleet, layout);
      const record = await makeHost(layout, { ...creation, base, handed, authorizedKeys: keys });
      return boot(local, fleet, record);
    }),
  );
  return machines(local);
}

/** Brings one host that exists to what it should be. */
async function mend(local: Local, fleet: Fleet, work: LocalWork, name: string): Promise<void> {
  const { context, environment } = local;
  const layout = hostLayout(environment, name);
  const host = await readHostRecord(layout.recordFile);
  if (host === undefined) return;
  let record: HostRecord = {
    ...host,
    group: local.spec.machines.find((machine) => machine.name === name)?.group ?? host.group,
  };
  const limit = work.limit.find((one) => one.record.name === name);
  if (limit !== undefined) {
    const { memoryBytes, cpus } = limit.spec;
    if (limit.alive) await limitHost(context, fleet, layout, { memoryBytes, cpus });
    record = { ...record, memoryBytes, cpus };
    await saveHost(layout, record);
  }
  const starts = work.start.some((one) => one.name === name);
  if (starts)
    context.progress({
      host: name,
      stage: 'host',
      state: 'started',
      detail: `${record.address}, it did not run`,
    });
  if (starts) await boot(local, fleet, record);
  else await waitForSsh(context, fleet, layout, record.address);
  const rekey = work.rekey.find((one) => one.record.name === name);
  if (rekey === undefined) return;
  const after = authorizedKeys(
    (await operatorKey(local.spec.directory, local.spec.environment)).publicKey,
    local.spec,
  );
  await replaceKeys(context, fleet, layout, { before: record.authorizedKeys, after });
  await saveHost(layout, { ...record, authorizedKeys: after });
}

async function boot({ context, environment }: Local, fleet: Fleet, record: HostRecord): Promise<void> {
  const layout = hostLayout(environment, record.name);
  await startHost(context, fleet, layout, record);
  await waitForSsh(context, fleet, layout, record.address);
  context.progress({ host: record.name, stage: 'host', state: 'done', detail: record.address });
}

/** The subnet is written down before it is used, under a lock that all environments share: two at once get different ones. */
async function bringUpNetwork(local: Local, fleet: Fleet): Promise<void> {
  const { context, spec, environment } = local;
  const { project, owner, directory } = spec;
  const record = { project, environment: spec.environment, owner, directory, subnet: fleet.subnet };
  await writeFileAtomic(environment.recordFile, `${JSON.stringify(record, null, 2)}\n`);
  await ensureNetwork(context, environment, fleet.subnet, fleet.lock);
}

/** @throws Failure kind `locked` where another command is at work on the environment. */
async function lockEnvironment(context: Context, environment: EnvironmentLayout): Promise<Lock> {
  const lock = await tryLock(context, environment.lockFile);
  if (lock !== undefined) return lock;
  throw new Failure('locked', 'Another command is changing the hosts of this environment on this machine.', {
    next: 'Wait until it has ended and run the command again.',
  });
}

/** Waits for all, then throws the first failure: no host is abandoned half-way because another failed. */
async function settleAll(tasks: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
