/**
 * What makes the guarantees: under its hypothesis no e-value is expected to grow. Checked by adding up all
 * outcomes.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countSecond,
  differenceInterval,
  noCounts,
  noWorseCount,
  type Trials,
} from '../../../src/judge/sequential/counts.ts';
import { logMoments } from '../../../src/judge/sequential/hypergeometric.ts';
import { betOn, noSymmetricBets } from '../../../src/judge/sequential/symmetric.ts';
import { afterRound, peakEvidence, progress, startingWealth } from '../../../src/judge/sequential/wealth.ts';

const MARGIN = { difference: 0.05, ratio: 0.25 };

const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
const binomial = (n: number, p: number) =>
  Array.from({ length: n + 1 }, (_, k) => choose(n, k) * p ** k * (1 - p) ** (n - k));

/**
 * Expectation of `value` over all outcomes of n candidate requests that fail with p, and m baseline requests
 * that fail with q.
 */
function expectation(n: number, p: number, m: number, q: number, value: (trials: Trials) => number): number {
  let sum = 0;
  for (const [c, pc] of binomial(n, p).entries()) {
    for (const [b, pb] of binomial(m, q).entries()) {
      if (pc * pb === 0) continue;
      sum +=
        pc * pb * value({ candidateTrials: n, candidateEvents: c, baselineTrials: m, baselineEvents: b });
    }
  }
  return sum;
}

