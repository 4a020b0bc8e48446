/** Merges several windows of one host: the arithmetic of roll-ups. */
import {
  type Column,
  columnsOf,
  type Gauge,
  TABLE_NAMES,
  TABLES,
  type TableName,
  type Window,
} from './catalogue.ts';
import { DenseHistogram } from './dense.ts';
import type { HistogramData } from './histogram.ts';

/** Mean over time of a gauge. */
export function mean(gauge: Gauge | null): number | null {
  return typeof gauge === 'object' && gauge !== null ? gauge[0] : gauge;
}

/** Greatest value of a gauge. */
export function greatest(gauge: Gauge | null): number | null {
  return typeof gauge === 'object' && gauge !== null ? gauge[1] : gauge;
}

type Columns = ReturnType<typeof columnsOf>;

/** A row whose columns are looked up by name. */
type AnyRow = Readonly<Record<string, unknown>>;

/**
 * One window for all of them: counts and histograms add up exactly, gauges become time-weighted means with
 * their maximum, states and latest values come from the latest window; in any order and grouping, up to
 * rounding of means. If a table gets too many rows, those with the fewest requests become `other` (routes),
 * or the latest stay. Undefined without windows.
 */
export function mergeWindows(windows: readonly Window[]): Window | undefined {
  const sum = new WindowSum();
  for (const window of windows.toSorted((a, b) => a.at - b.at)) sum.add(window);
  return sum.window();
}

/**
 * The same, window by window in order of time, so that a roll-up costs the new window only.
 */
export class WindowSum {
  #last: Window | undefined;
  #seconds = 0;
  readonly #tables = new Map<TableName, TableSum>();

  add(window: Window): void {
    this.#last = window;
    this.#seconds += window.seconds;
    for (const name of TABLE_NAMES) {
      if (window[name].length === 0) continue;
      const table = this.#tables.get(name) ?? new TableSum(name);
      this.#tables.set(name, table);
      for (const row of window[name] as readonly AnyRow[]) table.add(row, window.seconds);
    }
  }

  /** The end of the newest window, ms; undefined before the first. */
  get at(): number | undefined {
    return this.#last?.at;
  }

  /** The sum so far; undefined without windows. */
  window(): Window | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const tables = Object.fromEntries(
      TABLE_NAMES.map((name) => [name, this.#tables.get(name)?.rows() ?? []]),
    );
    return { ...(tables as unknown as Window), host: last.host, at: last.at, seconds: this.#seconds };
  }
}

/** Rows of one table by their labels. */
class TableSum {
  readonly #name: TableName;
  readonly #columns: Columns;
  readonly #labels: readonly string[];
  #rows = new Map<string, RowSum>();

  constructor(name: TableName) {
    this.#name = name;
    this.#columns = columnsOf(name);
    this.#labels = this.#columns.filter(([, { kind }]) => kind === 'label').map(([key]) => key);
  }

  add(row: AnyRow, seconds: number): void {
    let key = '';
    for (const label of this.#labels) key += `${row[label]}\n`;
    const known = this.#rows.get(key);
    if (known === undefined) this.#rows.set(key, new RowSum(row, seconds, this.#columns));
    else known.add(row, seconds);
    // A hostile host may send other labels each time.
    if (this.#rows.size <= 2 * TABLES[this.#name].maxRows) return;
    const bounded = this.rows();
    this.#rows = new Map();
    for (const one of bounded) this.add(one, seconds);
  }

  rows(): AnyRow[] {
    const rows = [...this.#rows.values()].map((sum) => sum.row());
    return rows.length <= TABLES[this.#name].maxRows ? rows : bound(this.#name, rows);
  }
}

/** What a cell adds up to; its column says which part counts. */
interface Cell {
  /** Label, state or latest value. */
  value: unknown;
  /** Sum of counts; of a gauge, weighted by time. */
  total: number;
  weights: number;
  max: number;
  readonly histogram: DenseHistogram | undefined;
}

/** Rows with the same labels. A single row stays as it is. */
class RowSum {
  readonly #columns: Columns;
  readonly #first: AnyRow;
  readonly #cells: Cell[] = [];
  #weight: number;

  constructor(first: AnyRow, seconds: number, columns: Columns) {
    this.#columns = columns;
    this.#first = first;
    this.#weight = weightOf(first, seconds);
  }

  add(row: AnyRow, seconds: number): void {
    if (this.#cells.length === 0) {
      for (const [key, { kind }] of this.#columns)
        this.#cells.push({
          value: this.#first[key],
          total: 0,
          weights: 0,
          max: Number.NEGATIVE_INFINITY,
          histogram: kind === 'histogram' ? new DenseHistogram() : undefined,
        });
      this.#addCells(this.#first, this.#weight);
    }
    const weight = weightOf(row, seconds);
    this.#weight += weight;
    this.#addCells(row, weight);
  }

  #addCells(row: AnyRow, weight: number): void {
    for (const [i, cell] of this.#cells.entries()) {
      const [key, column] = this.#columns[i] as Columns[number];
      addCell(cell, column, row[key], weight);
    }
  }

  row(): AnyRow {
    if (this.#cells.length === 0) return { ...this.#first, weight: this.#weight };
    const merged: Record<string, unknown> = { weight: this.#weight };
    for (const [i, cell] of this.#cells.entries()) {
      const [key, column] = this.#columns[i] as Columns[number];
      merged[key] = cellValue(cell, column);
    }
    return merged;
  }
}

function addCell(cell: Cell, { kind }: Column, value: unknown, weight: number): void {
  switch (kind) {
    case 'label':
      return;
    case 'state':
      cell.value = value;
      return;
    case 'latest':
      if (value !== null) cell.value = value;
      return;
    case 'count':
      cell.total += Number(value);
      return;
    case 'gauge': {
      const gauge = value as Gauge | null;
      if (gauge === null) return;
      cell.total += (mean(gauge) ?? 0) * weight;
      cell.weights += weight;
      cell.max = Math.max(cell.max, greatest(gauge) ?? 0);
      return;
    }
    case 'histogram':
      cell.histogram?.add(value as HistogramData);
  }
}

function cellValue(cell: Cell, { kind }: Column): unknown {
  switch (kind) {
    case 'label':
    case 'state':
    case 'latest':
      return cell.value;
    case 'count':
      return cell.total;
    case 'gauge':
      return cell.weights === 0 ? null : [cell.total / cell.weights, cell.max];
    case 'histogram':
      return cell.histogram?.copy();
  }
}

/** Seconds that a row stands for. */
function weightOf(row: AnyRow, seconds: number): number {
  return typeof row.weight === 'number' ? row.weight : seconds;
}

const OTHER = { server: 'other', app: 'other', colour: '', release: '', method: 'other', route: 'other' };

/** Keeps a table within its bound. */
function bound(name: TableName, rows: AnyRow[]): AnyRow[] {
  const { maxRows } = TABLES[name];
  if (name !== 'routes') return rows.slice(-maxRows);
  const weigh = (row: AnyRow): number => (row.server === OTHER.server ? 0 : Number(row.requests));
  const ordered = rows.toSorted((a, b) => weigh(b) - weigh(a));
  const rest = ordered.slice(maxRows - 1).map((row) => ({ ...row, ...OTHER }));
  const other = new TableSum(name);
  for (const row of rest) other.add(row, 0);
  return [...ordered.slice(0, maxRows - 1), ...other.rows()];
}
