/**
 * Tomcat's access log, as AccessLogValve writes it with the pattern `%h %l %u %t "%r" %s %b %T`. Without
 * `%T`, as stock Tomcat has it, there are no durations.
 */
import { type AccessLogEntry, isStatus, pathOf } from './access-log.ts';

/**
 * `%T` is seconds with three decimals in every Tomcat; `%D` is milliseconds before 10.1 and microseconds
 * since.
 */
const LINE = /^\S+ \S+ .*? \[([^\]]+)\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-)(?: (\d+(?:\.\d+)?))?(?: |$)/;

/**
 * Reads one line; undefined where it is in another form. Application, colour and release are not in it: they
 * stay empty.
 */
export function parseTomcatLine(line: string): AccessLogEntry | undefined {
  const [, time = '', method = '', target = '', status = '', bytes = '', seconds] = LINE.exec(line) ?? [];
  const at = parseTime(time);
  const code = Number(status);
  if (at === undefined || !isStatus(code)) return undefined;
  return {
    at,
    app: '',
    colour: '',
    release: '',
    method,
    path: pathOf(target),
    status: code,
    bytes: bytes === '-' ? 0 : Number(bytes),
    milliseconds: seconds === undefined ? undefined : Math.round(Number(seconds) * 1e6) / 1000,
    upstreamMilliseconds: undefined,
    retries: 0,
  };
}

/** `10/Oct/2024:13:55:36 +0200`, as seconds since 1970. */
function parseTime(text: string): number | undefined {
  const match = /^(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})$/.exec(text);
  if (match === null) return undefined;
  const [, day, month, year, clock, zone] = match;
  const ms = Date.parse(`${day} ${month} ${year} ${clock} ${zone}`);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}
