/** Properties of the rank test that hold for all data. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AllTiedError,
  mannWhitney,
  rankStatistic,
  rankSum,
} from '../../../src/judge/kayenta/mann-whitney.ts';
import { normalQuantile } from '../../../src/judge/kayenta/normal.ts';
import { commonLanguageEffect, percentile, roundToCents } from '../../../src/judge/kayenta/statistics.ts';

/** Few distinct values, so that ties are common. */
const values = fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 1, maxLength: 30 });
const sorted = (list: readonly number[]) => Float64Array.from(list).sort();

test('ranks are those of pairwise comparison', () => {
  fc.assert(
    fc.property(values, values, (x, y) => {
      let ranks = 0;
      for (const a of x) {
        const all = [...x, ...y];
        ranks += all.filter((b) => b < a).length + (all.filter((b) => b === a).length + 1) / 2;
      }
      expect(rankSum(sorted(x), sorted(y)).ranks).toBeCloseTo(ranks, 9);
    }),
  );
});

test('ties are counted over both samples', () => {
  fc.assert(
    fc.property(values, values, (x, y) => {
      const counts = new Map<number, number>();
      for (const value of [...x, ...y]) counts.set(value, (counts.get(value) ?? 0) + 1);
      const ties = [...counts.values()].reduce((sum, t) => sum + t ** 3 - t, 0);
      expect(rankSum(sorted(x), sorted(y)).ties).toBe(ties);
    }),
  );
});

test('−0 and 0 are different values, as in Java', () => {
  expect(rankSum(Float64Array.of(-0), Float64Array.of(0))).toEqual({ ranks: 1, ties: 0 });
  expect(rankSum(Float64Array.of(0), Float64Array.of(-0))).toEqual({ ranks: 2, ties: 0 });
});

test('swapping the samples turns the statistic around', () => {
  fc.assert(
    fc.property(values, values, (x, y) => {
      fc.pre(new Set([...x, ...y]).size > 1);
      expect(rankStatistic(sorted(x), sorted(y))).toBeCloseTo(-rankStatistic(sorted(y), sorted(x)), 9);
    }),
  );
});

test('the order of the data does not matter, and inputs stay as they were', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([1, 2.5, 2.5, 3, 7, 8, 8.25, 9], { minLength: 8 }), (x) => {
      const y = Float64Array.of(2, 4, 4, 6, 1, 0.5);
      const input = Float64Array.from(x);
      expect(mannWhitney(input, y, 0.98)).toEqual(mannWhitney(sorted(x), y.toSorted(), 0.98));
      expect([...input]).toEqual(x);
    }),
  );
});

test('the interval of well separated samples holds the shift', () => {
  const random = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1;
  const x = Float64Array.from({ length: 400 }, (_, i) => 10 + random(i));
  const y = Float64Array.from({ length: 300 }, (_, i) => 4 + random(i + 1000));
  const shift = mannWhitney(x, y, 0.98);
  expect(shift.low).toBeLessThan(6);
  expect(shift.high).toBeGreaterThan(6);
  expect(shift.estimate).toBeCloseTo(6, 0);
});

test('where everything is tied there is no interval', () => {
  expect(() => mannWhitney(Float64Array.of(2), Float64Array.of(1), 0.98)).toThrow(AllTiedError);
});

test('infinite values are ranked, not lost', () => {
  const x = Float64Array.of(1, 2, Number.POSITIVE_INFINITY, 5, 6, 7);
  expect(() => mannWhitney(x, Float64Array.of(1, 2, 3, 4), 0.98)).not.toThrow();
});

test('normal quantiles in the centre and in both tails', () => {
  // From tables; R: qnorm(c(0.5, 0.025, 0.9995, 1e-6)).
  expect(normalQuantile(0.5)).toBe(0);
  expect(normalQuantile(0.025)).toBeCloseTo(-1.959963984540054, 12);
  expect(normalQuantile(0.9995)).toBeCloseTo(3.290526731491926, 11);
  expect(normalQuantile(1e-6)).toBeCloseTo(-4.753424308822899, 9);
});

test('common language effect sizes of swapped samples sum to one', () => {
  fc.assert(
    fc.property(values, values, (x, y) => {
      const [a, b] = [Float64Array.from(x), Float64Array.from(y)];
      expect(commonLanguageEffect(a, b) + commonLanguageEffect(b, a)).toBeCloseTo(1, 12);
    }),
  );
});

test('percentiles lie between the extremes and rise', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 100, noNaN: true }), (x, p) => {
      const data = sorted(x);
      expect(percentile(data, p)).toBeGreaterThanOrEqual(data[0] ?? Number.NaN);
      expect(percentile(data, p)).toBeLessThanOrEqual(data.at(-1) ?? Number.NaN);
      expect(percentile(data, 100)).toBe(data.at(-1));
    }),
  );
});

test.each([
  [66.66666666666667, 66.67],
  [0.005, 0.01],
  [1.005, 1.01],
  [2.675, 2.68],
  [99.994999, 99.99],
  [-0.125, -0.13],
  [100, 100],
  [1e-9, 0],
])('%d is rounded to %d', (value, rounded) => {
  expect(roundToCents(value)).toBe(rounded);
});
