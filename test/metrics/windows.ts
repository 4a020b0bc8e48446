/** Windows for tests: arbitrary ones that an honest agent could have sent, and small ones by hand. */
import fc from 'fast-check';
import {
  type Column,
  columnsOf,
  emptyTables,
  TABLE_NAMES,
  TABLES,
  type TableName,
  type Window,
} from '../../src/metrics/catalogue.ts';
import { Histogram } from '../../src/metrics/histogram.ts';

export function window(overrides: Partial<Window> = {}): Window {
  return { host: 'checkbox', at: 1_700_000_005_000, seconds: 5, ...emptyTables(), ...overrides };
}

const histogram = fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 20 }).map((values) => {
  const grown = new Histogram();
  for (const value of values) grown.record(value);
  return grown.data();
});

function cell(column: Column): fc.Arbitrary<unknown> {
  switch (column.kind) {
    case 'label':
      return fc.constantFrom('a', 'b', 'c');
    case 'state':
      return fc
        .string({ maxLength: column.max })
        .map((text) => text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, ''));
    case 'latest':
      return fc.integer({ min: 0, max: Math.min(column.max, 1e9) });
    case 'gauge':
      return fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000); // four digits, exact on the wire
    case 'count':
      return fc.integer({ min: 0, max: 1_000_000 });
    case 'histogram':
      return histogram;
  }
}

function rows(name: TableName): fc.Arbitrary<readonly unknown[]> {
  const columns = columnsOf(name);
  const row = fc.record(Object.fromEntries(columns.map(([key, column]) => [key, cell(column)])));
  const labels = columns.filter(([, column]) => column.kind === 'label').map(([key]) => key);
  const key = (value: Readonly<Record<string, unknown>>) => labels.map((label) => value[label]).join('\n');
  return fc.uniqueArray(row, { maxLength: Math.min(4, TABLES[name].maxRows), selector: key });
}

/** Any window; `at` within a few minutes. */
export const anyWindow: fc.Arbitrary<Window> = fc
  .tuple(fc.integer({ min: 0, max: 600 }), fc.constantFrom(1, 5, 60), ...TABLE_NAMES.map(rows))
  .map(([second, seconds, ...tables]) => ({
    ...window({ at: 1_700_000_000_000 + second * 1000, seconds }),
    ...Object.fromEntries(TABLE_NAMES.map((name, i) => [name, tables[i] ?? []])),
  }));
