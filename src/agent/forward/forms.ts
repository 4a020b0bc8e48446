/** Lines of logs as stores take them. Pure. */
import type { Level } from '../../logs/level.ts';
import type { LogLine } from '../../logs/line.ts';

/** A line, and the application that it is of; empty: none. */
export interface ForwardedLine extends LogLine {
  readonly app: string;
}

/**
 * Loki's push API: streams with labels, values of a time in nanoseconds and a line.
 * https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
 */
export function lokiBody(lines: readonly ForwardedLine[]): string {
  const streams = new Map<string, { stream: Record<string, string>; values: [string, string][] }>();
  for (const line of lines) {
    const { host, app, source, level } = line;
    const labels = { job: 'pipeline', host, ...(app === '' ? {} : { app }), source, level };
    const key = JSON.stringify(labels);
    const stream = streams.get(key) ?? { stream: labels, values: [] as [string, string][] };
    stream.values.push([nanoseconds(line.at), lineText(line)]);
    streams.set(key, stream);
  }
  return JSON.stringify({ streams: [...streams.values()] });
}

/** A line with fields stays an object, so that the store can take it apart. */
function lineText({ message, fields, release }: ForwardedLine): string {
  if (Object.keys(fields).length === 0) return message;
  return JSON.stringify({ ...fields, msg: message, ...(release === '' ? {} : { release }) });
}

/** The last digits are zeros: the journal knows microseconds, and a number in JavaScript no more. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

/** VictoriaLogs' jsonline. https://docs.victoriametrics.com/victorialogs/data-ingestion/#json-stream-api */
export function jsonlineBody(lines: readonly ForwardedLine[]): string {
  return lines
    .map(({ at, host, app, source, level, message, fields }) => {
      const own = { _time: microseconds(at), _msg: message || '-', host, app, source, level };
      return `${JSON.stringify({ ...fields, ...own })}\n`;
    })
    .join('');
}

export const JSONLINE_PATH =
  '/insert/jsonline?_stream_fields=host,app,source&_time_field=_time&_msg_field=_msg';
export const LOKI_PATH = '/loki/api/v1/push';

const SEVERITY: Readonly<Record<Level, number>> = { critical: 2, error: 3, warning: 4, info: 6, debug: 7 };
/** Facility `daemon`. */
const FACILITY = 3;

/** RFC 5424, each message with its length before it (RFC 6587, octet counting). */
export function syslogFrames(lines: readonly ForwardedLine[]): string {
  return lines
    .map((line) => {
      const { at, host, app, source, level, message, fields } = line;
      const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
      const head = `<${FACILITY * 8 + SEVERITY[level]}>1 ${microseconds(at)} ${word(host, 255)}`;
      const text = `${head} ${word(app || source, 48)} ${word(source, 128)} - - ${message}${rest.join('')}`;
      return `${Buffer.byteLength(text)} ${text}`;
    })
    .join('');
}

/** Printable ASCII without spaces, as the header of RFC 5424 has it. */
function word(text: string, most: number): string {
  return text.replace(/[^\x21-\x7e]/g, '_').slice(0, most) || '-';
}

function microseconds(ms: number): string {
  const micros = String(Math.round((ms % 1000) * 1000))
    .padStart(6, '0')
    .slice(0, 6);
  return `${new Date(ms).toISOString().slice(0, 20)}${micros}Z`;
}
