/** Several windows of one host as one: the arithmetic of roll-ups. */
import {
  type Column,
  columnsOf,
  type Gauge,
  TABLE_NAMES,
  TABLES,
  type TableName,
  type Window,
} from './catalogue.ts';
import { type HistogramData, mergeHistograms } from './histogram.ts';

/** Mean over time of a gauge. */
export function mean(gauge: Gauge | null): number | null {
  return typeof gauge === 'object' && gauge !== null ? gauge[0] : gauge;
}

/** Greatest value of a gauge. */
export function greatest(gauge: Gauge | null): number | null {
  return typeof gauge === 'object' && gauge !== null ? gauge[1] : gauge;
}

/** A row whose columns are looked up by name. */
type AnyRow = Readonly<Record<string, unknown>>;

/**
 * One window that stands for all of them: counts and histograms add up exactly, gauges become means weighted by time with their greatest
 * value, states and latest values are those of the latest window. In any order and any grouping, up to rounding of the means.
 * Where a table gets more rows than it may have, those with the fewest requests become `other` (routes), or the latest stay.
 * Undefined for no windows.
 */
export function mergeWindows(windows: readonly Window[]): Window | undefined {
  const ordered = windows.toSorted((a, b) => a.at - b.at);
  const last = ordered.at(-1);
  if (last === undefined) return undefined;
  const tables = Object.fromEntries(TABLE_NAMES.map((name) => [name, mergeTable(name, ordered)]));
  const seconds = ordered.reduce((total, window) => total + window.seconds, 0);
  return { ...(tables as unknown as Window), host: last.host, at: last.at, seconds };
}

function mergeTable(name: TableName, windows: readonly Window[]): AnyRow[] {
  const groups = new Map<string, AnyRow[]>();
  const labels = columnsOf(name).filter(([, column]) => column.kind === 'label');
  for (const window of windows) {
    for (const row of window[name] as readonly AnyRow[]) {
      const weighted = row.weight === undefined ? { ...row, weight: window.seconds } : row;
      const key = labels.map(([label]) => row[label]).join('\n');
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [weighted]);
      else group.push(weighted);
    }
  }
  const rows = [...groups.values()].map((group) => mergeRows(name, group));
  return rows.length <= TABLES[name].maxRows ? rows : bound(name, rows);
}

function mergeRows(name: TableName, rows: readonly AnyRow[]): AnyRow {
  const [only] = rows;
  if (rows.length === 1 && only !== undefined) return only;
  const merged: Record<string, unknown> = { weight: rows.reduce((total, row) => total + weightOf(row), 0) };
  for (const [key, column] of columnsOf(name)) merged[key] = mergeCells(column, key, rows);
  return merged;
}

function mergeCells(column: Column, key: string, rows: readonly AnyRow[]): unknown {
  switch (column.kind) {
    case 'label':
    case 'state':
      return rows.at(-1)?.[key];
    case 'latest':
      return rows.findLast((row) => row[key] !== null)?.[key] ?? null;
    case 'count':
      return rows.reduce((total, row) => total + Number(row[key]), 0);
    case 'histogram':
      return mergeHistograms(rows.map((row) => row[key] as HistogramData));
    case 'gauge':
      return mergeGauges(rows.map((row) => [row[key] as Gauge | null, weightOf(row)]));
  }
}

function mergeGauges(cells: readonly (readonly [Gauge | null, weight: number])[]): Gauge | null {
  let sum = 0;
  let weights = 0;
  let max = Number.NEGATIVE_INFINITY;
  for (const [gauge, weight] of cells) {
    if (gauge === null) continue;
    sum += (mean(gauge) ?? 0) * weight;
    weights += weight;
    max = Math.max(max, greatest(gauge) ?? 0);
  }
  return weights === 0 ? null : [sum / weights, max];
}

function weightOf(row: AnyRow): number {
  return typeof row.weight === 'number' ? row.weight : 0;
}

const OTHER = { server: 'other', app: 'other', variant: '', release: '', method: 'other', route: 'other' };

/** Keeps a table within its bound. */
function bound(name: TableName, rows: AnyRow[]): AnyRow[] {
  const { maxRows } = TABLES[name];
  if (name !== 'routes') return rows.slice(-maxRows);
  const weigh = (row: AnyRow): number => (row.server === OTHER.server ? 0 : Number(row.requests));
  const ordered = rows.toSorted((a, b) => weigh(b) - weigh(a));
  const rest = ordered.slice(maxRows - 1).map((row) => ({ ...row, ...OTHER }));
  return [...ordered.slice(0, maxRows - 1), mergeRows(name, rest)];
}
