/**
 * Control groups of hosts: who is in them, limits, ending everything in them. Plain file operations, no
 * program is started.
 */
import type { Dirent } from 'node:fs';
import { access, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../errors.ts';
import { type HostGroups, isUnified, type MachineFacts } from './machine.ts';

export interface Limits {
  readonly memoryBytes: number;
  /** Processors' worth of time. */
  readonly cpus: number;
}

/** Microseconds: the kernel's usual period for processor quotas. */
const PERIOD = 100_000;

/** Process ids directly in a group; none where the group does not exist. */
async function members(directory: string): Promise<number[]> {
  const text = await readIfExists(join(directory, 'cgroup.procs'));
  return text.split('\n').filter(Boolean).map(Number);
}

/** Whether what keeps the host running lives. */
export async function isLed(groups: HostGroups): Promise<boolean> {
  const counts = await Promise.all(groups.leaders.map(members));
  return counts.some((pids) => pids.length > 0);
}

/** Every process of the host, at any depth of any hierarchy. */
export async function allMembers(groups: HostGroups): Promise<number[]> {
  const found = await Promise.all(groups.tops.flatMap(async (top) => (await subtree(top)).map(members)));
  return [...new Set((await Promise.all(found.flat())).flat())];
}

/**
 * Kills everything in the host's groups until they are empty, then removes them.
 * @throws Failure kind `host` where processes remain after half a minute (stuck in the kernel, which no
 *   signal mends).
 */
export async function killAndRemove(groups: HostGroups, host: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (let wait = 2; ; wait = Math.min(wait * 2, 50)) {
    const pids = await allMembers(groups);
    for (const pid of pids) kill(pid);
    if (pids.length === 0 && (await removed(groups))) return;
    if (Date.now() > deadline) {
      throw new Failure(
        'host',
        `Processes of ${host} do not end: ${pids.join(', ') || 'its control group stays busy'}.`,
        {
          host,
          next:
            'They wait for the kernel (often a dead network file system): `ps` shows on what. Restart ' +
            'the machine if it does not pass, then run the command again.',
        },
      );
    }
    await sleep(wait);
  }
}

/** Whether this machine's control groups have what the limits need. */
export async function limitsHold(facts: MachineFacts): Promise<boolean> {
  const [first] = facts.hierarchies;
  const controllers =
    first && isUnified(facts)
      ? (await readIfExists(join(first.mountPoint, 'cgroup.controllers'))).trim().split(' ')
      : facts.hierarchies.flatMap((hierarchy) => hierarchy.controllers);
  return controllers.includes('memory') && controllers.includes('cpu');
}

/** What `cpu.max` (version 2) or the quota (version 1) is to hold. */
export function quota(cpus: number): number {
  return Math.max(1000, Math.round(cpus * PERIOD));
}

/**
 * Sets the limits of a running host; they hold from now on. Where a controller is missing nothing can be set,
 * which the plan says.
 * @throws Failure kind `host` where the host's programs hold more memory than the new limit: it would kill
 *   some of them.
 */
export async function setLimits({ limited }: HostGroups, limits: Limits, host: string): Promise<void> {
  const memory = String(limits.memoryBytes);
  for (const directory of limited.memory) {
    if (limited.version === 1) await setLegacyMemory(directory, memory, host);
    else {
      if ((await heldMemory(directory)) > limits.memoryBytes) throw tooSmall(host, limits.memoryBytes);
      await writeIfExists(join(directory, 'memory.max'), memory);
    }
  }
  for (const directory of limited.cpu) {
    const microseconds = quota(limits.cpus);
    if (limited.version === 1) await writeIfExists(join(directory, 'cpu.cfs_quota_us'), String(microseconds));
    else await writeIfExists(join(directory, 'cpu.max'), `${microseconds} ${PERIOD}`);
  }
}

/** The kernel refuses a limit that it cannot make room for. */
async function setLegacyMemory(directory: string, bytes: string, host: string): Promise<void> {
  const withSwap = join(directory, 'memory.memsw.limit_in_bytes');
  try {
    // memory and swap together may never be less than memory alone, at no moment
    await writeIfExists(withSwap, '-1');
    await writeIfExists(join(directory, 'memory.limit_in_bytes'), bytes);
    await writeIfExists(withSwap, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') throw tooSmall(host, Number(bytes), error);
    throw error;
  }
}

/**
 * Bytes that programs hold and the kernel cannot write back to disk (version 2, whose limit kills instead of
 * refusing).
 */
async function heldMemory(directory: string): Promise<number> {
  const statistics = await readIfExists(join(directory, 'memory.stat'));
  return Number(/^anon (\d+)$/m.exec(statistics)?.[1] ?? 0);
}

function tooSmall(host: string, bytes: number, cause?: unknown): Failure {
  return new Failure(
    'host',
    `${host} uses more memory than its new limit of ${Math.round(bytes / 2 ** 20)} MB.`,
    {
      host,
      step: 'memory limit',
      next:
        'Stop something on the host, or set a higher `memory` in pipeline.yml, then run the command ' +
        'again.',
      cause,
    },
  );
}

/** A directory and all below it, deepest first. */
async function subtree(directory: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => subtree(join(directory, entry.name))),
  );
  return [...below.flat(), directory];
}

/** Removes the groups; false where one is still busy. */
async function removed(groups: HostGroups): Promise<boolean> {
  for (const top of groups.tops) {
    for (const directory of await subtree(top)) if (!(await removeGroup(directory))) return false;
  }
  return true;
}

/** Removes one empty group; false where it is busy. */
export async function removeGroup(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EBUSY') return false;
    if (code !== 'ENOENT') throw error;
  }
  return true;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function readIfExists(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // ENODEV: the group was removed between opening and reading
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'EOPNOTSUPP') return '';
    throw error;
  }
}

async function writeIfExists(file: string, text: string): Promise<void> {
  if (await exists(file)) await writeFile(file, text);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
