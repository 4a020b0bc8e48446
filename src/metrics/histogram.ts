/**
 * A log-bucket histogram. Edges are the same for all, so two of them merge exactly.
 *
 * Bucket `i` holds the values in (γ^(i−1), γ^i] with γ = 1.02: DDSketch's layout, and the grid of
 * `src/judge/types.ts`, which imports nothing of ours; a test keeps the two alike. A quantile is off by at
 * most 2 %. Scaling all values by γ^k moves all counts by k buckets. Values ≤ 0 (a request that nginx
 * measured as 0.000 s) are counted apart, as `zero`.
 *
 * Units: milliseconds for durations, bytes for sizes.
 */

/** Ratio of a bucket's upper edge to its lower one. */
export const GAMMA = 1.02;
const LN_GAMMA = Math.log(GAMMA);

/** Buckets end here: 2.5e-9 and 2.5e17. The outermost ones count what lies beyond. */
export const MIN_INDEX = -1000;
export const MAX_INDEX = 2024;

/** A histogram as plain data: sparse, without counts of 0; the judge's `LogHistogram` with a sum. */
export interface HistogramData {
  /** Sum of all values, in their unit. */
  readonly sum: number;
  /** How many values were ≤ 0. */
  readonly zero: number;
  /** Bucket index → count. */
  readonly counts: Readonly<Record<string, number>>;
}

/** γ^index: the upper edge of bucket `index`, and the lower edge of the next. */
export function upperEdge(index: number): number {
  return Math.exp(index * LN_GAMMA);
}

/**
 * The bucket of a positive value: the least index whose upper edge is not below it (up to rounding: a
 * billionth of a bucket).
 */
export function bucketIndex(value: number): number {
  return Math.min(MAX_INDEX, Math.max(MIN_INDEX, Math.ceil(Math.log(value) / LN_GAMMA - 1e-9)));
}

/** A histogram that grows. */
export class Histogram {
  /** Number of values. */
  count = 0;
  sum = 0;
  zero = 0;
  readonly #counts = new Map<number, number>();

  /** Records a value `times` times. NaN and infinities are left out. */
  record(value: number, times = 1): void {
    if (!Number.isFinite(value)) return;
    this.count += times;
    if (value <= 0) {
      this.zero += times;
      return;
    }
    this.sum += value * times;
    const index = bucketIndex(value);
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + times);
  }

  data(): HistogramData {
    const counts: Record<string, number> = {};
    for (const [index, count] of this.#counts) counts[index] = count;
    return { sum: this.sum, zero: this.zero, counts };
  }
}

/** Non-empty buckets by rising index. */
export function bucketsOf(data: HistogramData): [index: number, count: number][] {
  return Object.entries(data.counts)
    .map(([index, count]): [number, number] => [Number(index), count])
    .sort((a, b) => a[0] - b[0]);
}

/** Number of values. */
export function countOf(data: HistogramData): number {
  let count = data.zero;
  for (const inBucket of Object.values(data.counts)) count += inBucket;
  return count;
}

/** The histogram of all their values. */
export function mergeHistograms(parts: Iterable<HistogramData>): HistogramData {
  const counts: Record<string, number> = {};
  let [sum, zero] = [0, 0];
  for (const part of parts) {
    sum += part.sum;
    zero += part.zero;
    for (const index in part.counts) counts[index] = (counts[index] ?? 0) + (part.counts[index] ?? 0);
  }
  return { sum, zero, counts };
}

/**
 * The q-quantile (0 ≤ q ≤ 1), interpolated within its bucket on a logarithmic scale, as Prometheus does with
 * native histograms. At most 2 % off; `undefined` without values.
 */
export function quantile(data: HistogramData, q: number): number | undefined {
  const rank = Math.min(1, Math.max(0, q)) * countOf(data);
  if (data.zero > 0 && rank <= data.zero) return 0;
  let below = data.zero;
  let last: number | undefined;
  for (const [index, count] of bucketsOf(data)) {
    if (rank <= below + count) return upperEdge(index - 1 + (rank - below) / count);
    below += count;
    last = upperEdge(index);
  }
  return last; // only rounding of the rank gets here
}

const RADIX = 36;

/**
 * As text for a wire or a store, e.g. `1250;0;5r:3,1,4:c`: sum, zeros, then for each bucket its distance from
 * the previous one (for the first, its index) and its count, in base 36; counts of 1 are left out.
 */
export function encodeHistogram(data: HistogramData): string {
  let before = 0;
  const buckets = bucketsOf(data).map(([index, count]) => {
    const gap = (index - before).toString(RADIX);
    before = index;
    return count === 1 ? gap : `${gap}:${count.toString(RADIX)}`;
  });
  return `${Number(data.sum.toPrecision(9))};${data.zero.toString(RADIX)};${buckets.join(',')}`;
}
