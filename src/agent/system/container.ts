/**
 * What a host has of its own where it is a container (systemd-nspawn, LXC): its /proc shows the whole
 * machine, its control group what it may use.
 */
import { existsSync } from 'node:fs';
import { type CgroupFiles, findCgroup, readIfThere } from './cgroup.ts';

export interface Container {
  readonly memoryLimit: number;
  /** Cores that it may use, undefined where that is not limited. */
  readonly cores: number | undefined;
  /** Files of its root group. */
  readonly files: CgroupFiles;
}

/**
 * The container that this is; undefined on a machine of its own, virtual or not. A root group with a limit
 * below the machine's memory tells: the true root has none.
 * @param memoryTotal bytes, as /proc/meminfo has them
 */
export function findContainer(
  memoryTotal: number,
  root = '/sys/fs/cgroup',
  read: (path: string) => string | undefined = readIfThere,
  exists: (path: string) => boolean = existsSync,
): Container | undefined {
  const files = findCgroup('', root, exists);
  const limit = Number(
    read(files.version === 2 ? `${root}/memory.max` : `${root}/memory/memory.limit_in_bytes`),
  );
  if (!(limit > 0 && limit < memoryTotal)) return undefined;
  const quota =
    files.version === 2
      ? read(`${root}/cpu.max`)
      : `${read(`${root}/cpu/cpu.cfs_quota_us`)} ${read(`${root}/cpu/cpu.cfs_period_us`)}`;
  return { memoryLimit: limit, cores: parseQuota(quota ?? ''), files };
}

/** `200000 100000` is two cores; `max 100000` and `-1 100000` are no limit. */
export function parseQuota(text: string): number | undefined {
  const [quota, period] = text.split(' ').map(Number);
  const cores = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return cores > 0 ? cores : undefined;
}

/**
 * Processor seconds in user mode and in the kernel, from v2's `cpu.stat` or v1's `cpuacct.stat` (hundredths
 * of a second).
 */
export function parseCpuUse(text: string, version: 1 | 2): { user: number; system: number } | undefined {
  const [suffix, scale] = version === 2 ? ['_usec', 1e6] : ['', 100];
  const value = (name: string): number =>
    Number(new RegExp(`^${name}${suffix} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN) / scale;
  const [user, system] = [value('user'), value('system')];
  return Number.isFinite(user + system) ? { user, system } : undefined;
}

/** What the container's processes have used so far; undefined where it is not accounted for. */
export function containerCpu({ files }: Container): { user: number; system: number } | undefined {
  const text =
    files.cpu === undefined ? undefined : readIfThere(files.cpu.replace(/cpuacct\.usage$/, 'cpuacct.stat'));
  return text === undefined ? undefined : parseCpuUse(text, files.version);
}
