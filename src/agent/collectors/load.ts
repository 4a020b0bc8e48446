/** Load averages and time since the start, from /proc/loadavg and /proc/uptime (proc(5)). */
import type { Collector, Findings } from '../collector.ts';
import type { Container } from '../system/container.ts';
import { ProcFile } from '../system/proc-file.ts';

/** Reads `0.20 0.18 0.12 1/80 11206` and `350735.47 234388.90`. */
export function parseLoad(loadavg: string, uptime: string): NonNullable<Findings['system']> {
  const [load1, load5, load15] = loadavg.split(' ').map(Number);
  const seconds = Number.parseFloat(uptime);
  if (load15 === undefined || !Number.isFinite(seconds)) throw new Error('/proc/loadavg has an unknown form');
  return { load1: load1 ?? null, load5: load5 ?? null, load15, uptime: seconds };
}

/**
 * Of a container: the kernel tells the load of the whole machine alone, so it is unknown; and it started when
 * its first program did, by that one's line in /proc/1/stat (field 22, hundredths of a second).
 */
export function containerLoad(
  machine: NonNullable<Findings['system']>,
  init: string,
): NonNullable<Findings['system']> {
  // The name may hold spaces and brackets: fields count from after the last bracket.
  const started = Number(init.slice(init.lastIndexOf(')') + 2).split(' ')[19]) / 100;
  const uptime = Number.isFinite(started) ? Math.max(0, Number(machine.uptime) - started) : null;
  return { load1: null, load5: null, load15: null, uptime };
}

export function loadCollector(container: Container | undefined): Collector {
  const loadavg = new ProcFile('/proc/loadavg');
  const uptime = new ProcFile('/proc/uptime');
  const init = new ProcFile('/proc/1/stat');
  return {
    name: 'load',
    everySeconds: 0,
    collect: () => {
      const machine = parseLoad(loadavg.read(), uptime.read());
      return { system: container === undefined ? machine : containerLoad(machine, init.read()) };
    },
    close() {
      for (const file of [loadavg, uptime, init]) file.close();
    },
  };
}
