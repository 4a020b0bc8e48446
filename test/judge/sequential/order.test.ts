/** The whole distribution of latency as a metric that decides, and bets on a slowdown that is plain. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createSequentialJudge,
  histogramOf,
  judgeExperiment,
  observe,
  type Second,
  verdict,
} from '../../../src/judge/index.ts';
import { seededUniform } from '../../../src/judge/random.ts';
import { logMoments } from '../../../src/judge/sequential/hypergeometric.ts';
import { betOnOrder, furthestApart, noOrderBets } from '../../../src/judge/sequential/order.ts';
import { betOnPlain, noPlainBets } from '../../../src/judge/sequential/plain-bets.ts';
import { addBlock, noDenseCounts, sparse } from '../../../src/judge/sequential/slots.ts';
import { logEvidence } from '../../../src/judge/sequential/wealth.ts';
import { experiment, seconds } from './experiments.ts';

/** Answers of about 20 ms, a share of them in a second mode of about 200 ms. */
function withMode(count: number, baseline: number, candidate: number, seed: number): readonly Second[] {
  const random = seededUniform(seed);
  const side = (share: number) => {
    const values = Array.from({ length: 100 }, () => (random() < share ? 200 : 20) * (0.8 + 0.4 * random()));
    return { routes: { 'GET /': { requests: 100, status: { '2xx': 100 }, latency: histogramOf(values) } } };
  };
  return Array.from({ length: count }, (_, at) => ({
    at,
    baseline: side(baseline),
    candidate: side(candidate),
  }));
}

const whole = (data: readonly Second[]) => {
  const said = judgeExperiment(experiment(data));
  const found = said.metrics.find(({ kind }) => kind === 'latency-distribution');
  if (found === undefined) throw new Error('The verdict has no latency distribution.');
  return { said, found };
};

describe('the whole distribution', () => {
  test('finds a second mode that grows from 3 to 6 %, which no quantile sees', () => {
    const { said, found } = whole(withMode(120, 0.03, 0.06, 1));
    expect(said.metrics.filter(({ kind, verdict: label }) => kind === 'latency' && label === 'high')).toEqual(
      [],
    );
    expect(said).toMatchObject({ verdict: 'failed', decidedBy: ['latency distribution'] });
    expect(found.reason).toContain('slower by more than the tolerated 10 % anywhere in the distribution');
  });

  test('finds it at other seeds too, and the same mode on both sides never', () => {
    const verdicts = (candidate: number) =>
      Array.from({ length: 6 }, (_, seed) => whole(withMode(120, 0.03, candidate, seed)).found.verdict);
    expect(verdicts(0.06).filter((label) => label === 'high').length).toBeGreaterThanOrEqual(5);
    expect(verdicts(0.03)).not.toContain('high');
  });

  test('tolerates what the quantiles tolerate', () => {
    expect(whole(seconds(120, {}, { median: 21.5 })).found.verdict).not.toBe('high');
    expect(whole(seconds(120, {}, { median: 26 })).found.verdict).toBe('high');
  });

  test('informative, it decides nothing, and says that they differ', () => {
    const state = withMode(120, 0.03, 0.4, 1).reduce(
      observe,
      createSequentialJudge({ quantiles: [], metrics: { 'latency-distribution': { role: 'informative' } } }),
    );
    const said = verdict(state, { ended: true });
    expect(said.verdict).not.toBe('failed');
    expect(said.metrics.find(({ kind }) => kind === 'latency-distribution')).toMatchObject({
      verdict: 'high',
      weight: 0,
      evidence: null,
    });
  });

  test('bets where the past differed most, and as fairly as on a coin', () => {
    const values = fc.array(fc.double({ min: 1, max: 1000, noNaN: true }), { minLength: 5, maxLength: 40 });
    const tolerance = { tolerance: 0, absolute: 0 };
    const counts = (list: readonly number[]) => sparse([histogramOf(list)]);
    fc.assert(
      fc.property(values, values, values, values, (b, c, one, other) => {
        const seen = {
          baseline: addBlock(noDenseCounts(), counts(b)),
          candidate: addBlock(noDenseCounts(), counts(c)),
        };
        const place = furthestApart(seen, tolerance);
        fc.pre(place !== null && place.baseline === place.candidate);
        const wealth = (baseline: readonly number[], candidate: readonly number[]) => {
          const block = { baseline: counts(baseline), candidate: counts(candidate) };
          return Math.exp(logEvidence(betOnOrder(noOrderBets(), seen, [block], tolerance).wealth, 0));
        };
        expect((wealth(one, other) + wealth(other, one)) / 2).toBeCloseTo(1, 9);
      }),
    );
  });
});

describe('bets on a plain slowdown', () => {
  const beyond = (answers: number, slow: number) => ({
    counts: sparse([histogramOf([...Array(answers - slow).fill(1), ...Array(slow).fill(100)])]),
    from: 600,
  });
  const evidence = (n: number, c: number, m: number, b: number) =>
    Math.exp(logEvidence(betOnPlain(noPlainBets(), beyond(m, b), beyond(n, c), 0).wealth, 0));

  test('are not expected to grow under chance alone, given how many answers are slow', () => {
    const answers = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(answers, answers, fc.nat(24), (n, m, many) => {
        const slow = many % (n + m + 1);
        const choose = (of: number, k: number): number => (k === 0 ? 1 : (choose(of - 1, k - 1) * of) / k);
        let expected = 0;
        for (let c = Math.max(0, slow - m); c <= Math.min(n, slow); c++)
          expected +=
            (choose(n, c) * choose(m, slow - c) * evidence(n, c, m, slow - c)) / choose(n + m, slow);
        expect(expected).toBeLessThanOrEqual(1 + 1e-9);
        expect(logMoments(slow, n, m, [0])[0]).toBeCloseTo(0, 9);
      }),
    );
  });

  test('a candidate three times as slow fails in less than twelve seconds, and not in six', () => {
    const failsAfter = (count: number) =>
      judgeExperiment(experiment(seconds(5 + count, {}, { median: 60 }))).verdict === 'failed';
    expect(failsAfter(6)).toBe(false);
    expect(failsAfter(11)).toBe(true);
  });

  test('five seconds in which one side is slow are no alarm', () => {
    const stall = (at: number) => (at >= 20 && at < 25 ? { median: 200 } : {});
    for (let seed = 0; seed < 4; seed++)
      expect(judgeExperiment(experiment(seconds(60, {}, stall, seed))).verdict).not.toBe('failed');
  });
});
