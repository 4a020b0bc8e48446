/** Sums and maps over the two sides. */
import type { PerSide } from '../types.ts';

export const NONE: PerSide<number> = { baseline: 0, candidate: 0 };

export const plus = (a: PerSide<number>, b: PerSide<number>): PerSide<number> => ({
  baseline: a.baseline + b.baseline,
  candidate: a.candidate + b.candidate,
});

export function both<T, R>(pair: PerSide<T>, f: (value: T, side: 'baseline' | 'candidate') => R): PerSide<R> {
  return { baseline: f(pair.baseline, 'baseline'), candidate: f(pair.candidate, 'candidate') };
}

/** Ratio of the larger number to the smaller; 1 if both are 0. */
export function imbalance({ baseline, candidate }: PerSide<number>): number {
  return baseline === candidate ? 1 : Math.max(baseline, candidate) / Math.min(baseline, candidate);
}
