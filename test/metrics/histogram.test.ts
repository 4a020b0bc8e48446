import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, upperEdge as judgeUpperEdge } from '../../src/judge/histogram.ts';
import { HISTOGRAM_GAMMA, type LogHistogram } from '../../src/judge/types.ts';
import { DenseHistogram, decodeHistogram, EncodedHistogram, sumHistograms } from '../../src/metrics/dense.ts';
import {
  bucketIndex,
  countOf,
  encodeHistogram,
  GAMMA,
  Histogram,
  type HistogramData,
  MAX_INDEX,
  MIN_INDEX,
  mergeHistograms,
  quantile,
  upperEdge,
} from '../../src/metrics/histogram.ts';

const of = (...values: number[]): HistogramData => {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.data();
};

const latency = fc.double({ min: 1e-6, max: 1e9, noNaN: true });

describe('the grid', () => {
  it("is the judge's", () => {
    expect(GAMMA).toBe(HISTOGRAM_GAMMA);
    fc.assert(fc.property(latency, (value) => bucketIndex(value) === bucketOf(value)));
    expect(upperEdge(123)).toBe(judgeUpperEdge(123));
    const accepted: LogHistogram = of(1, 2); // the shape too: a type error here is the failure
    expect(accepted.zero).toBe(0);
  });

  it('puts every value between the edges of its bucket', () => {
    fc.assert(
      fc.property(latency, (value) => {
        const index = bucketIndex(value);
        expect(value).toBeGreaterThan(upperEdge(index - 1) * (1 - 1e-9));
        expect(value).toBeLessThanOrEqual(upperEdge(index) * (1 + 1e-9));
      }),
    );
  });

  it('moves every value by k buckets when it is scaled by γ^k', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: -20, max: 20 }), (value, k) => {
        expect(Math.abs(bucketIndex(value * GAMMA ** k) - bucketIndex(value) - k)).toBe(0);
      }),
    );
  });

  it('ends somewhere', () => {
    expect(bucketIndex(1e-300)).toBe(MIN_INDEX);
    expect(bucketIndex(1e300)).toBe(MAX_INDEX);
  });
});

describe('recording', () => {
  it.each([
    ['zero and below apart', [0, -1, 5], 2, 1],
    ['what is no number not at all', [Number.NaN, Number.POSITIVE_INFINITY, 5], 0, 1],
  ])('counts %s', (_, values, zero, inBuckets) => {
    const data = of(...values);
    expect([data.zero, countOf(data)]).toEqual([zero, zero + inBuckets]);
  });
});

describe('merging', () => {
  it('is the histogram of all values together, in any grouping', () => {
    const parts = fc.array(fc.array(fc.integer({ min: 0, max: 1e6 }), { maxLength: 30 }), { maxLength: 5 });
    fc.assert(
      fc.property(parts, (groups) => {
        const merged = mergeHistograms(groups.map((group) => of(...group)));
        expect(merged).toEqual(of(...groups.flat()));
      }),
    );
  });
});

describe('quantile', () => {
  it('is at most 2 % off', () => {
    const values = fc.array(fc.double({ min: 0.1, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.constantFrom(0, 0.01, 0.5, 0.9, 0.99, 1), (list, q) => {
        const sorted = list.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(q * list.length) - 1)] ?? 0;
        const estimate = quantile(of(...list), q) ?? 0;
        expect(estimate / exact).toBeGreaterThan(1 / GAMMA - 1e-6);
        expect(estimate / exact).toBeLessThan(GAMMA + 1e-6);
      }),
    );
  });

  it.each([
    ['nothing', of(), 0.5, undefined],
    ['zeros', of(0, 0, 0, 10), 0.5, 0],
    ['a q beyond the ends', of(100), 7, upperEdge(bucketIndex(100))],
  ])('of %s', (_, data, q, expected) => {
    expect(quantile(data, q)).toBe(expected);
  });
});

describe('as text', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1e7 }), { maxLength: 100 }), (values) => {
        const data = of(...values);
        expect(decodeHistogram(encodeHistogram(data))).toEqual(data);
      }),
    );
  });

  it('is short: 1000 requests around 20 ms take less than 300 characters', () => {
    const values = Array.from({ length: 1000 }, (_, i) => Math.round(20 * Math.exp(Math.sin(i) / 2)));
    expect(encodeHistogram(of(...values)).length).toBeLessThan(300);
  });

  it.each([
    ['', 'nothing'],
    ['1;0', 'a part missing'],
    ['1;0;1;1', 'a part too many'],
    ['-1;0;', 'a negative sum'],
    ['NaN;0;', 'a sum that is no number'],
    ['1;-1;', 'negative zeros'],
    ['1;0;5:0', 'an empty bucket'],
    ['1;0;5:-1', 'a negative count'],
    ['1;0;5,0', 'the same bucket twice'],
    ['1;0;5,-1', 'a bucket before the last'],
    ['1;0;zzz', 'a bucket beyond the grid'],
    ['1;0;5,', 'a comma too many'],
    ['1;0;5:zzzzzzzzzzz', 'a count beyond what numbers hold'],
    [`1;0;${'1,'.repeat(100)}x!`, 'something else at the end'],
  ])('refuses %j: %s', (text) => {
    expect(decodeHistogram(text)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void decodeHistogram(text)));
  });
});

describe('histograms that grow and encoded ones', () => {
  const some = fc.array(fc.integer({ min: 0, max: 1e9 }), { maxLength: 40 }).map((values) => {
    const grown = new Histogram();
    for (const value of values) grown.record(value / 1000);
    return grown.data();
  });

  it('merge as others do, and have the same quantiles', () => {
    fc.assert(
      fc.property(
        fc.array(some, { maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (parts, q) => {
          const encoded = parts.map((part) => new EncodedHistogram(encodeHistogram(part)));
          const merged = mergeHistograms(parts);
          for (const sum of [
            sumHistograms(parts),
            sumHistograms(encoded),
            sumHistograms([sumHistograms(encoded)]),
          ]) {
            expect(sum.counts).toEqual(merged.counts);
            expect(sum.zero).toBe(merged.zero);
            expect(sum.quantile(q)).toEqual(quantile(merged, q));
          }
        },
      ),
    );
  });

  it('do not change with what they were copied from', () => {
    const one = new DenseHistogram();
    one.count(5, 2);
    const copy = one.copy();
    one.count(-3, 1);
    expect(copy.counts).toEqual({ 5: 2 });
    expect(one.counts).toEqual({ 5: 2, [-3]: 1 });
  });
});