const trials = fc.integer({ min: 1, max: 8 });
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('the alarm about a rate', () => {
  const evalue = (trials: Trials) =>
    Math.exp(progress(countSecond(noCounts(), [trials], MARGIN).odds, 0).current);

  test(
    'is not expected to grow where the candidate is as good as the baseline, or better, whatever the ' +
      'rates',
    () => {
      fc.assert(
        fc.property(trials, trials, share, share, (n, m, q, better) => {
          expect(expectation(n, q * better, m, q, evalue)).toBeLessThanOrEqual(1 + 1e-9);
        }),
      );
    },
  );

  test('is not expected to grow under chance alone, given how many events there were', () => {
    fc.assert(
      fc.property(trials, trials, fc.integer({ min: 0, max: 16 }), (n, m, events) => {
        fc.pre(events <= n + m);
        let sum = 0;
        for (let c = Math.max(0, events - m); c <= Math.min(n, events); c++) {
          const outcome = {
            candidateTrials: n,
            candidateEvents: c,
            baselineTrials: m,
            baselineEvents: events - c,
          };
          sum += ((choose(n, c) * choose(m, events - c)) / choose(n + m, events)) * evalue(outcome);
        }
        expect(sum).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  test('no single second can reach it', () => {
    const worst = { candidateTrials: 1000, candidateEvents: 1000, baselineTrials: 1000, baselineEvents: 0 };
    const once = countSecond(noCounts(), [worst], MARGIN);
    expect(peakEvidence(once.odds, 0)).toBeLessThanOrEqual(2.5);
    const routes = countSecond(noCounts(), [worst, worst, worst], MARGIN);
    expect(peakEvidence(routes.odds, 0)).toBeLessThanOrEqual(2.5);
  });
});

test('the pass of a rate is not expected where the candidate is worse by the margin', () => {
  const evalue = (trials: Trials) =>
    Math.exp(noWorseCount(countSecond(noCounts(), [trials], MARGIN)).current);
  fc.assert(
    fc.property(trials, trials, share, share, (n, m, q, more) => {
      const least = Math.max(q + MARGIN.difference, q * (1 + MARGIN.ratio));
      fc.pre(least <= 1);
      const p = least + (1 - least) * more;
      expect(expectation(n, p, m, q, evalue)).toBeLessThanOrEqual(1 + 1e-9);
    }),
  );
});

test('an end of the interval excludes the true difference no more often than stated', () => {
  // One second at a time, all outcomes: the chance that the interval of the first second misses the truth.
  const truths = [
    [0.3, 0.3],
    [0.9, 0.1],
    [0, 0.5],
  ] as const;
  for (const [p, q] of truths) {
    const missed = expectation(30, p, 30, q, (trials) => {
      const [low, high] = differenceInterval(countSecond(noCounts(), [trials], MARGIN), 0.95);
      return (low !== null && low > p - q + 1e-12) || (high !== null && high < p - q - 1e-12) ? 1 : 0;
    });
    expect(missed).toBeLessThanOrEqual(0.05);
  }
});

describe('bets on symmetric differences', () => {
  const differences = fc.array(
    fc.integer({ min: -500, max: 500 }).map((value) => value / 100),
    { minLength: 1, maxLength: 8 },
  );
  const final = (signed: readonly number[]) => {
    const bets = signed.reduce(
      (state, difference) => betOn(state, Float64Array.of(difference)),
      noSymmetricBets(1),
    );
    return Math.exp(progress(bets.wealth, 0).current);
  };

  test('have expectation one where every sign is as likely as the other', () => {
    fc.assert(
      fc.property(differences, (sizes) => {
        let sum = 0;
        for (let signs = 0; signs < 2 ** sizes.length; signs++) {
          sum += final(sizes.map((size, i) => ((signs >> i) & 1 ? size : -size)));
        }
        expect(sum / 2 ** sizes.length).toBeCloseTo(1, 9);
      }),
    );
  });

  test('never more than double in a block', () => {
    fc.assert(
      fc.property(differences, (sizes) => {
        expect(final(sizes)).toBeLessThanOrEqual(2 ** sizes.length + 1e-9);
      }),
    );
  });

  test('do not depend on the unit', () => {
    fc.assert(
      fc.property(differences, fc.double({ min: 0.01, max: 100, noNaN: true }), (sizes, unit) => {
        const other = final(sizes.map((size) => size * unit));
        expect(Math.abs(Math.log(other / final(sizes)))).toBeLessThan(1e-6);
      }),
    );
  });
});

describe('wealth', () => {
  test('its peak never falls, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { maxLength: 20 }), (gains) => {
        let wealth = startingWealth(1, 3);
        let before = 0;
        for (const gain of gains) {
          wealth = afterRound(wealth, (_, gambler) => gain * (gambler - 1));
          const { peak, current, leader } = progress(wealth, 0);
          expect(peak).toBeGreaterThanOrEqual(before);
          expect(peak).toBeGreaterThanOrEqual(current - 1e-12);
          expect(leader).toBeGreaterThanOrEqual(current - 1e-12);
          before = peak;
        }
      }),
    );
  });

  test('ruin of all gamblers is the end, not an error', () => {
    const ruined = afterRound(startingWealth(1, 2), () => Number.NEGATIVE_INFINITY);
    expect(progress(ruined, 0)).toEqual({
      peak: 0,
      current: Number.NEGATIVE_INFINITY,
      leader: Number.NEGATIVE_INFINITY,
    });
  });
});

describe('moments of the hypergeometric distribution', () => {
  test('are those of all subsets', () => {
    fc.assert(
      fc.property(
        trials,
        trials,
        fc.integer({ min: 0, max: 16 }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (n, m, events, slope) => {
          fc.pre(events <= n + m);
          let sum = 0;
          for (let c = Math.max(0, events - m); c <= Math.min(n, events); c++) {
            sum += (choose(n, c) * choose(m, events - c) * Math.exp(slope * c)) / choose(n + m, events);
          }
          expect(logMoments(events, n, m, [slope])[0]).toBeCloseTo(Math.log(sum), 9);
        },
      ),
    );
  });

  test('beyond what is added up exactly, a bound that is no smaller', () => {
    const slopes = [-1, -0.1, 0.1, 1];
    const bound = logMoments(5000, 5000, 5000, slopes);
    // Half of all requests are events: mean 2,500, variance 625; for small slopes ln E ≈ slope·mean +
    // slope²·variance/2.
    expect(bound[2]).toBeGreaterThanOrEqual(0.1 * 2500 + (0.01 * 625) / 2);
    expect(bound[1]).toBeGreaterThanOrEqual(-0.1 * 2500 + (0.01 * 625) / 2);
    expect(bound.every(Number.isFinite)).toBe(true);
  });
});

test('parts of a bigger side share the stake: nothing is expected of exchangeable values', () => {
  // One of five values is the candidate's, each as likely; the other four are compared with it one by one.
  const values = [1, 2, 3, 5, 9];
  const before = betOn(noSymmetricBets(1), Float64Array.of(2));
  const returned = values.map((candidate, own) => {
    const others = values.filter((_, index) => index !== own);
    const after = betOn(before, ...others.map((value) => Float64Array.of(candidate - value)));
    return [...after.wealth.logs].map((log, gambler) => Math.exp(log - (before.wealth.logs[gambler] ?? 0)));
  });
  for (let gambler = 0; gambler < 3; gambler++) {
    const mean = returned.reduce((sum, all) => sum + (all[gambler] ?? 0), 0) / values.length;
    expect(mean).toBeCloseTo(1, 9);
  }
});
