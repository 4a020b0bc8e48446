/**
 * A sample as fields of a stream entry, and back.
 *
 * An entry is one wide row: `v` version, `h` host, `t` end of the interval (ms), `s` its seconds, and a field
 * for each table, a JSON array of rows. A row is an array: its weight (0: the whole interval), then its cells
 * in the catalogue's order. A sample also has the agent's instance `i` (new at every start), its number `q`,
 * from 0, and `n`, the agent's clock when it was sent. By `i` and `q` a hub recognises copies; by `n` it
 * corrects the clock.
 *
 * Columns are only added, at the end. A parser fills in what an older agent does not send, and refuses what
 * it does not know.
 */
import {
  type Column,
  columnsOf,
  type Gauge,
  TABLE_NAMES,
  TABLES,
  type TableName,
  type Window,
} from './catalogue.ts';
import { EncodedHistogram, isEncoded } from './dense.ts';
import { encodeHistogram, type HistogramData } from './histogram.ts';

export const WIRE_VERSION = 1;

/** What an agent sends: a window, and what tells it from its copies. */
export interface Sample {
  readonly window: Window;
  /** Agent's instance: new at every start. */
  readonly instance: string;
  /** Number within the instance, from 0; gaps are lost samples. */
  readonly sequence: number;
  /** The agent's clock when it sent this, ms since 1970. */
  readonly sentAt: number;
}

/** The parsed value, or a sentence that says what is wrong. */
type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Longest field that a parser reads. The largest honest one, 500 routes, has about 200 KB. */
const MAX_FIELD = 512 * 1024;
/** A sample is never older than this when it is sent: no agent buffers longer. */
const MAX_AGE_MS = 7 * 86_400_000;
const MAX_WINDOW_SECONDS = 86_400;
const MAX_TIME = 4e12;

// —— writing

/**
 * Fields of a stream entry, for a store. Gauges are rounded to 5 digits. A table without rows has no field,
 * so that a hub that does not know a new table takes what has none of it.
 */
export function encodeWindow(window: Window): Record<string, string> {
  const fields: Record<string, string> = {
    v: String(WIRE_VERSION),
    h: window.host,
    t: String(window.at),
    s: encodeSeconds(window.seconds),
  };
  for (const name of TABLE_NAMES) if (window[name].length > 0) fields[name] = encodeTable(name, window);
  return fields;
}

/** Fields of a stream entry, for the hub's inbox. */
export function encodeSample(sample: Sample): Record<string, string> {
  const { instance, sequence, sentAt, window } = sample;
  return { ...encodeWindow(window), i: instance, q: String(sequence), n: String(sentAt) };
}

export function encodeSeconds(seconds: number): string {
  return String(round(seconds, 6));
}

/** One field: the rows of a table. */
export function encodeTable(name: TableName, window: Window): string {
  const columns = columnsOf(name);
  const rows = (window[name] as readonly Readonly<Record<string, unknown>>[]).slice(0, TABLES[name].maxRows);
  return JSON.stringify(
    rows.map((row) => [
      row.weight === undefined || row.weight === window.seconds ? 0 : round(Number(row.weight), 6),
      ...columns.map(([key, column]) => encodeCell(column, row[key])),
    ]),
  );
}

function encodeCell(column: Column, cell: unknown): unknown {
  switch (column.kind) {
    case 'label':
    case 'state':
      return cleanText(String(cell), column.max);
    case 'histogram':
      return cell instanceof EncodedHistogram ? cell.text : encodeHistogram(cell as HistogramData);
    case 'gauge':
      return encodeGauge(cell as Gauge | null, column.max);
    case 'latest':
      return cell === null ? null : round(clamp(Number(cell), column.max), 12);
    case 'count':
      return Math.round(clamp(Number(cell), column.max));
  }
}

function encodeGauge(gauge: Gauge | null, limit: number): Gauge | null {
  if (gauge === null) return null;
  if (typeof gauge === 'number') return Number.isFinite(gauge) ? round(clamp(gauge, limit), 5) : null;
  const [mean, max] = [round(clamp(gauge[0], limit), 5), round(clamp(gauge[1], limit), 5)];
  return mean === max ? mean : [mean, max];
}

/** Keeps a reading within its bound: a counter that jumped must not make the receiver refuse the sample. */
function clamp(value: number, max: number): number {
  return Math.min(max, Math.max(0, value));
}

function round(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}

/** Control characters, line separators, and lone surrogates. */
const UNCLEAN = /[\p{Cc}\p{Cs}\u2028\u2029]/gu;

/** Text that is safe to show and store anywhere, cut to its bound. */
function cleanText(text: string, max: number): string {
  return text.slice(0, max).replace(UNCLEAN, '\ufffd');
}

// —— reading

/**
 * Reads a sample and trusts nothing: another version, another host's name, negative or huge numbers, other
 * values, text too long or with control characters, unknown fields or malformed JSON make it refuse the whole
 * sample.
 * @param host the host whose inbox it was found in
 */
export function parseSample(fields: Readonly<Record<string, string>>, host: string): Parsed<Sample> {
  const { i: instance = '', q = '', n = '', ...rest } = fields;
  const window = parseWindow(rest);
  if (!window.ok) return window;
  if (window.value.host !== host) return refuse(`it names another host than the one whose inbox it is in`);
  if (!/^[\w-]{1,64}$/.test(instance)) return refuse('field i is not an instance');
  const sequence = parseNumber(q, Number.MAX_SAFE_INTEGER);
  if (sequence === undefined || !Number.isInteger(sequence))
    return refuse("field q is not a sample's number");
  const sentAt = parseNumber(n, MAX_TIME);
  if (sentAt === undefined) return refuse('field n is not a time');
  const age = sentAt - window.value.at;
  // A host's clock may be set back a little between measuring and sending.
  if (age < -60_000 || age > MAX_AGE_MS)
    return refuse('it was measured after it was sent, or more than 7 days before');
  return { ok: true, value: { window: window.value, instance, sequence, sentAt } };
}

