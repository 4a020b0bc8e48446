/**
 * Everything that an agent measures, as a table of tables. It drives wire format, strict parser, roll-up and
 * exposition: a new measurement is a new line here, and a collector that fills it.
 *
 * A new column goes to the end of its table (see `wire.ts`).
 */

export type Unit = 'ratio' | 'bytes' | 'bytes/s' | '1/s' | 'ms' | 's' | 'cores' | 'number';

/** One column. Its kind says how two values merge. */
export type Column =
  /** Tells rows of a table apart; `max` characters. */
  | { readonly kind: 'label'; readonly max: number; readonly help: string }
  /** A word or sentence; the latest counts. */
  | { readonly kind: 'state'; readonly max: number; readonly help: string }
  /** A number, e.g. a date; the latest counts. */
  | { readonly kind: 'latest'; readonly unit: Unit; readonly max: number; readonly help: string }
  /** A level or a rate: merges to its mean over time, and keeps its maximum. */
  | { readonly kind: 'gauge'; readonly unit: Unit; readonly max: number; readonly help: string }
  /** Events within the interval: merges to the sum. */
  | { readonly kind: 'count'; readonly unit: Unit; readonly max: number; readonly help: string }
  /** Values within the interval: merges exactly. */
  | { readonly kind: 'histogram'; readonly unit: Unit; readonly help: string };

export interface Table {
  readonly help: string;
  /** An honest sample has no more rows than this. */
  readonly maxRows: number;
  readonly columns: Readonly<Record<string, Column>>;
}

const label = (help: string, max = 64) => ({ kind: 'label', max, help }) as const;
const state = (help: string, max = 64) => ({ kind: 'state', max, help }) as const;
const latest = (unit: Unit, max: number, help: string) => ({ kind: 'latest', unit, max, help }) as const;
const gauge = (unit: Unit, max: number, help: string) => ({ kind: 'gauge', unit, max, help }) as const;
const count = (help: string, unit: Unit = 'number', max = 1e12) =>
  ({ kind: 'count', unit, max, help }) as const;
const histogram = (unit: Unit, help: string) => ({ kind: 'histogram', unit, help }) as const;

/** Rounding may lift a share slightly above the whole. */
const share = (help: string) => gauge('ratio', 1.01, help);
const bytes = (help: string) => gauge('bytes', 1e17, help);
const bytesPerSecond = (help: string) => gauge('bytes/s', 1e13, help);
const perSecond = (help: string) => gauge('1/s', 1e10, help);

