/**
 * What the collectors have in common. One file each under `collectors/`: a pure parser, and a thin reader
 * around it.
 */
import type { Row, TableName, Tables } from '../metrics/catalogue.ts';

/** What a collector found: rows of tables, and columns of the one row of `system` and of `agent`. */
export type Findings = {
  readonly [T in Exclude<TableName, 'system' | 'agent'>]?: readonly Row<T>[];
} & {
  readonly system?: Partial<Row<'system'>>;
  readonly agent?: Partial<Row<'agent'>>;
};

export interface Collector {
  /** The name used in problems. */
  readonly name: string;
  /** Seconds between two looks; 0: at every sample. */
  readonly everySeconds: number;
  /**
   * Looks. A promise is not waited for: what it brings goes into the next sample, and until then the
   * collector is left alone.
   * @param seconds since its last look; 0 at the first, where nothing can be said about rates
   * @param clock milliseconds of a clock that is never set
   * @throws whatever keeps it from looking: it is reported as a problem of this collector, and the others go
   * on
   */
  collect(seconds: number, clock: number): Findings | Promise<Findings>;
  close?(): void;
}

/** Row of `system` of which nothing is known yet. */
const UNKNOWN_SYSTEM: Row<'system'> = {
  cpu: null,
  cpu_user: null,
  cpu_system: null,
  cpu_iowait: null,
  cpu_steal: null,
  cores: null,
  load1: null,
  load5: null,
  load15: null,
  processes_running: null,
  processes_blocked: null,
  memory_total: null,
  memory_used: null,
  memory_cached: null,
  swap_total: null,
  swap_used: null,
  swap_in: null,
  swap_out: null,
  pressure_cpu: null,
  pressure_memory: null,
  pressure_memory_full: null,
  pressure_io: null,
  pressure_io_full: null,
  uptime: null,
  units_failed: null,
};

/** Row of `agent` before anything was counted. */
const UNKNOWN_AGENT: Row<'agent'> = {
  version: '',
  memory: null,
  cpu: null,
  buffered: null,
  dropped: 0,
  lines: 0,
  lines_unreadable: 0,
  log_skipped: 0,
};

/** Findings of all collectors as the tables of one window. */
export function combine(findings: readonly Findings[]): Tables {
  const rows = <T extends TableName>(table: T): readonly Row<T>[] =>
    findings.flatMap((found) => (found[table] ?? []) as readonly Row<T>[]);
  const agents = findings.flatMap((found) => found.agent ?? []);
  const sum = (column: 'dropped' | 'lines' | 'lines_unreadable' | 'log_skipped'): number =>
    agents.reduce((total, agent) => total + (agent[column] ?? 0), 0);
  return {
    system: [Object.assign({ ...UNKNOWN_SYSTEM }, ...findings.map((found) => found.system))],
    agent: [
      {
        ...Object.assign({ ...UNKNOWN_AGENT }, ...agents),
        dropped: sum('dropped'),
        lines: sum('lines'),
        lines_unreadable: sum('lines_unreadable'),
        log_skipped: sum('log_skipped'),
      },
    ],
    disks: rows('disks'),
    networks: rows('networks'),
    units: rows('units'),
    routes: rows('routes'),
    checks: rows('checks'),
    stores: rows('stores'),
    certificates: rows('certificates'),
    problems: rows('problems'),
    audit: rows('audit'),
    rollouts: rows('rollouts'),
    backups: rows('backups'),
  };
}
