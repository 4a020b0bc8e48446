/**
 * Pressure: the share of time in which tasks waited for a resource. From /proc/pressure, its `total` in
 * microseconds rather than its averages, which smear a short stall over ten seconds. Source: Linux,
 * Documentation/accounting/psi.rst.
 */
import { existsSync } from 'node:fs';
import { perSecond } from '../../metrics/rate.ts';
import type { Collector, Findings } from '../collector.ts';
import type { Container } from '../system/container.ts';
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

/**
 * Where the pressure on a resource is told: for a container by its own group, which version 1 of control
 * groups does not do.
 */
export function pressureFile(resource: string, container: Container | undefined): string | undefined {
  if (container === undefined) return `/proc/pressure/${resource}`;
  const { version, memory } = container.files;
  return version === 2 && memory !== undefined ? `${memory}/${resource}.pressure` : undefined;
}

/** A kernel without PSI leaves the columns unknown. */
export function pressureCollector(container: Container | undefined): Collector {
  const resources = Object.entries(COLUMNS).flatMap(([resource, columns]) => {
    const path = pressureFile(resource, container);
    return path !== undefined && existsSync(path) ? [{ file: new ProcFile(path), columns }] : [];
  });
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
