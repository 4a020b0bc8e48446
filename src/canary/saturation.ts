/**
 * Whether the experiment could show anything: a load beyond what the hosts can carry.
 *
 * Where requests arrive faster than they are answered, they queue, and a queue's length wanders for seconds to minutes by chance: two equal versions
 * then differ in latency, and in what is given up unanswered, for as long as one looks. The baseline tells whether that is so, since it is the
 * version that is known to be good. Pure.
 */
import type { Second } from '../judge/types.ts';
import { mergeHistograms, quantile } from '../metrics/histogram.ts';
import { formatMilliseconds, formatShare } from '../report/format.ts';
import { asHistogram } from '../report/series.ts';

/** Seconds at either end that are compared, where there are so many; else a third of them. */
const ENDS = 10;
/** The baseline's median at the end: at least this, in ms, and so many times that of the beginning. */
const SLOW_MS = 1_000;
const TIMES = 10;
/** Share of the baseline's requests without an answer. */
const UNANSWERED = 0.02;

/** A sentence about a baseline that cannot keep up; null where it can. */
export function saturation(seconds: readonly Second[]): string | null {
  const active = seconds
    .map(({ baseline }) => Object.values(baseline.routes))
    .filter((routes) => routes.length > 0);
  if (active.length < 3) return null;
  const window = Math.min(ENDS, Math.floor(active.length / 3));
  const median = (part: typeof active) =>
    quantile(mergeHistograms(part.flat().map(({ latency }) => asHistogram(latency))), 0.5);
  const first = median(active.slice(0, window)) ?? 0;
  const last = median(active.slice(-window)) ?? 0;
  if (last >= SLOW_MS && last >= TIMES * first) {
    return `The baseline itself cannot keep up with the load: its median latency went from ${formatMilliseconds(first)} to ${formatMilliseconds(last)}.`;
  }
  const requests = active.flat().reduce((sum, route) => sum + route.requests, 0);
  const share = active.flat().reduce((sum, route) => sum + unanswered(route), 0) / requests;
  if (share < UNANSWERED) return null;
  return `The baseline itself cannot keep up with the load: ${formatShare(share)} of its requests got no answer.`;
}

/** Requests of a route that nobody answered. */
export function unanswered({ requests, status }: Second['baseline']['routes'][string]): number {
  return requests - (status['2xx'] ?? 0) - (status['3xx'] ?? 0) - (status['4xx'] ?? 0) - (status['5xx'] ?? 0);
}
