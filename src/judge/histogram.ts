/** Sparse logarithmic histograms, as in samples and reports. */
import { HISTOGRAM_GAMMA, type LogHistogram } from './types.ts';

const LN_GAMMA = Math.log(HISTOGRAM_GAMMA);

/** Index of the bucket that holds `value` > 0: the smallest i with value ≤ γ^i. */
export function bucketOf(value: number): number {
  // Adding 0 makes −0, the bucket of 1, the index 0 that JSON keys have.
  return Math.ceil(Math.log(value) / LN_GAMMA - 1e-9) + 0;
}

/** Upper edge γ^i of bucket `index`. */
export function upperEdge(index: number): number {
  return Math.exp(index * LN_GAMMA);
}

/**
 * The histogram of `values`; see `LogHistogram` for units. All must be finite.
 */
export function histogramOf(values: Iterable<number>): LogHistogram {
  let zero = 0;
  const counts: Record<string, number> = {};
  for (const value of values) {
    if (!Number.isFinite(value)) throw new RangeError(`A histogram counts finite numbers, not ${value}.`);
    if (value <= 0) zero++;
    else {
      const key = String(bucketOf(value));
      counts[key] = (counts[key] ?? 0) + 1;
    }
  }
  return zero === 0 ? { counts } : { zero, counts };
}
