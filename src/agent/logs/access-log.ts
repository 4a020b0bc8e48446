/**
 * One line of an access log, as what happened. Parsers are pure; they return `undefined` for a line in
 * another form.
 */
import { parseLine } from './json-line.ts';

/** One request that a server answered. */
export interface AccessLogEntry {
  /** End of the request, seconds since 1970. */
  readonly at: number;
  readonly app: string;
  /** Which upstream the proxy chose: `blue` or `green`; empty where none. */
  readonly colour: string;
  readonly release: string;
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly status: number;
  /** Bytes of the body sent. */
  readonly bytes: number;
  /** Absent where the log does not tell. */
  readonly milliseconds: number | undefined;
  /** Of the last attempt at an upstream; absent where none was asked or it gave no answer. */
  readonly upstreamMilliseconds: number | undefined;
  /** Attempts at an upstream beyond the first. */
  readonly retries: number;
}

/** nginx, one JSON object a line (`escape=json`), in the format that the proxy role writes. */
export function parseNginxLine(line: string): AccessLogEntry | undefined {
  // nginx writes 000 where it closed the connection without an answer, which is no number in JSON.
  const fields = parseLine(line.includes('"status":000') ? line.replace('"status":000', '"status":0') : line);
  if (fields === undefined) return undefined;
  const { msec, app, release, method, uri, status, bytes, time, upstream_time } = fields;
  // The nginx of a host that an earlier version set up writes `variant` until the next `prod up`.
  const { colour = fields.variant } = fields;
  if (!isAmount(msec) || !isAmount(bytes) || !isAmount(time)) return undefined;
  if (!isStatus(status) || typeof method !== 'string' || typeof uri !== 'string') return undefined;
  const attempts = upstreamAttempts(upstream_time);
  return {
    at: msec,
    app: label(app),
    colour: label(colour),
    release: label(release),
    method,
    path: pathOf(uri),
    status,
    bytes,
    milliseconds: milliseconds(time),
    upstreamMilliseconds: attempts.last,
    retries: Math.max(0, attempts.count - 1),
  };
}

/**
 * nginx joins attempts with `, ` and internal redirects with ` : `; an attempt without an answer is `-`;
 * empty where no upstream was asked. Source: nginx, ngx_http_upstream_module, $upstream_addr.
 */
function upstreamAttempts(value: unknown): { count: number; last: number | undefined } {
  if (typeof value !== 'string' || value === '') return { count: 0, last: undefined };
  if (!value.includes(',') && !value.includes(':')) return { count: 1, last: attemptMilliseconds(value) };
  const redirects = value.split(' : ');
  const attempts = redirects.flatMap((part) => part.split(', '));
  return { count: attempts.length - redirects.length + 1, last: attemptMilliseconds(attempts.at(-1) ?? '') };
}

function attemptMilliseconds(seconds: string): number | undefined {
  const value = seconds === '' || seconds === '-' ? Number.NaN : milliseconds(Number(seconds));
  return isAmount(value) ? value : undefined;
}

/** Rounded to the microsecond, since 0.029 × 1000 is not 29. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1000;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value);
}

/** Three digits; 0 where the connection was closed without an answer. */
export function isStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 999;
}

/** nginx writes `-` or nothing for a variable without a value. */
function label(value: unknown): string {
  return typeof value !== 'string' || value === '-' ? '' : value;
}

/** What stands before the query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
