/** Removes environments and single hosts, whatever state they are in. */
import { access, readdir, readFile, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import type { Destroyed } from '../provider.ts';
import { removeGroup } from './groups.ts';
import { tryLock } from './lock.ts';
import type { MachineFacts } from './machine.ts';
import { removeNetwork } from './network.ts';
import { listHosts, readEnvironmentRecord, readHostRecord } from './records.ts';
import { mustRun, run } from './run.ts';
import { endHost, type Fleet } from './running.ts';
import { type EnvironmentLayout, type HostLayout, hostLayout } from './settings.ts';

/** What `destroyEnvironment` would remove. */
export async function destroyable(_context: Context, environment: EnvironmentLayout): Promise<Destroyed> {
  const [record, hosts, devices] = await Promise.all([
    readEnvironmentRecord(environment),
    describeHosts(environment),
    readdir('/sys/class/net'),
  ]);
  const network = devices.includes(environment.bridge) || record !== undefined;
  return {
    removed: [...hosts, ...(network ? [`network ${record?.subnet ?? environment.bridge}`] : [])],
    left: [],
  };
}

/**
 * Ends and removes everything of an environment. May be killed at any moment and called again; nothing to remove is no failure.
 * @throws Failure kind `locked` where another command is at work on it.
 */
export async function destroyEnvironment(
  context: Context,
  facts: MachineFacts,
  environment: EnvironmentLayout,
): Promise<Destroyed> {
  const lock = await tryLock(context, environment.lockFile);
  if (lock === undefined) {
    throw new Failure(
      'locked',
      'Another command is changing the hosts of this environment on this machine.',
      {
        next: 'Wait until it has ended, or stop it, and run the command again.',
      },
    );
  }
  try {
    const record = await readEnvironmentRecord(environment);
    const removed = await describeHosts(environment);
    const fleet = { facts, lock: lock.descriptor };
    const names = await listHosts(environment);
    await Promise.all(names.map((name) => removeHost(context, fleet, hostLayout(environment, name))));
    const network = await removeNetwork(context, environment, lock.descriptor);
    if (network || record !== undefined) removed.push(`network ${record?.subnet ?? environment.bridge}`);
    await removeGroups(facts, environment);
    await removeFolder(context, environment.directory, lock.descriptor);
    await removeIfEmpty(dirname(environment.directory));
    return { removed, left: [] };
  } finally {
    await lock.release();
  }
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

async function describeHosts(environment: EnvironmentLayout): Promise<string[]> {
  const names = await listHosts(environment);
  return Promise.all(
    names.map(async (name) => {
      const record = await readHostRecord(hostLayout(environment, name).recordFile);
      return `host ${name} (${record?.address ?? 'half-made'})`;
    }),
  );
}

/** The environment's own control groups, above those of its hosts, and the one of all environments if it was the last. */
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

async function removeIfEmpty(directory: string): Promise<void> {
  const empty = await access(directory)
    .then(() => readdir(directory))
    .then((entries) => entries.length === 0)
    .catch(() => false);
  if (empty) await rmdir(directory);
}
