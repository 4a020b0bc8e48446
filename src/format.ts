/**
 * Bytes and durations as people read them: one spelling in the whole product, the dashboard included. Pure.
 */

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Three significant digits of a number below 1000 or so, without an exponent or trailing zeros. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 999.5) return String(Math.round(value));
  return size < 1e-3 ? String(Number(value.toFixed(6))) : String(Number(value.toPrecision(3)));
}

/** `47 B`, `5.48 kB`, `104 MB`: powers of 1000. */
export function bytes(count: number): string {
  let scaled = count;
  let power = 0;
  while (Math.abs(scaled) >= 999.5 && power < BYTES.length - 1) {
    scaled /= 1000;
    power++;
  }
  return `${digits(scaled)} ${BYTES[power]}`;
}

/** How long something took or takes: `0.4 ms`, `31 ms`, `3.2 s`, `2 min 5 s`, `3 h 20 min`, `2 days 4 h`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${digits(ms)} ms`;
  if (ms < MINUTE - 50) return `${digits(ms / SECOND)} s`;
  if (ms < HOUR - SECOND / 2) return twoUnits(ms, MINUTE, 'min', SECOND, 's');
  if (ms < 2 * DAY) return twoUnits(ms, HOUR, 'h', MINUTE, 'min');
  return twoUnits(ms, DAY, 'days', HOUR, 'h');
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const count = Math.round(ms / small);
  const whole = Math.floor((count * small) / large);
  const rest = count - (whole * large) / small;
  return rest === 0 ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`;
}

/** How long ago, or how long already, in one unit: `12 s`, `3 min`, `5 h`, `9 days`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / SECOND));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** `3 hosts`, `1 change`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
