import { describe, expect, it } from 'vitest';
import { OVERLOADS, overloaded } from '../../../bench/judge/overload.ts';
import { saturation } from '../../../src/canary/judging/saturation.ts';
import { histogramOf } from '../../../src/judge/histogram.ts';
import type { Second } from '../../../src/judge/types.ts';

type Latency = (at: number) => number;

/** Seconds in which every request of a side takes as long as its function says. */
function seconds(count: number, baseline: Latency, candidate: Latency, unanswered = 0): Second[] {
  const side = (latency: number, lost: number): Second['baseline'] => ({
    routes: {
      'GET /': {
        requests: 50,
        status: { '2xx': 50 - lost },
        latency: histogramOf(Array.from({ length: 50 }, () => latency)),
        size: { counts: {} },
      },
    },
  });
  return Array.from({ length: count }, (_, at) => ({
    at,
    baseline: side(baseline(at), unanswered),
    candidate: side(candidate(at), 0),
  }));
}

/** Up and down every other second: what follows is not like what was. */
const flicker =
  (low: number, high: number): Latency =>
  (at) =>
    at % 2 === 0 ? low : high;
/** Slowly up and down. */
const waves =
  (low: number, high: number, shift = 0): Latency =>
  (at) =>
    low + ((high - low) * (1 + Math.sin((at + shift) / 4))) / 2;

describe('whether an experiment could show anything', () => {
  it.each<[string, Second[]]>([
    ['nothing was asked', []],
    [
      'both are calm',
      seconds(
        60,
        () => 12,
        () => 12,
      ),
    ],
    [
      'the candidate is slower, calmly',
      seconds(
        60,
        () => 12,
        () => 20,
      ),
    ],
    ['both wander together, as load does that drifts', seconds(60, waves(5, 50), waves(5, 50))],
    ['both flicker, as a busy machine does', seconds(60, flicker(5, 50), (at) => flicker(5, 50)(at + 1))],
    [
      'the candidate is far beyond the worst second of a baseline that wanders',
      seconds(60, waves(5, 50), () => 900),
    ],
    [
      'the service is always slow',
      seconds(
        60,
        () => 3_000,
        () => 3_000,
      ),
    ],
    ['there were too few seconds', seconds(7, waves(5, 500), waves(5, 500, 9))],
  ])('%s: nothing speaks against it', (_, data) => {
    expect(saturation(data)).toBeNull();
  });

  it.each<[string, Second[], boolean, RegExp]>([
    [
      'each wanders for itself',
      seconds(60, waves(5, 50), waves(5, 50, 9)),
      false,
      /^Requests queue: the baseline's own median/,
    ],
    [
      "the baseline's queue grows",
      seconds(
        30,
        (at) => 20 + at * 200,
        (at) => 20 + at * 200,
      ),
      true,
      /cannot keep up.*went from 20\.1 ms/,
    ],
    [
      'requests of the baseline are not answered',
      seconds(
        30,
        () => 20,
        () => 20,
        2,
      ),
      true,
      /4 % of its requests got no answer/,
    ],
  ])('%s: it could not', (_, data, hopeless, reason) => {
    expect(saturation(data)).toEqual({ reason: expect.stringMatching(reason), hopeless });
  });
});

describe('a version against itself near and beyond what its host carries', () => {
  it.each(OVERLOADS.filter(({ worse }) => !worse).map((overload) => [overload.name, overload] as const))(
    '%s: not rejected',
    (_, overload) => {
      expect(overloaded(overload, 1)).not.toBe('failed');
    },
  );

  it('a candidate that cannot keep up where the baseline can is rejected', () => {
    const overload = OVERLOADS.find(({ name }) => name === 'busy 80 %, candidate 110 %');
    expect(overload && overloaded(overload, 1)).toBe('failed');
  });
});
