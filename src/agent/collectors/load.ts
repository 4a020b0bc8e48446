/** Load averages and time since the start, from /proc/loadavg and /proc/uptime (proc(5)). */
import type { Collector, Findings } from '../collector.ts';
import { ProcFile } from '../system/proc-file.ts';

/** Reads `0.20 0.18 0.12 1/80 11206` and `350735.47 234388.90`. */
export function parseLoad(loadavg: string, uptime: string): NonNullable<Findings['system']> {
  const [load1, load5, load15] = loadavg.split(' ').map(Number);
  const seconds = Number.parseFloat(uptime);
  if (load15 === undefined || !Number.isFinite(seconds)) throw new Error('/proc/loadavg has an unknown form');
  return { load1: load1 ?? null, load5: load5 ?? null, load15, uptime: seconds };
}

export function loadCollector(): Collector {
  const loadavg = new ProcFile('/proc/loadavg');
  const uptime = new ProcFile('/proc/uptime');
  return {
    name: 'load',
    everySeconds: 0,
    collect: () => ({ system: parseLoad(loadavg.read(), uptime.read()) }),
    close() {
      loadavg.close();
      uptime.close();
    },
  };
}
