/**
 * Pressure: the share of time in which tasks waited for a resource. From /proc/pressure, its `total` in
 * microseconds rather than its averages, which smear a short stall over ten seconds. Source: Linux,
 * Documentation/accounting/psi.rst.
 */
import { existsSync } from 'node:fs';
import { perSecond } from '../../metrics/rate.ts';
import type { Collector, Findings } from '../collector.ts';
import { ProcFile } from '../system/proc-file.ts';

/** Microseconds stalled since the host started; `full` is absent for the processor on older kernels. */
export interface Stalls {
  readonly some: number | undefined;
  readonly full: number | undefined;
}

/** Reads `some avg10=0.00 avg60=0.00 avg300=0.00 total=123` and the like. */
export function parsePressure(text: string): Stalls {
  const total = (kind: string): number | undefined => {
    const match = new RegExp(`^${kind} .*total=(\\d+)$`, 'm').exec(text);
    return match === null ? undefined : Number(match[1]);
  };
  return { some: total('some'), full: total('full') };
}

const COLUMNS = {
  cpu: { some: 'pressure_cpu', full: undefined },
  memory: { some: 'pressure_memory', full: 'pressure_memory_full' },
  io: { some: 'pressure_io', full: 'pressure_io_full' },
} as const;

/** A kernel without PSI leaves the columns unknown. */
export function pressureCollector(): Collector {
  const resources = Object.entries(COLUMNS)
    .filter(([resource]) => existsSync(`/proc/pressure/${resource}`))
    .map(([resource, columns]) => ({ file: new ProcFile(`/proc/pressure/${resource}`), columns }));
  const before = new Map<ProcFile, Stalls>();
  return {
    name: 'pressure',
    everySeconds: 0,
    collect(seconds) {
      const system: Record<string, number | null> = {};
      for (const { file, columns } of resources) {
        const now = parsePressure(file.read());
        for (const kind of ['some', 'full'] as const) {
          const column = columns[kind];
          const micros = perSecond(before.get(file)?.[kind], now[kind], seconds);
          if (column !== undefined) system[column] = micros === null ? null : Math.min(1, micros / 1e6);
        }
        before.set(file, now);
      }
      return { system: system as NonNullable<Findings['system']> };
    },
    close() {
      for (const { file } of resources) file.close();
    },
  };
}
