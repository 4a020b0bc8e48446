/** Control groups, v1 and v2: processor time and memory of a unit. */
import { existsSync, readFileSync } from 'node:fs';
import { increase } from '../../metrics/rate.ts';

/** Where the files of one control group are; absent where the host does not account for it. */
export interface CgroupFiles {
  /** v2 `cpu.stat` or v1 `cpuacct.usage`. */
  readonly cpu: string | undefined;
  /** Directory with `memory.current` (v2) or `memory.usage_in_bytes` (v1). */
  readonly memory: string | undefined;
  /** `cgroup.procs` of the group. */
  readonly procs: string | undefined;
  readonly version: 1 | 2;
}

/**
 * Finds the files of a group by systemd's name for it, e.g. `/system.slice/nginx.service`. `root` is
 * `/sys/fs/cgroup`.
 */
export function findCgroup(
  group: string,
  root = '/sys/fs/cgroup',
  exists: (path: string) => boolean = existsSync,
): CgroupFiles {
  const first = (...paths: string[]): string | undefined => paths.find((path) => exists(path));
  if (exists(`${root}/cgroup.controllers`)) {
    const directory = `${root}${group}`;
    return {
      version: 2,
      cpu: first(`${directory}/cpu.stat`),
      memory: exists(`${directory}/memory.current`) ? directory : undefined,
      procs: first(`${directory}/cgroup.procs`),
    };
  }
  const memory = first(`${root}/memory${group}/memory.usage_in_bytes`);
  return {
    version: 1,
    cpu: first(`${root}/cpuacct${group}/cpuacct.usage`, `${root}/cpu,cpuacct${group}/cpuacct.usage`),
    memory: memory === undefined ? undefined : `${root}/memory${group}`,
    procs: first(`${root}/systemd${group}/cgroup.procs`, `${root}/unified${group}/cgroup.procs`),
  };
}

/** Seconds in v2's `cpu.stat`. */
export function parseCpuStat(text: string): number | undefined {
  const match = /^usage_usec (\d+)$/m.exec(text);
  return match === null ? undefined : Number(match[1]) / 1e6;
}

/**
 * Bytes that cannot be dropped at once: usage less the inactive page cache, as Kubernetes counts a working
 * set.
 */
export function workingSet(usage: string, stat: string, version: 1 | 2): number | undefined {
  const used = Number(usage.trim() || Number.NaN);
  const cache = (version === 2 ? /^inactive_file (\d+)$/m : /^total_inactive_file (\d+)$/m).exec(stat);
  if (!Number.isFinite(used)) return undefined;
  return Math.max(0, used - Number(cache?.[1] ?? 0));
}

/** Ticks (1/100 s) of user and system time, and resident pages, in `/proc/PID/stat`. */
export function parseProcessStat(text: string): { ticks: number; pages: number } | undefined {
  // The name may hold spaces and brackets: fields count from after the last bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const pages = Number(fields[21]);
  return Number.isFinite(ticks) && Number.isFinite(pages) ? { ticks, pages } : undefined;
}

/** Processor seconds since the group began, or undefined where it is gone or not accounted for. */
function readCpuSeconds(files: CgroupFiles): number | undefined {
  const text = files.cpu === undefined ? undefined : readIfThere(files.cpu);
  if (text === undefined) return undefined;
  return files.version === 2 ? parseCpuStat(text) : Number(text) / 1e9;
}

/** Working set in bytes, or undefined where the group is gone or not accounted for. */
function readMemory(files: CgroupFiles): number | undefined {
  if (files.memory === undefined) return undefined;
  const name = files.version === 2 ? 'memory.current' : 'memory.usage_in_bytes';
  const usage = readIfThere(`${files.memory}/${name}`);
  const stat = readIfThere(`${files.memory}/memory.stat`);
  return usage === undefined || stat === undefined ? undefined : workingSet(usage, stat, files.version);
}

/**
 * Bytes that a group uses, and of those the page cache that it gives back when somebody needs memory, as
 * MemAvailable counts on a machine; undefined where it is not accounted for.
 */
export function readUseAndCache(
  files: CgroupFiles,
): { readonly used: number; readonly cached: number } | undefined {
  const stat = files.memory === undefined ? undefined : readIfThere(`${files.memory}/memory.stat`);
  const set = readMemory(files);
  return stat === undefined || set === undefined ? undefined : useAndCache(set, stat, files.version);
}

/**
 * From the working set and `memory.stat`. Source: Linux, admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
 */
