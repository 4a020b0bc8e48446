/** Histograms in memory. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketOf, histogramOf, upperEdge } from '../../../src/judge/index.ts';
import { seededUniform } from '../../../src/judge/random.ts';
import {
  addBlock,
  merge,
  noDenseCounts,
  quantileSlot,
  shareFrom,
  slotMiddle,
  slotOfIndex,
  sparse,
  spread,
  thinned,
} from '../../../src/judge/sequential/slots.ts';

const latencies = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 60 });

test('a bucket holds what its edges say', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-4, max: 1e12, noNaN: true }), (value) => {
      const index = bucketOf(value);
      expect(value).toBeLessThanOrEqual(upperEdge(index) * (1 + 1e-9));
      expect(value).toBeGreaterThan(upperEdge(index - 1) * (1 - 1e-9));
    }),
  );
  for (const index of [-300, -1, 0, 1, 117, 900]) expect(bucketOf(upperEdge(index))).toBe(index);
});

test('what is no number is no value', () => {
  expect(() => histogramOf([1, Number.NaN])).toThrow(RangeError);
  expect(histogramOf([0, -1, 1])).toEqual({ zero: 2, counts: { '0': 1 } });
});

test('values beyond the slots are counted in the outermost', () => {
  const block = sparse([{ counts: { '-9999': 2, '9999': 3 } }]);
  expect(block).toEqual({ slots: [1, 2047], counts: [2, 3], total: 5 });
  expect(slotOfIndex(0)).toBe(512);
});

test('merging and adding keep every count', () => {
  fc.assert(
    fc.property(latencies, latencies, (a, b) => {
      const [x, y] = [sparse([histogramOf(a)]), sparse([histogramOf(b)])];
      expect(merge(x, y)).toEqual(sparse([histogramOf([...a, ...b])]));
      const dense = addBlock(addBlock(noDenseCounts(), x), y);
      expect(dense.total).toBe(a.length + b.length);
    }),
  );
});

test('a quantile is within a bucket of the true one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 60 }),
      fc.constantFrom(0.5, 0.9, 0.99),
      (values, q) => {
        const dense = addBlock(noDenseCounts(), sparse([histogramOf(values)]));
        const sorted = values.toSorted((a, b) => a - b);
        const truth = sorted[Math.ceil(q * values.length) - 1] ?? Number.NaN;
        expect(slotMiddle(quantileSlot(dense, q)) / truth).toBeGreaterThan(0.98);
        expect(slotMiddle(quantileSlot(dense, q)) / truth).toBeLessThan(1.02);
      },
    ),
  );
});

describe('a clock that counts milliseconds', () => {
  test('spreading loses no value, and keeps the mean', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const before = sparse([histogramOf(values)]);
        const after = spread(before, 1);
        expect(after.total).toBeCloseTo(before.total, 6);
        expect(Math.min(...after.counts)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('12 ms is anything from 11.5 to 12.5', () => {
    const block = spread(sparse([histogramOf([12])]), 1);
    const share = (above: number) => shareFrom(block, slotOfIndex(bucketOf(above)) + 1);
    expect(share(11.4)).toBeCloseTo(1, 6);
    expect(share(12.6)).toBe(0);
    expect(share(upperEdge(125))).toBeCloseTo(12.5 - upperEdge(125), 6);
  });

  test('a finer clock, or slots wider than its ticks, change nothing', () => {
    const block = sparse([histogramOf([12, 250, 900])]);
    expect(spread(block, 0)).toBe(block);
    expect(spread(sparse([histogramOf([250, 900])]), 1)).toEqual(sparse([histogramOf([250, 900])]));
  });
});

describe('a random part', () => {
  test('has the size asked for, and never more of a value than there is', () => {
    fc.assert(
      fc.property(
        latencies,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer(),
        (values, part, seed) => {
          const block = sparse([histogramOf(values)]);
          const size = Math.floor(part * block.total);
          const drawn = thinned(block, size, seededUniform(seed));
          expect(drawn.counts.reduce((sum, count) => sum + count, 0)).toBe(size);
          expect(drawn.counts.every((count, i) => count <= (block.counts[i] ?? 0))).toBe(true);
        },
      ),
    );
  });

  test('every value is as likely as the other to be drawn', () => {
    const block = sparse([histogramOf([1, 10, 100, 1000])]);
    const random = seededUniform(7);
    const hits = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++) {
      thinned(block, 1, random).counts.forEach((count, slot) => {
        hits[slot] = (hits[slot] ?? 0) + count;
      });
    }
    for (const hit of hits) expect(Math.abs(hit - 1000)).toBeLessThan(120);
  });
});
