/** The hub's data as Prometheus metrics, driven by the catalogue of columns. Pure. */
import {
  columnsOf,
  type Gauge,
  TABLE_NAMES,
  type TableName,
  type Unit,
  type Window,
} from '../../metrics/catalogue.ts';
import { mean } from '../../metrics/merge.ts';

export interface MetricSample {
  /** Suffix of the family's name: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly samples: readonly MetricSample[];
}

/** Suffix of a name, and what a value is divided by to be in the base unit. */
const UNITS: Readonly<Record<Unit, readonly [ending: string, divisor: number]>> = {
  ratio: ['_ratio', 1],
  bytes: ['_bytes', 1],
  'bytes/s': ['_bytes_per_second', 1],
  '1/s': ['_per_second', 1],
  ms: ['_seconds', 1000],
  s: ['_seconds', 1],
  cores: ['_cores', 1],
  number: ['', 1],
};

/** Tables whose rows are counted over time (`Totals`), or are no measurements. */
const ELSEWHERE: readonly TableName[] = ['routes', 'problems', 'audit', 'rollouts'];

/** Gauges of windows, each of another host. Counts of one interval are no counters: see `Totals`. */
export function gauges(windows: readonly Window[]): Family[] {
  const families: Family[] = [];
  for (const table of TABLE_NAMES) {
    if (ELSEWHERE.includes(table)) continue;
    const columns = columnsOf(table);
    const labels = columns.filter(([, { kind }]) => kind === 'label').map(([key]) => key);
    for (const [key, column] of columns) {
      if (column.kind !== 'gauge' && column.kind !== 'latest') continue;
      const [ending, divisor] = UNITS[column.unit];
      const samples = windows.flatMap((window) =>
        rowsOf(window, table).flatMap((row): MetricSample[] => {
          const value = mean(row[key] as Gauge | null);
          if (value === null) return [];
          const own = Object.fromEntries(labels.map((label) => [label, String(row[label])]));
          return [{ labels: { host: window.host, ...own }, value: value / divisor }];
        }),
      );
      families.push({ name: `pipeline_${table}_${key}${ending}`, help: column.help, type: 'gauge', samples });
    }
  }
  families.push({
    name: 'pipeline_units_state',
    help: 'State of a systemd unit: 1 for the one that it is in',
    type: 'gauge',
    samples: windows.flatMap(({ host, units }) =>
      units.map(({ unit, state }) => ({ labels: { host, unit, state }, value: 1 })),
    ),
  });
  return families.filter(({ samples }) => samples.length > 0);
}

function rowsOf(window: Window, table: TableName): readonly Readonly<Record<string, unknown>>[] {
  return window[table] as readonly Readonly<Record<string, unknown>>[];
}