/**
 * Reads what `encodeWindow` wrote, as strictly. Absent tables have no rows, so a store may keep tables apart.
 * @param trusted the hub wrote it: texts are not checked again, histograms only when read
 */
export function parseWindow(fields: Readonly<Record<string, string>>, trusted = false): Parsed<Window> {
  const { v, h = '', t = '', s = '', ...tables } = fields;
  if (v !== String(WIRE_VERSION)) {
    return refuse(
      `it is of version ${quote(v)}, and this program reads ${WIRE_VERSION}: run "pipeline monitor setup" ` +
        `so that agents and hub are of one version`,
    );
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(h)) return refuse('field h is not a host name');
  const at = parseNumber(t, MAX_TIME);
  if (at === undefined) return refuse('field t is not a time');
  const seconds = parseNumber(s, MAX_WINDOW_SECONDS);
  if (seconds === undefined || seconds === 0) return refuse('field s is not a length of time');
  const parsed: Record<string, unknown> = {};
  for (const name of TABLE_NAMES) {
    const { [name]: text = '[]' } = tables;
    const rows = parseTable(name, text, trusted);
    if (!rows.ok) return rows;
    parsed[name] = rows.value;
  }
  const unknown = Object.keys(tables).find((name) => !Object.hasOwn(TABLES, name));
  if (unknown !== undefined)
    return refuse(`it has a field ${quote(unknown)}, which this version does not know`);
  return { ok: true, value: { ...(parsed as unknown as Window), host: h, at, seconds } };
}

function parseTable(name: TableName, text: string, trusted: boolean): Parsed<Record<string, unknown>[]> {
  if (text === '[]') return { ok: true, value: [] };
  if (text.length > MAX_FIELD) return refuse(`field ${name} has ${text.length} characters`);
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    return refuse(`field ${name} is not JSON`);
  }
  if (!Array.isArray(rows)) return refuse(`field ${name} is not an array`);
  if (rows.length > TABLES[name].maxRows) return refuse(`field ${name} has ${rows.length} rows`);
  const columns = columnsOf(name);
  const parsed: Record<string, unknown>[] = [];
  for (const row of rows) {
    if (!Array.isArray(row) || row.length === 0 || row.length > columns.length + 1) {
      return refuse(`field ${name} has a row that is not of its form`);
    }
    const result: Record<string, unknown> = {};
    if (!isNumber(row[0], MAX_WINDOW_SECONDS))
      return refuse(`field ${name} has a row whose weight is not in seconds`);
    if (row[0] !== 0) result.weight = row[0];
    for (const [i, [key, column]] of columns.entries()) {
      const cell = i + 1 < row.length ? parseCell(column, row[i + 1], trusted) : absent(column);
      if (cell === undefined)
        return refuse(`field ${name}, column ${key}: the value is not one that can have been measured`);
      result[key] = cell;
    }
    parsed.push(result);
  }
  return { ok: true, value: parsed };
}

/** A cell's value, or undefined if it is invalid. */
function parseCell(column: Column, cell: unknown, trusted: boolean): unknown {
  switch (column.kind) {
    case 'label':
    case 'state':
      if (typeof cell !== 'string') return undefined;
      return trusted || (cell.length <= column.max && cleanText(cell, column.max) === cell)
        ? cell
        : undefined;
    case 'histogram':
      return typeof cell === 'string' && (trusted || isEncoded(cell))
        ? new EncodedHistogram(cell)
        : undefined;
    case 'count':
      return isNumber(cell, column.max) && Number.isInteger(cell) ? cell : undefined;
    case 'latest':
      return cell === null || isNumber(cell, column.max) ? cell : undefined;
    case 'gauge':
      if (cell === null || isNumber(cell, column.max)) return cell;
      return Array.isArray(cell) && cell.length === 2 && cell.every((value) => isNumber(value, column.max))
        ? cell
        : undefined;
  }
}

/** The value in a column that an older agent does not send. */
function absent(column: Column): unknown {
  switch (column.kind) {
    case 'label':
      return undefined;
    case 'state':
      return '';
    case 'count':
      return 0;
    case 'histogram':
      return { sum: 0, zero: 0, counts: {} };
    default:
      return null;
  }
}

function isNumber(value: unknown, max: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= max;
}

function parseNumber(text: string, max: number): number | undefined {
  if (!/^\d{1,16}(\.\d{1,16})?$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

function quote(text: string | undefined): string {
  return JSON.stringify((text ?? '').slice(0, 32));
}

function refuse(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}

/**
 * When a sample was measured, by the receiver's clock, and how far the sender's clock is ahead (ms, transit
 * included). So no sample lies in the future, whatever its sender claims.
 * @param receivedAt the receiver's clock when the entry arrived, e.g. the time in a stream entry's id
 */
export function correctTime(sample: Sample, receivedAt: number): { at: number; aheadMs: number } {
  const aheadMs = sample.sentAt - receivedAt;
  return { at: Math.min(receivedAt, sample.window.at - aheadMs), aheadMs };
}