export function useAndCache(
  set: number,
  stat: string,
  version: 1 | 2,
): { readonly used: number; readonly cached: number } {
  const bytes = (name: string): number =>
    Number(new RegExp(`^${version === 2 ? '' : 'total_'}${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
  const active = Math.min(set, bytes('active_file'));
  return { used: set - active, cached: active + bytes('inactive_file') };
}

/** Bytes of swap that a group uses and may use; undefined where that is not accounted for. */
export function readSwap(
  { memory, version }: CgroupFiles,
  memoryLimit: number,
): { readonly used: number; readonly limit: number } | undefined {
  if (memory === undefined) return undefined;
  const [used, limit] = (
    version === 2
      ? ['memory.swap.current', 'memory.swap.max']
      : ['memory.memsw.usage_in_bytes', 'memory.memsw.limit_in_bytes']
  ).map((name) => readIfThere(`${memory}/${name}`)?.trim());
  if (used === undefined || limit === undefined) return undefined;
  const most = limit === 'max' ? Number.POSITIVE_INFINITY : Number(limit);
  if (version === 2) return { used: Number(used), limit: most };
  // version 1 counts memory and swap together
  const plain = Number(readIfThere(`${memory}/memory.usage_in_bytes`) ?? 0);
  return { used: Math.max(0, Number(used) - plain), limit: Math.max(0, most - memoryLimit) };
}

/**
 * Processor seconds and resident bytes by process number, for hosts that do not account for the group itself.
 */
type Processes = ReadonlyMap<number, { readonly cpuSeconds: number; readonly bytes: number }>;

function readProcesses(files: CgroupFiles): Processes {
  const processes = new Map<number, { cpuSeconds: number; bytes: number }>();
  for (const pid of files.procs === undefined ? [] : (readIfThere(files.procs)?.split('\n') ?? [])) {
    const stat = pid === '' ? undefined : readIfThere(`/proc/${pid}/stat`);
    const parsed = stat === undefined ? undefined : parseProcessStat(stat);
    if (parsed !== undefined) {
      processes.set(Number(pid), { cpuSeconds: parsed.ticks / 100, bytes: parsed.pages * 4096 });
    }
  }
  return processes;
}

/** What a control group used between two looks. */
export class GroupUsage {
  #path = '';
  #files: CgroupFiles | undefined;
  #cpu: number | undefined;
  #processes: Processes | undefined;

  /**
   * Looks again.
   * @param path systemd's name of the group; empty while nothing runs, when the last one is looked at a last
   * time
   * @returns processor seconds since the last look (null at the first), and the working set in bytes (null
   * where nothing runs)
   */
  take(path: string): { cpuSeconds: number | null; memoryBytes: number | null } {
    if (path !== '' && (this.#files === undefined || path !== this.#path)) {
      this.#path = path;
      this.#files = findCgroup(path);
    }
    if (this.#files === undefined) return { cpuSeconds: null, memoryBytes: null };
    const cpu = readCpuSeconds(this.#files);
    const memory = readMemory(this.#files);
    const processes = cpu === undefined || memory === undefined ? readProcesses(this.#files) : undefined;
    const cpuSeconds =
      cpu === undefined ? processSeconds(this.#processes, processes) : groupSeconds(this.#cpu, cpu);
    if (cpu === undefined && (processes?.size ?? 0) === 0) this.#files = undefined; // gone: look for it anew
    this.#cpu = cpu;
    this.#processes = processes;
    const resident = [...(processes?.values() ?? [])].reduce((sum, { bytes }) => sum + bytes, 0);
    return { cpuSeconds, memoryBytes: memory ?? (resident > 0 ? resident : null) };
  }
}

/** A group that was made anew, since the unit restarted, counts from zero. */
function groupSeconds(before: number | undefined, now: number): number | null {
  return increase(before, now) ?? null;
}

/** Processes that ended in between are not seen: a lower bound. */
function processSeconds(before: Processes | undefined, now: Processes | undefined): number | null {
  if (before === undefined || now === undefined || now.size === 0) return null;
  let used = 0;
  for (const [pid, { cpuSeconds }] of now)
    used += increase(before.get(pid)?.cpuSeconds ?? 0, cpuSeconds) ?? 0;
  return used;
}

/** A file's text; undefined where it has gone, as files of ended groups and processes do at any moment. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'ENODEV' || code === 'EACCES') return undefined;
    throw error;
  }
}
