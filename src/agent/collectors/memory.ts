/** Memory and swap, from /proc/meminfo and /proc/vmstat (proc(5)). */
import { perSecond } from '../../metrics/rate.ts';
import type { Collector, Findings } from '../collector.ts';
import { readIfThere, readSwap, readUseAndCache } from '../system/cgroup.ts';
import type { Container } from '../system/container.ts';
import { ProcFile } from '../system/proc-file.ts';

const PAGE = 4096;

/** Bytes, by the kernel's names. */
export function parseMeminfo(text: string): NonNullable<Findings['system']> {
  const bytes = (name: string): number => {
    const start = text.indexOf(`${name}:`);
    return start < 0 ? 0 : Number.parseInt(text.slice(start + name.length + 1), 10) * 1024;
  };
  const total = bytes('MemTotal');
  if (total === 0) throw new Error('/proc/meminfo has no line "MemTotal"');
  const swap = bytes('SwapTotal');
  return {
    memory_total: total,
    memory_used: total - bytes('MemAvailable'),
    // At the start of a line: `SwapCached` is something else.
    memory_cached: bytes('\nCached') + bytes('Buffers'),
    swap_total: swap,
    swap_used: swap - bytes('SwapFree'),
  };
}

/** Pages swapped in and out since the host started. */
export function parseSwaps(vmstat: string): { in: number; out: number } {
  return {
    in: Number(/^pswpin (\d+)$/m.exec(vmstat)?.[1] ?? 0),
    out: Number(/^pswpout (\d+)$/m.exec(vmstat)?.[1] ?? 0),
  };
}

/** Bytes of memory that the machine has. */
export function machineMemory(): number {
  const file = new ProcFile('/proc/meminfo');
  try {
    return Number(parseMeminfo(file.read()).memory_total);
  } finally {
    file.close();
  }
}

/**
 * Bytes that ZFS's cache gives back when somebody needs them: its size above its least size. The kernel
 * does not count them as available. Source: OpenZFS, module/zfs/arc.c (arc_stats), as htop and Beszel do.
 */
export function parseArcStats(text: string): number {
  const value = (name: string): number =>
    Number(new RegExp(`^${name}\\s+\\d+\\s+(\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return Math.max(0, value('size') - value('c_min'));
}

/** Memory with ZFS's cache counted as what it is: cache. */
export function withArc(
  memory: NonNullable<Findings['system']>,
  shrinkable: number,
): NonNullable<Findings['system']> {
  const used = Number(memory.memory_used ?? 0);
  const given = Math.min(shrinkable, used);
  return { ...memory, memory_used: used - given, memory_cached: Number(memory.memory_cached ?? 0) + given };
}

/** What a container uses: its own group's figures, never the machine's. */
function containerMemory(
  container: Container,
  machineSwap: number,
): NonNullable<Findings['system']> | undefined {
  const use = readUseAndCache(container.files);
  if (use === undefined) return undefined;
  const swap = readSwap(container.files, container.memoryLimit);
  return {
    memory_total: container.memoryLimit,
    memory_used: use.used,
    memory_cached: use.cached,
    swap_total: swap === undefined ? null : Math.min(machineSwap, swap.limit),
    swap_used: swap?.used ?? null,
  };
}

const ARC_STATS = '/proc/spl/kstat/zfs/arcstats';

export function memoryCollector(container: Container | undefined): Collector {
  const meminfo = new ProcFile('/proc/meminfo');
  const vmstat = new ProcFile('/proc/vmstat');
  let before: { in: number; out: number } | undefined;
  return {
    name: 'memory',
    everySeconds: 0,
    collect(seconds) {
      const machine = parseMeminfo(meminfo.read());
      const own =
        container === undefined ? undefined : containerMemory(container, Number(machine.swap_total));
      // What is swapped in and out is told of the whole machine alone.
      if (own !== undefined) {
        const none = own.swap_total === 0 ? 0 : null;
        return { system: { ...own, swap_in: none, swap_out: none } };
      }
      // ZFS's cache is the machine's: a container's group is not charged for it.
      const memory = withArc(machine, parseArcStats(readIfThere(ARC_STATS) ?? ''));
      if (memory.swap_total === 0) return { system: { ...memory, swap_in: 0, swap_out: 0 } };
      const now = parseSwaps(vmstat.read());
      const rate = (direction: 'in' | 'out'): number | null => {
        const pages = perSecond(before?.[direction], now[direction], seconds);
        return pages === null ? null : pages * PAGE;
      };
      const system = { ...memory, swap_in: rate('in'), swap_out: rate('out') };
      before = now;
      return { system };
    },
    close() {
      meminfo.close();
      vmstat.close();
    },
  };
}
