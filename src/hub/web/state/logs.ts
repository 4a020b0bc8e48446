/** Lines of logs as the page shows them. Pure. */
import type { LogLevel, LogPage, ShownLogLine } from '../../api-types.ts';

/** Worst first. */
export const LEVELS: readonly LogLevel[] = ['critical', 'error', 'warning', 'info', 'debug'];

/** A stretch of time, and how many lines of each level it has. */
export interface Bucket {
  readonly from: number;
  readonly to: number;
  /** In the order of `LEVELS`. */
  readonly counts: readonly number[];
}

/** Lines by time and level. Lines at the very end count to the last stretch. */
export function bucketsOf(
  lines: readonly Pick<ShownLogLine, 'at' | 'level'>[],
  { from, to }: { readonly from: number; readonly to: number },
  number = 60,
): readonly Bucket[] {
  const width = Math.max(1, to - from) / number;
  const counts = Array.from({ length: number }, () => LEVELS.map(() => 0));
  for (const { at, level } of lines) {
    const bucket = counts[Math.min(number - 1, Math.max(0, Math.floor((at - from) / width)))];
    const index = LEVELS.indexOf(level);
    if (bucket !== undefined) bucket[index] = (bucket[index] ?? 0) + 1;
  }
  return counts.map((each, index) => ({
    from: Math.floor(from + index * width),
    to: Math.ceil(from + (index + 1) * width),
    counts: each,
  }));
}

/** The stretch that the lines tell of: where older ones are missing, from the oldest on. */
export function coveredBy(
  { lines, more }: Pick<LogPage, 'lines' | 'more'>,
  range: { readonly from: number; readonly to: number },
): { readonly from: number; readonly to: number } {
  const oldest = lines[0]?.at;
  return more && oldest !== undefined ? { from: Math.min(oldest, range.to - 1), to: range.to } : range;
}

/** What every library adds and nobody reads. */
const NOISE = new Set(['pid', 'hostname', 'v', 'id']);

/** Fields of a line that are shown beside its message. */
export function restOf({ fields, isRequest }: Pick<ShownLogLine, 'fields' | 'isRequest'>): string {
  return Object.entries(fields)
    .filter(([name]) => !NOISE.has(name) && !(isRequest && name === 'colour'))
    .map(([name, value]) => `${name}=${/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`)
    .join(' ');
}
