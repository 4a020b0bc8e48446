/** Sums and maps over the two variants. */
import type { PerVariant } from '../types.ts';

export const NONE: PerVariant<number> = { baseline: 0, candidate: 0 };

export const plus = (a: PerVariant<number>, b: PerVariant<number>): PerVariant<number> => ({
  baseline: a.baseline + b.baseline,
  candidate: a.candidate + b.candidate,
});

export function both<T, R>(
  pair: PerVariant<T>,
  f: (value: T, variant: 'baseline' | 'candidate') => R,
): PerVariant<R> {
  return { baseline: f(pair.baseline, 'baseline'), candidate: f(pair.candidate, 'candidate') };
}

/** Larger of the two numbers to the smaller; equal when both are 0. */
export function imbalance({ baseline, candidate }: PerVariant<number>): number {
  return baseline === candidate ? 1 : Math.max(baseline, candidate) / Math.min(baseline, candidate);
}
