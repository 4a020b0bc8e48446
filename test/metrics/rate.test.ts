import { describe, expect, it } from 'vitest';
import { increase, perSecond, share } from '../../src/metrics/rate.ts';

describe('counters', () => {
  it.each([
    ['grew', 10, 15, 5],
    ['stood', 10, 10, 0],
    ['began again at zero', 10, 3, 3],
    ['were never seen before', undefined, 3, undefined],
    ['are gone', 10, undefined, undefined],
  ])('that %s', (_, before, now, expected) => {
    expect(increase(before, now)).toBe(expected);
  });

  it.each([
    [10, 20, 5, 2],
    [10, 20, 0, null],
    [undefined, 20, 5, null],
  ])('per second: from %s to %s in %s s', (before, now, seconds, expected) => {
    expect(perSecond(before, now, seconds)).toBe(expected);
  });

  it.each([
    [10, 40, 0.25],
    [0, 0, null],
    [50, 40, 1],
  ])('as a share: %s of %s', (part, whole, expected) => {
    expect(share(part, whole)).toBe(expected);
  });
});
