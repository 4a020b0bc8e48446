/**
 * Whether the experiment could show anything: a load near or beyond what the hosts can carry.
 *
 * Where requests arrive nearly as fast as they are answered, or faster, they queue, and a queue's length
 * wanders for seconds to minutes by chance: two equal versions then differ in latency, and in what is given
 * up unanswered, for as long as one looks. The judge takes seconds for independent of each other, which they
 * are not then. The data tell: of the baseline, which is the version that is known to be good, and of the
 * difference between the two. The error rates of these rules were measured (`bench/judge`, "near and beyond
 * what the services carry"). Pure.
 */
import { duration } from '../../format.ts';
import type { CanaryVerdict, Second } from '../../judge/types.ts';
import { mergeHistograms, quantile } from '../../metrics/histogram.ts';
import { formatShare } from '../../report/format.ts';
import { asHistogram } from '../../report/series.ts';

/**
 * The baseline's 90th percentile of its seconds' medians is so many times its best second: it is not always
 * equally busy.
 */
const WANDERS = 2.5;
/** The baseline's median in the last third, in ms, from which its queue grows. */
const SLOW_MS = 1_000;
/** Share of the baseline's requests without an answer. */
const UNANSWERED = 0.02;
/**
 * Correlation of the difference with that of the second before: without queues it is about 0, near saturation
 * 0.3 to 0.9.
 */
const PERSISTS = 0.2;
/**
 * The candidate is beyond doubt where its median in the last third is so many times the worst second of the
 * baseline.
 */
const BEYOND = 8;
/** Parts of the experiment, from its beginning, that are looked at. */
const PARTS = [1, 0.85, 0.7, 0.5];
/** Pairs of seconds below which nothing is said about how they follow each other. */
const FEWEST = 8;

/** Why latencies and missing answers prove nothing, and whether more of the same could. */
interface Saturation {
  readonly reason: string;
  /** The baseline itself cannot keep up: waiting longer is of no use. */
  readonly hopeless: boolean;
}

/** Medians of one second, in ms. */
interface Medians {
  readonly baseline: number;
  readonly candidate: number;
}

/**
 * What speaks against the experiment; null where nothing does. `warmupSeconds`: seconds at the beginning that
 * do not count.
 */
export function saturation(seconds: readonly Second[], warmupSeconds = 0): Saturation | null {
  const share = unansweredShare(seconds);
  if (share >= UNANSWERED) {
    const reason =
      `The baseline itself cannot keep up with the load: ${formatShare(share)} of its ` +
      `requests got no answer.`;
    return { reason, hopeless: true };
  }
  const medians = mediansOf(seconds, warmupSeconds);
  if (medians.length < FEWEST) return null;
  const baseline = medians.map((second) => second.baseline);
  // The best second is often one of the first, before there was a queue.
  const low = Math.min(...mediansOf(seconds, 0).map((second) => second.baseline));
  const high = percentile(baseline, 0.9);
  if (high < WANDERS * low) return null;
  const last = percentile(lastThird(baseline), 0.5);
  if (last >= SLOW_MS) {
    const reason =
      `The baseline itself cannot keep up with the load: its median latency went from ` +
      `${duration(low)} to ${duration(last)}.`;
    return { reason, hopeless: true };
  }
  const candidate = medians.map((second) => second.candidate);
  if (percentile(lastThird(candidate), 0.5) >= BEYOND * Math.max(...baseline)) return null;
  const differences = medians.map((second) => Math.log(second.candidate / second.baseline));
  // Chance may hide for a while that seconds follow each other: what was seen before counts.
  const parts = PARTS.map((part) =>
    differences.slice(0, Math.max(FEWEST, Math.round(part * differences.length))),
  );
  if (parts.every((part) => persistence(part) < PERSISTS)) return null;
  const reason =
    `Requests queue: the baseline's own median latency wandered between ` +
    `${duration(low)} and ${duration(high)}, and the versions differ for seconds at a ` +
    `time.`;
  return { reason, hopeless: false };
}

/**
 * Whether the judge's failure stands. Queues make answers late or missing; they do not make them wrong. So
 * harm that was answered stands: wrong bodies, refusals, and errors that the candidate itself gave.
 */
export function standsDespiteQueues(
  said: Pick<CanaryVerdict, 'metrics' | 'decidedBy'>,
  seconds: readonly Second[],
): boolean {
  const deciding = said.metrics.filter(({ name }) => said.decidedBy.includes(name));
  return deciding.some(({ kind }) => {
    if (kind !== 'errors-5xx') return !kind.startsWith('latency');
    const routes = seconds.flatMap(({ candidate }) => Object.values(candidate.routes));
    const answered = routes.reduce((sum, { status }) => sum + (status['5xx'] ?? 0), 0);
    return answered > routes.reduce((sum, route) => sum + unanswered(route), 0);
  });
}

/** Requests of a route that nobody answered. */
function unanswered({ requests, status }: Second['baseline']['routes'][string]): number {
  return requests - (status['2xx'] ?? 0) - (status['3xx'] ?? 0) - (status['4xx'] ?? 0) - (status['5xx'] ?? 0);
}

function unansweredShare(seconds: readonly Second[]): number {
  const routes = seconds.flatMap(({ baseline }) => Object.values(baseline.routes));
  const requests = routes.reduce((sum, route) => sum + route.requests, 0);
  return requests === 0 ? 0 : routes.reduce((sum, route) => sum + unanswered(route), 0) / requests;
}

/** Of the seconds in which both answered something. */
function mediansOf(seconds: readonly Second[], warmupSeconds: number): Medians[] {
  const median = (side: Second['baseline']) =>
    quantile(mergeHistograms(Object.values(side.routes).map(({ latency }) => asHistogram(latency))), 0.5) ??
    0;
  return seconds
    .filter(({ at }) => at >= warmupSeconds)
    .map(({ baseline, candidate }) => ({ baseline: median(baseline), candidate: median(candidate) }))
    .filter(({ baseline, candidate }) => baseline > 0 && candidate > 0);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function lastThird<T>(values: readonly T[]): readonly T[] {
  return values.slice(-Math.max(3, Math.floor(values.length / 3)));
}

/**
 * Correlation of a series with itself, one step later; without the bias of short series (Kendall 1954: −(1 +
 * 3r)/n).
 */
function persistence(series: readonly number[]): number {
  const { length } = series;
  const mean = series.reduce((sum, value) => sum + value, 0) / length;
  const around = series.map((value) => value - mean);
  const variance = around.reduce((sum, value) => sum + value * value, 0);
  if (variance === 0) return 0;
  const correlation = around.reduce((sum, value, i) => sum + value * (around[i - 1] ?? 0), 0) / variance;
  return correlation + (1 + 3 * correlation) / length;
}