export const TABLES = {
  system: {
    help: 'The host as a whole; one row.',
    maxRows: 1,
    columns: {
      cpu: share('Share of all cores that worked: everything but idle, iowait and steal'),
      cpu_user: share('Share of all cores in user mode, nice included'),
      cpu_system: share('Share of all cores in the kernel, interrupts included'),
      cpu_iowait: share('Share of all cores idle while a disk was waited for'),
      cpu_steal: share('Share of all cores that the hypervisor gave to others'),
      cores: latest('number', 4096, 'Cores that are online'),
      load1: gauge('number', 1e6, 'Load average over 1 minute'),
      load5: gauge('number', 1e6, 'Load average over 5 minutes'),
      load15: gauge('number', 1e6, 'Load average over 15 minutes'),
      processes_running: gauge('number', 1e7, 'Threads that run or could'),
      processes_blocked: gauge('number', 1e7, 'Threads that wait for a disk'),
      memory_total: bytes('Memory of the host'),
      memory_used: bytes('Memory that is not available without swapping (MemTotal − MemAvailable)'),
      memory_cached: bytes('Page cache and buffers'),
      swap_total: bytes('Swap space'),
      swap_used: bytes('Swap space in use'),
      swap_in: bytesPerSecond('Read from swap'),
      swap_out: bytesPerSecond('Written to swap'),
      pressure_cpu: share('Share of time in which some task waited for a core (PSI some)'),
      pressure_memory: share('Share of time in which some task waited for memory (PSI some)'),
      pressure_memory_full: share('Share of time in which all tasks waited for memory (PSI full)'),
      pressure_io: share('Share of time in which some task waited for a disk (PSI some)'),
      pressure_io_full: share('Share of time in which all tasks waited for a disk (PSI full)'),
      uptime: latest('s', 1e10, 'Since the host started'),
      units_failed: latest('number', 1e5, 'systemd units in state failed'),
    },
  },
  disks: {
    help: 'File systems on disks, with the traffic of their device.',
    maxRows: 64,
    columns: {
      mount: label('Where it is mounted', 256),
      device: state('Block device'),
      size: bytes('Size of the file system'),
      used: bytes('In use, what is reserved for root included'),
      inodes_used: share('Share of inodes in use'),
      read: bytesPerSecond('Read from the device'),
      written: bytesPerSecond('Written to the device'),
      reads: perSecond('Reads completed by the device'),
      writes: perSecond('Writes completed by the device'),
      busy: share('Share of time in which the device had something to do'),
    },
  },
  networks: {
    help: 'Network interfaces, loopback left out.',
    maxRows: 64,
    columns: {
      interface: label('Name of the interface'),
      received: bytesPerSecond('Received'),
      sent: bytesPerSecond('Sent'),
      packets_received: perSecond('Packets received'),
      packets_sent: perSecond('Packets sent'),
      errors: count('Packets that were damaged, either way'),
      drops: count('Packets that were dropped, either way'),
    },
  },
  units: {
    help: 'systemd units: those that are asked for, and every failed one.',
    maxRows: 200,
    columns: {
      unit: label('Name with suffix', 256),
      state: state('ActiveState'),
      sub: state('SubState'),
      restarts: count('Automatic restarts (NRestarts)'),
      cpu: gauge('cores', 4096, 'Cores that its control group used'),
      memory: bytes('Working set of its control group'),
    },
  },
  routes: {
    help: 'Requests by route and version, as the access logs of nginx and Tomcat have them.',
    maxRows: 500,
    columns: {
      server: label('Who logged it: nginx or tomcat', 16),
      app: label('Application'),
      colour: label('Upstream that answered, e.g. blue; empty: the server itself'),
      release: label('Release that answered'),
      method: label('Request method', 16),
      route: label('Normalised path, e.g. /api/study/load/:id', 512),
      requests: count('Requests answered'),
      status_2xx: count('Answers 200 to 299'),
      status_3xx: count('Answers 300 to 399'),
      status_4xx: count('Answers 400 to 499'),
      status_5xx: count('Answers 500 to 599'),
      retries: count('Attempts at an upstream beyond the first'),
      bytes: count('Bytes of the bodies', 'bytes', 1e15),
      latency: histogram('ms', 'Duration of the answers below 500'),
      size: histogram('bytes', 'Body of the answers below 500'),
    },
  },
  checks: {
    help: 'HTTP and TCP checks from this host.',
    maxRows: 100,
    columns: {
      check: label('Name of the check', 128),
      target: state('URL or address', 512),
      up: gauge('ratio', 1, '1 where it succeeded'),
      duration: gauge('ms', 1e6, 'Until the answer was read or the connection stood'),
      error: state('Why it failed last; empty when it succeeded', 256),
    },
  },
  stores: {
    help: 'Databases and Redis on this host.',
    maxRows: 50,
    columns: {
      store: label('Name of the store'),
      kind: state('redis, mysql or mongodb', 16),
      up: gauge('ratio', 1, '1 where it answered'),
      duration: gauge('ms', 1e6, 'Until it had answered'),
      connections: gauge('number', 1e7, 'Clients connected, the agent included'),
      size: bytes('Data on disk; Redis: memory of its data'),
      error: state('Why it did not answer, or what it would not tell; empty when all is known', 256),
    },
  },
  certificates: {
    help: 'Certificates that servers present.',
    maxRows: 100,
    columns: {
      endpoint: label('host:port, or path of the file', 256),
      expires: latest('s', 4e11, 'End of validity, seconds since 1970'),
      subject: state('Common name or first alternative name', 256),
      error: state('Why it could not be read; empty when it could', 256),
    },
  },
  agent: {
    help: 'The agent itself; one row.',
    maxRows: 1,
    columns: {
      version: state('Version of the agent'),
      memory: bytes('Resident memory of the agent'),
      cpu: gauge('cores', 4096, 'Cores that the agent used'),
      buffered: gauge('number', 1e6, 'Samples that wait to be sent'),
      dropped: count('Samples lost since the buffer was full'),
      lines: count('Log lines read'),
      lines_unreadable: count('Log lines that were not in the agreed form'),
      log_skipped: count('Log skipped since the agent was too far behind', 'bytes', 1e15),
    },
  },
  problems: {
    help: 'What the agent could not measure, and why.',
    maxRows: 20,
    columns: {
      source: label('Collector'),
      message: state('What went wrong', 256),
    },
  },
  audit: {
    help:
      'New lines of the audit log: who changed what. The hub makes events of them and stores them ' +
      'nowhere else.',
    maxRows: 50,
    columns: {
      at: label('When, ISO 8601, by the clock of whoever did it'),
      action: label('deploy, rollback, up, …'),
      app: label('Application; empty: the host itself'),
      release: label('Release that it was about', 128),
      result: label('live, done, failed, …'),
      previous: state('Release of before', 128),
      commit: state('Commit of the release'),
      by: state('user@machine', 128),
      message: state('One sentence', 256),
      fresh: state('`yes`: read as it was written; empty: from what was there when the agent began', 3),
    },
  },
  rollouts: {
    help: 'Live canaries that this host decides, as they change. The hub keeps them apart from samples.',
    maxRows: 10,
    columns: {
      app: label('Application'),
      id: label('Identifier of the rollout'),
      status: state('`RolloutStatus` as JSON', 16_384),
    },
  },
  backups: {
    help: 'Backups of this host, one row for each thing that is backed up by itself.',
    maxRows: 100,
    columns: {
      item: label('Application and key, e.g. shop/orders; host; monitor', 128),
      at: latest('s', 4e11, 'When the newest was made, seconds since 1970'),
      since: latest('s', 4e11, 'When it was asked for first, seconds since 1970'),
      every: latest('s', 1e8, 'Time from one to the next'),
      bytes: bytes('Size of the newest before it is packed'),
      error: state('Why the last attempt failed; empty when it did not', 256),
      verified: latest('s', 4e11, 'When one was last restored on trial, seconds since 1970'),
      verify_error: state('Why that failed; empty when it did not', 256),
    },
  },
} as const satisfies Readonly<Record<string, Table>>;

