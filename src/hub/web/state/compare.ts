/**
 * Which of two versions is worse, and by how much. Pure.
 *
 * A hint for the eye, no verdict: `pipeline canary` gives those. Shares differ where their Wilson intervals
 * (z = 2.58) do not touch, and are alike where these leave room for two points at most; durations where they
 * are more than a tenth and a millisecond apart, since histograms are right within 2 %. Too few requests say
 * nothing.
 */
import type { RouteFigures } from '../../api-types.ts';

export type VersionDifference = 'worse' | 'better' | 'alike' | 'few';

export type Metric = 'errors' | 'rejected' | 'p50' | 'p90' | 'p99';

export interface Compared {
  readonly difference: VersionDifference;
  /** Shares: candidate − baseline. Durations: candidate / baseline − 1. Null where there is none. */
  readonly change: number | null;
}

const SHARES: readonly Metric[] = ['errors', 'rejected'];
/** Requests on each side without which a figure says nothing. */
const NEEDED: Readonly<Record<Metric, number>> = { errors: 20, rejected: 20, p50: 20, p90: 50, p99: 300 };
const MIN_RATIO = 0.1;
const MIN_MS = 1;
const Z = 2.58;
/** A difference of shares that may be this large is not yet known to be none. */
const ROOM = 0.02;

export function compare(metric: Metric, baseline: RouteFigures, candidate: RouteFigures): Compared {
  const [a, b] = [baseline[metric], candidate[metric]];
  if (Math.min(baseline.requests, candidate.requests) < NEEDED[metric] || a === null || b === null)
    return { difference: 'few', change: null };
  if (SHARES.includes(metric)) {
    const [one, two] = [wilson(a, baseline.requests), wilson(b, candidate.requests)];
    return { difference: differenceOf(one, two), change: b - a };
  }
  const change = a === 0 ? null : b / a - 1;
  const apart = Math.abs(b - a) > Math.max(MIN_MS, MIN_RATIO * Math.min(a, b));
  return { difference: !apart ? 'alike' : b > a ? 'worse' : 'better', change };
}

function differenceOf(one: Interval, two: Interval): VersionDifference {
  if (two.low > one.high) return 'worse';
  if (two.high < one.low) return 'better';
  return Math.max(two.high - one.low, one.high - two.low) > ROOM ? 'few' : 'alike';
}

interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Interval of a share that was observed `n` times. Wilson, Journal of the American Statistical Association 22
 * (1927).
 */
function wilson(share: number, n: number): Interval {
  const z2 = (Z * Z) / n;
  const middle = (share + z2 / 2) / (1 + z2);
  const half = (Z / (1 + z2)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n));
  return { low: middle - half, high: middle + half };
}

/** `+12 %`, or points of a share: `+1.5 points`. */
export function changeText(metric: Metric, { change }: Compared): string {
  if (change === null) return '';
  const value = change * 100;
  const digits = Math.abs(value) >= 10 ? 0 : 1;
  const text = `${value > 0 ? '+' : value < 0 ? '−' : '±'}${Math.abs(value).toFixed(digits)}`;
  return SHARES.includes(metric) ? `${text} points` : `${text} %`;
}

/** One sentence about two versions. */
export function summary(baseline: RouteFigures, candidate: RouteFigures, routesWorse: number): string {
  const metrics: readonly Metric[] = ['errors', 'rejected', 'p50', 'p90', 'p99'];
  const all = metrics.map((metric) => ({ metric, ...compare(metric, baseline, candidate) }));
  const told = (difference: VersionDifference) =>
    all
      .filter((one) => one.difference === difference)
      .map((one) => `${WORDS[one.metric]} ${changeText(one.metric, one)}`)
      .join(', ');
  const routes =
    routesWorse === 0 ? '' : ` ${routesWorse} ${routesWorse === 1 ? 'route is' : 'routes are'} worse.`;
  if (told('worse') !== '') return `Worse: ${told('worse')}.${routes}`;
  if (told('better') !== '') return `Better: ${told('better')}.${routes}`;
  const few = all.filter(({ difference }) => difference === 'few').map(({ metric }) => WORDS[metric]);
  if (few.length === all.length) return 'Too few requests to compare.';
  if (few.length === 0) return `About alike.${routes}`;
  return `About alike, with too few requests to tell about ${few.join(', ')}.${routes}`;
}

export const WORDS: Readonly<Record<Metric, string>> = {
  errors: 'errors (5xx)',
  rejected: 'rejected (4xx)',
  p50: 'p50',
  p90: 'p90',
  p99: 'p99',
};
