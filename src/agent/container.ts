/**
 * What a host has of its own where it is a container (systemd-nspawn, LXC): its /proc shows the whole machine, its control group what it may use.
 */
import { existsSync } from 'node:fs';
import { type CgroupFiles, findCgroup, readIfThere, workingSet } from './cgroup.ts';

export interface Container {
  readonly memoryLimit: number;
  /** Cores that it may use, undefined where that is not limited. */
  readonly cores: number | undefined;
  readonly version: 1 | 2;
  /** `/sys/fs/cgroup`, or where a test has it. */
  readonly root: string;
}

/**
 * The container that this is; undefined on a machine of its own, virtual or not. A root group with a limit below the machine's memory tells:
 * the true root has none.
 * @param memoryTotal bytes, as /proc/meminfo has them
 */
export function findContainer(
  memoryTotal: number,
  root = '/sys/fs/cgroup',
  read: (path: string) => string | undefined = readIfThere,
  exists: (path: string) => boolean = existsSync,
): Container | undefined {
  const files: CgroupFiles = findCgroup('', root, exists);
  const { version } = files;
  const limit = Number(read(version === 2 ? `${root}/memory.max` : `${root}/memory/memory.limit_in_bytes`));
  if (!(limit > 0 && limit < memoryTotal)) return undefined;
  const quota =
    version === 2
      ? read(`${root}/cpu.max`)
      : `${read(`${root}/cpu/cpu.cfs_quota_us`)} ${read(`${root}/cpu/cpu.cfs_period_us`)}`;
  return { memoryLimit: limit, cores: parseQuota(quota ?? ''), version, root };
}

/** `200000 100000` is two cores; `max 100000` and `-1 100000` are no limit. */
export function parseQuota(text: string): number | undefined {
  const [quota, period] = text.split(' ').map(Number);
  const cores = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return cores > 0 ? cores : undefined;
}

/** Bytes in use: the working set of the container's root group. */
export function containerMemory({ root, version }: Container): number | undefined {
  const directory = version === 2 ? root : `${root}/memory`;
  const usage = readIfThere(`${directory}/${version === 2 ? 'memory.current' : 'memory.usage_in_bytes'}`);
  const stat = readIfThere(`${directory}/memory.stat`);
  return usage === undefined || stat === undefined ? undefined : workingSet(usage, stat, version);
}

/** Processor seconds in user mode and in the kernel, from v2's `cpu.stat` or v1's `cpuacct.stat` (hundredths of a second). */
export function parseCpuUse(text: string, version: 1 | 2): { user: number; system: number } | undefined {
  const [suffix, scale] = version === 2 ? ['_usec', 1e6] : ['', 100];
  const value = (name: string): number =>
    Number(new RegExp(`^${name}${suffix} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN) / scale;
  const [user, system] = [value('user'), value('system')];
  return Number.isFinite(user + system) ? { user, system } : undefined;
}

/** What the container's processes have used so far; undefined where it is not accounted for. */
export function containerCpu({ root, version }: Container): { user: number; system: number } | undefined {
  const text = readIfThere(version === 2 ? `${root}/cpu.stat` : `${root}/cpuacct/cpuacct.stat`);
  return text === undefined ? undefined : parseCpuUse(text, version);
}
