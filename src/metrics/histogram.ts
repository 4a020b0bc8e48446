/**
 * A log-bucket histogram whose edges are fixed for everybody, so that two of them merge exactly.
 *
 * Bucket `i` holds the values in (γ^(i−1), γ^i] with γ = 2^(1/32) ≈ 1.0219: the grid of a Prometheus native histogram of schema 5, so an
 * export is exact, and a quantile is off by at most 2.2 %. Scaling every value by γ^k moves every count by k buckets.
 * Values ≤ 0 (a request that nginx measured as 0.000 s) are counted apart, as `zero`.
 */

/** Buckets to a doubling. */
export const BUCKETS_PER_DOUBLING = 32;

/** Ratio of a bucket's upper edge to its lower one. */
export const GAMMA = 2 ** (1 / BUCKETS_PER_DOUBLING);

/** Values at or below 2^−32 (0.2 ns) fall in the first bucket, values above 2^64 in the last. */
export const MIN_INDEX = -32 * BUCKETS_PER_DOUBLING;
export const MAX_INDEX = 64 * BUCKETS_PER_DOUBLING;

/** A histogram as plain data: sparse, buckets by rising index, no count 0. */
export interface HistogramData {
  /** Sum of all values, in their unit. */
  readonly sum: number;
  /** How many values were ≤ 0. */
  readonly zero: number;
  readonly buckets: readonly (readonly [index: number, count: number])[];
}

/** γ^index: the upper edge of bucket `index`, and the lower edge of the next. */
export function upperEdge(index: number): number {
  return 2 ** (index / BUCKETS_PER_DOUBLING);
}

/** The bucket of a positive value: the least index whose upper edge is not below it. */
export function bucketIndex(value: number): number {
  let index = Math.ceil(Math.log2(value) * BUCKETS_PER_DOUBLING);
  // The logarithm may be off by one unit in the last place where a value lies on an edge.
  if (value <= upperEdge(index - 1)) index--;
  else if (value > upperEdge(index)) index++;
  return Math.min(MAX_INDEX, Math.max(MIN_INDEX, index));
}

/** A histogram that grows. */
export class Histogram {
  /** Number of values. */
  count = 0;
  sum = 0;
  zero = 0;
  readonly #buckets = new Map<number, number>();

  static from(data: HistogramData): Histogram {
    const histogram = new Histogram();
    histogram.add(data);
    return histogram;
  }

  /** Records `times` values; NaN and infinities are not values and are left out. */
  record(value: number, times = 1): void {
    if (!Number.isFinite(value)) return;
    this.count += times;
    if (value <= 0) {
      this.zero += times;
      return;
    }
    this.sum += value * times;
    const index = bucketIndex(value);
    this.#buckets.set(index, (this.#buckets.get(index) ?? 0) + times);
  }

  /** Adds another's counts. Exact: the result is the histogram of all values together. */
  add(other: HistogramData): void {
    this.sum += other.sum;
    this.zero += other.zero;
    this.count += other.zero;
    for (const [index, count] of other.buckets) {
      this.count += count;
      this.#buckets.set(index, (this.#buckets.get(index) ?? 0) + count);
    }
  }

  /** Sorted sparse counts. */
  data(): HistogramData {
    return { sum: this.sum, zero: this.zero, buckets: [...this.#buckets].sort((a, b) => a[0] - b[0]) };
  }
}

/** Number of values. */
export function countOf(data: HistogramData): number {
  return data.buckets.reduce((total, [, count]) => total + count, data.zero);
}

/** Histogram of the values of all of them together. */
export function mergeHistograms(parts: Iterable<HistogramData>): HistogramData {
  const merged = new Histogram();
  for (const part of parts) merged.add(part);
  return merged.data();
}

/**
 * The q-quantile (0 ≤ q ≤ 1), the logarithm interpolated within the bucket, as Prometheus does with native histograms.
 * At most 2.2 % off; `undefined` without values.
 */
export function quantile(data: HistogramData, q: number): number | undefined {
  const count = countOf(data);
  if (count === 0) return undefined;
  const rank = Math.min(1, Math.max(0, q)) * count;
  let below = data.zero;
  if (rank <= below && below > 0) return 0;
  for (const [index, inBucket] of data.buckets) {
    if (rank <= below + inBucket) return upperEdge(index - 1 + (rank - below) / inBucket);
    below += inBucket;
  }
  return upperEdge(data.buckets.at(-1)?.[0] ?? MIN_INDEX);
}

const RADIX = 36;

/**
 * As text for a wire or a store, e.g. `1.25;0;-5r:3,1,4:c`: sum, zeros, then for each bucket the gap from the one before (the first: its
 * index) and its count, both in base 36, a count of 1 left out.
 */
export function encodeHistogram(data: HistogramData): string {
  let before = 0;
  const buckets = data.buckets.map(([index, count]) => {
    const gap = (index - before).toString(RADIX);
    before = index;
    return count === 1 ? gap : `${gap}:${count.toString(RADIX)}`;
  });
  return `${Number(data.sum.toPrecision(9))};${data.zero.toString(RADIX)};${buckets.join(',')}`;
}

const ENCODED = /^(\d{1,16}(?:\.\d{1,20})?(?:e[+-]\d{1,2})?);([0-9a-z]{1,11});((?:-?[0-9a-z]{1,3}(?::[0-9a-z]{1,11})?(?:,|$))*)$/;

/** Reads what `encodeHistogram` wrote; `undefined` where the text is anything else. Never throws. */
export function decodeHistogram(text: string): HistogramData | undefined {
  const match = ENCODED.exec(text);
  if (match === null || text.endsWith(',')) return undefined;
  const sum = Number(match[1]);
  const zero = Number.parseInt(match[2] ?? '', RADIX);
  const buckets: [number, number][] = [];
  let index = 0;
  for (const part of match[3] ? match[3].split(',') : []) {
    const [gap = '', count = '1'] = part.split(':');
    const step = Number.parseInt(gap, RADIX);
    const inBucket = Number.parseInt(count, RADIX);
    if (buckets.length > 0 && step <= 0) return undefined;
    index += step;
    if (index < MIN_INDEX || index > MAX_INDEX || inBucket < 1 || inBucket > Number.MAX_SAFE_INTEGER) return undefined;
    buckets.push([index, inBucket]);
  }
  if (!Number.isFinite(sum) || zero > Number.MAX_SAFE_INTEGER) return undefined;
  return { sum, zero, buckets };
}
