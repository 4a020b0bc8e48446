/** Removes environments and single hosts, whatever state they are in. */
import { readdir, readFile, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../../context.ts';
import type { Destroyed } from '../provider.ts';
import { lockEnvironment } from './claim.ts';
import { removeGroup } from './groups.ts';
import { groupNames, type MachineFacts } from './machine.ts';
import { removeNetwork } from './network.ts';
import { folders, listHosts, readEnvironmentRecord, readHostRecord } from './records.ts';
import { mustRun, run } from './run.ts';
import { endHost, type Fleet } from './running.ts';
import { type EnvironmentLayout, type HostLayout, hostLayout } from './settings.ts';

/** What `destroyEnvironment` would remove. */
export async function destroyable(facts: MachineFacts, environment: EnvironmentLayout): Promise<Destroyed> {
  const [record, names, devices] = await Promise.all([
    readEnvironmentRecord(environment),
    hostNames(facts, environment),
    readdir('/sys/class/net'),
  ]);
  const hosts = await Promise.all(names.map((name) => describeHost(environment, name)));
  const network = devices.includes(environment.bridge) || record !== undefined;
  return {
    removed: [...hosts, ...(network ? [`network ${record?.subnet ?? environment.bridge}`] : [])],
    left: [],
  };
}

/**
 * Ends and removes everything of an environment. May be killed at any moment and called again; nothing to
 * remove is no failure.
 * @throws Failure kind `locked` where another command is at work on it.
 */
export async function destroyEnvironment(
  context: Context,
  facts: MachineFacts,
  environment: EnvironmentLayout,
): Promise<Destroyed> {
  await using lock = await lockEnvironment(context, environment);
  const { removed } = await destroyable(facts, environment);
  const fleet = { facts, lock: lock.descriptor };
  const names = await hostNames(facts, environment);
  await Promise.all(names.map((name) => removeHost(context, fleet, hostLayout(environment, name))));
  await removeNetwork(context, environment, lock.descriptor);
  await removeGroups(facts, environment);
  await removeFolder(context, environment.directory, lock.descriptor);
  await removeIfEmpty(dirname(environment.directory));
  return { removed, left: [] };
}

/**
 * Ends and removes one host of an environment. May be killed at any moment and called again.
 * @throws Failure kind `locked` where another command is at work on the environment.
 */
export async function destroyHost(
  context: Context,
  facts: MachineFacts,
  environment: EnvironmentLayout,
  name: string,
): Promise<void> {
  await using lock = await lockEnvironment(context, environment);
  if (!(await hostNames(facts, environment)).includes(name)) return;
  await removeHost(context, { facts, lock: lock.descriptor }, hostLayout(environment, name));
}

/** Ends one host and removes its disk. */
export async function removeHost(
  context: Context,
  fleet: Pick<Fleet, 'facts' | 'lock'>,
  layout: HostLayout,
): Promise<void> {
  context.progress({ host: layout.name, stage: 'removing', state: 'started' });
  await endHost(context, fleet, layout);
  await removeFolder(context, layout.directory, fleet.lock);
  context.progress({ host: layout.name, stage: 'removing', state: 'done' });
}

/** Hosts with a folder, and those that still run though somebody removed theirs. */
async function hostNames(facts: MachineFacts, environment: EnvironmentLayout): Promise<string[]> {
  const groups = facts.hierarchies.map(async ({ mountPoint }) => {
    const own = await folders(join(mountPoint, environment.controlGroup));
    return groupNames(environment, own, await folders(join(mountPoint, 'system.slice')));
  });
  return [...new Set([...(await listHosts(environment)), ...(await Promise.all(groups)).flat()])].sort();
}

async function describeHost(environment: EnvironmentLayout, name: string): Promise<string> {
  const record = await readHostRecord(hostLayout(environment, name).recordFile);
  return `host ${name} (${record?.address ?? 'half-made'})`;
}

/**
 * The environment's own control groups, above those of its hosts, and the one of all environments if it was
 * the last.
 */
async function removeGroups(facts: MachineFacts, environment: EnvironmentLayout): Promise<void> {
  for (const { mountPoint } of facts.hierarchies) {
    const group = join(mountPoint, environment.controlGroup);
    await removeGroup(group);
    await removeGroup(dirname(group));
  }
}

/** Removes a folder; what is mounted in it is detached, never emptied. */
async function removeFolder(context: Context, directory: string, lock: number): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const stale = mounts
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mountPoint) => mountPoint.startsWith(`${directory}/`));
  for (const mountPoint of stale.reverse()) await run(context, 'umount', ['--lazy', mountPoint], { lock });
  await mustRun(context, 'removing disks', 'rm', ['-rf', '--one-file-system', directory], { lock });
}

/** The project's folder goes with its last environment. */
async function removeIfEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error;
  });
}
