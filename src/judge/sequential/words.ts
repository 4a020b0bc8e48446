/** Numbers and sentences of verdicts, for people. */
import { bytes } from '../../format.ts';
import type { MetricResult, PerSide } from '../types.ts';

/** Three significant digits, thousands apart: 0.012, 3.14, 1,230. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return 'unbounded';
  const short = Number(value.toPrecision(3));
  return Math.abs(short) >= 1000 ? grouped(Math.round(value)) : String(short);
}

/** A whole number with commas between thousands; without Intl, which takes 10 ms to start. */
function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function withUnit(value: number | null, unit: string): string {
  if (value === null) return 'nothing';
  if (unit === 'share') return percent(value);
  if (unit === 'bytes') return bytes(value);
  return unit === '' ? number(value) : `${number(value)} ${unit}`;
}

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

/** A ratio as people say it: `20 % higher`, `5 % lower`, `equal`, `3.2 times`. */
export function ratio(value: number): string {
  if (value >= 2) return `${number(value)} times`;
  const change = Math.round((value - 1) * 1000) / 10;
  if (Math.abs(change) < 0.1) return 'equal';
  return change > 0 ? `${change} % higher` : `${-change} % lower`;
}

/** A difference of shares: `1.2 percentage points more`, `equal`. */
export function points(difference: number): string {
  const value = Number((Math.abs(difference) * 100).toPrecision(2));
  if (value === 0) return 'equal';
  return `${value} percentage point${value === 1 ? '' : 's'} ${difference > 0 ? 'more' : 'fewer'}`;
}

/** ` (95 % interval: 3 % lower to 12 % higher)`, or nothing if neither end is known. */
export function interval(
  result: Pick<MetricResult, 'interval' | 'level'>,
  say: (value: number) => string,
): string {
  const [low, high] = result.interval ?? [null, null];
  if (low === null && high === null) return '';
  const level = `${percent(result.level)} interval`;
  if (low === null) return ` (${level}: at most ${say(high ?? 0)})`;
  if (high === null) return ` (${level}: at least ${say(low)})`;
  return low === high ? ` (${level}: ${say(low)})` : ` (${level}: ${say(low)} to ${say(high)})`;
}

/** Evidence as odds: `1,480 : 1`. A judged metric that shows nothing has `1 : 1`, never "none". */
export function odds(logEvidence: number): string {
  if (logEvidence <= 0) return '1 : 1';
  if (logEvidence > Math.log(1e6)) return 'more than 1,000,000 : 1';
  return `${number(Math.exp(logEvidence))} : 1`;
}

/** `1,200 requests of the baseline and 1,180 of the candidate`. */
export function samples({ baseline, candidate }: PerSide<number>, unit: string): string {
  return `${number(baseline)} ${unit} of the baseline and ${number(candidate)} of the candidate`;
}

/** A number of requests as an estimate: two significant digits. */
export function about(requests: number): string {
  return grouped(Math.max(10, Number(requests.toPrecision(2))));
}

export function list(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