export type TableName = keyof typeof TABLES;

export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];

/** A level or rate: a number if measured once; mean and maximum if merged. */
export type Gauge = number | readonly [mean: number, max: number];

type CellOf<C extends Column> = C['kind'] extends 'label' | 'state'
  ? string
  : C['kind'] extends 'histogram'
    ? import('./histogram.ts').HistogramData
    : C['kind'] extends 'gauge'
      ? Gauge | null
      : C['kind'] extends 'latest'
        ? number | null
        : number;

/** One row of a table. Gauges and latest values are null if they could not be measured. */
export type Row<T extends TableName> = {
  readonly [C in keyof (typeof TABLES)[T]['columns']]: (typeof TABLES)[T]['columns'][C] extends Column
    ? CellOf<(typeof TABLES)[T]['columns'][C]>
    : never;
} & {
  /** Seconds that the row stands for; absent: the whole interval of its window. */
  readonly weight?: number | undefined;
};

/**
 * Rows of all tables. A table without rows was not measured in the interval: most are measured less often
 * than others.
 */
export type Tables = { readonly [T in TableName]: readonly Row<T>[] };

/** What was measured on one host within one interval: one sample, or several merged. */
export interface Window extends Tables {
  readonly host: string;
  /** End of the interval, milliseconds since 1970. */
  readonly at: number;
  /**
   * Seconds measured: the interval's length, or less if a roll-up lacks samples.
   */
  readonly seconds: number;
}

/** No rows in any table. */
export function emptyTables(): Tables {
  return Object.fromEntries(TABLE_NAMES.map((name) => [name, []])) as unknown as Tables;
}

const COLUMNS = new Map<TableName, readonly (readonly [name: string, column: Column])[]>(
  TABLE_NAMES.map((table) => [table, Object.entries(TABLES[table].columns)]),
);

/** Names of a table's columns, in wire order. */
export function columnsOf(table: TableName): readonly (readonly [name: string, column: Column])[] {
  return COLUMNS.get(table) ?? [];
}
