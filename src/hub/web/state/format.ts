/** Figures and times for people. Pure. */
import { age, bytes, duration } from '../../../format.ts';

const NONE = '–';

/** A figure with its unit: `ratio` as a percentage, the rest as everywhere in the product. */
export function figure(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return NONE;
  switch (unit) {
    case 'ratio':
      return `${short(value * 100)} %`;
    case 'ms':
      return duration(value);
    case 'bytes':
      return bytes(value);
    case 'bytes/s':
      return `${bytes(value)}/s`;
    case '1/s':
      return `${short(value)} req/s`;
    default:
      return short(value);
  }
}

/** Three significant digits. */
function short(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.005) return '< 0.01';
  if (size >= 10_000) return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)));
}

/** A count with a separator for thousands. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}

/** `1 host`, `3 hosts`. */
export function plural(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}

export function ago(ms: number): string {
  return `${age(ms)} ago`;
}

const two = (value: number) => String(value).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `25 Nov`, in the browser's time zone. */
function day(ms: number): string {
  const date = new Date(ms);
  return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
}

/** `14:03:20`, or `14:03` where seconds say nothing. */
export function clock(ms: number, seconds = true): string {
  const date = new Date(ms);
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return seconds ? `${minutes}:${two(date.getSeconds())}` : minutes;
}

/** `25 Nov, 14:03`. */
export function moment(ms: number, seconds = false): string {
  return `${day(ms)}, ${clock(ms, seconds)}`;
}

/** From and to; the day once where it is the same: `25 Nov, 14:03 – 15:20`. */
export function period(from: number, to: number): string {
  const end = day(from) === day(to) ? clock(to, false) : moment(to);
  return `${moment(from)} – ${end}`;
}

/** A place on a time axis whose steps are `step` seconds long: midnight says the day. */
export function tick(at: number, step: number): string {
  const date = new Date(at * 1000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (step >= 86_400 || midnight) return day(at * 1000);
  return clock(at * 1000, step < 60);
}

/** `2026-11-25T14:03`, what an input of a date and time takes. */
export function localInput(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${clock(ms, false)}`;
}

/** A commit or release short enough for a chart: seven digits of a hash, the last part of a release. */
export function shortName(commit: string | undefined, release: string | undefined): string {
  if (commit !== undefined && commit !== '') return commit.slice(0, 7);
  const last = release?.split('-').at(-1) ?? '';
  return /^[0-9a-f]{8,}$/.test(last) ? last.slice(0, 7) : last.slice(0, 16);
}

/**
 * What an event is about, without its action and its application, which stand beside it: the release, and
 * what was said.
 */
export function eventWords(event: {
  readonly action: string;
  readonly app: string;
  readonly release?: string | undefined;
  readonly text: string;
}): string {
  const { action, app, release = '', text } = event;
  let rest = text;
  for (const word of [action, app])
    if (word !== '' && rest.startsWith(`${word} `)) rest = rest.slice(word.length + 1);
  return rest === action || rest === app ? release : rest;
}
