/**
 * The Mann-Whitney test with interval and estimate of the shift, as Kayenta computes it (after R's
 * `wilcox.test`).
 */
import { findZero } from './brent.ts';
import { normalQuantile } from './normal.ts';

/** The shift experiment − control: interval and Hodges-Lehmann-like estimate. */
export interface ShiftEstimate {
  readonly low: number;
  readonly high: number;
  readonly estimate: number;
}

/** Kayenta's rank test cannot handle the values; its judge then classifies the metric as Error. */
export class AllTiedError extends Error {
  override readonly name = 'AllTiedError';
  constructor() {
    super('No interval can be computed where all observations are tied.');
  }
}

/** Rank sum of the first sample, and Σ(t³ − t) over groups of t equal values in both. */
interface RankSum {
  readonly ranks: number;
  readonly ties: number;
}

/**
 * Interval and estimate of the shift between two samples without NaN, in any order.
 *
 * Memory is linear: every evaluation merges the two sorted samples. The interval is where the normal
 * approximation with continuity and tie correction reaches ±z, the estimate where it reaches 0.
 * @throws AllTiedError if all values coincide for some shift.
 */
export function mannWhitney(
  experiment: Float64Array,
  control: Float64Array,
  confidenceLevel: number,
): ShiftEstimate {
  const x = Float64Array.from(experiment).sort();
  const y = Float64Array.from(control).sort();
  const shifted = new Float64Array(x.length);
  const statistic = (shift: number) => rankStatistic(shiftInto(shifted, x, shift), y);
  const shiftMin = at(x, 0) - at(y, y.length - 1);
  const shiftMax = at(x, x.length - 1) - at(y, 0);
  const zMin = statistic(shiftMin);
  const zMax = statistic(shiftMax);
  const z = normalQuantile((1 - confidenceLevel) / 2);

  const root = (target: number) =>
    findZero((shift) => statistic(shift) - target, shiftMin, shiftMax, zMin - target, zMax - target);
  const end = (target: number) => {
    if (zMin - target <= 0) return shiftMin;
    if (zMax - target >= 0) return shiftMax;
    return root(target);
  };
  return { low: end(-z), high: end(z), estimate: root(0) };
}

/** Writes sorted x − shift into `target`. NaN (∞ − ∞) becomes +∞: Kayenta ranks it highest. */
function shiftInto(target: Float64Array, x: Float64Array, shift: number): Float64Array {
  for (let i = 0; i < x.length; i++) target[i] = at(x, i) - shift;
  if (Number.isFinite(shift)) return target;
  for (let i = 0; i < x.length; i++) if (Number.isNaN(at(target, i))) target[i] = Number.POSITIVE_INFINITY;
  return target.sort();
}

/**
 * Standardised rank sum of x against y, both sorted, with continuity and tie correction.
 * @throws AllTiedError
 */
export function rankStatistic(x: Float64Array, y: Float64Array): number {
  const m = x.length;
  const n = y.length;
  const { ranks, ties } = rankSum(x, y);
  const deviation = ranks - (m * (m + 1)) / 2 - (m * n) / 2;
  const sigma = Math.sqrt(((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1))));
  if (sigma === 0) throw new AllTiedError();
  return (deviation - Math.sign(deviation) * 0.5) / sigma;
}

/**
 * Sum of the ranks that sorted x has in x ∪ y, y sorted; equal values share their mean rank, and −0 comes
 * before 0, as in Java.
 */
export function rankSum(x: Float64Array, y: Float64Array): RankSum {
  let ranks = 0;
  let ties = 0;
  let i = 0;
  let j = 0;
  while (i < x.length || j < y.length) {
    const start = i + j;
    const firstX = i;
    const value = j >= y.length || (i < x.length && !before(at(y, j), at(x, i))) ? at(x, i) : at(y, j);
    while (i < x.length && equal(at(x, i), value)) i++;
    while (j < y.length && equal(at(y, j), value)) j++;
    const group = i + j - start;
    ranks += (i - firstX) * (start + (group + 1) / 2);
    ties += group * group * group - group;
  }
  return { ranks, ties };
}

const equal = (a: number, b: number) => a === b && (a !== 0 || Object.is(a, b));
const before = (a: number, b: number) => a < b || (a === 0 && b === 0 && Object.is(a, -0) && Object.is(b, 0));
const at = (values: Float64Array, index: number) => values[index] as number;
