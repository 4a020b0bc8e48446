/** A verdict can be computed again, and depends on nothing but the data. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createSequentialJudge,
  defaultSequentialConfig,
  JudgeInputError,
  judgeExperiment,
  observe,
  type Second,
  type SideSecond,
  verdict,
} from '../../../src/judge/index.ts';
import { experiment, type Side, seconds } from './experiments.ts';

const side: fc.Arbitrary<Partial<Side>> = fc.record(
  {
    rate: fc.integer({ min: 0, max: 40 }),
    errors: fc.constantFrom(0, 0.02, 0.5, 1),
    refused: fc.constantFrom(0, 0.1),
    unanswered: fc.constantFrom(0, 0.2),
    wrongBodies: fc.constantFrom(0, 0.1, 1),
    median: fc.constantFrom(0.3, 5, 20, 300),
    size: fc.constantFrom(0, 100, 5000),
    restarts: fc.constantFrom(0, 1),
    routes: fc.constantFrom(['GET /'], ['GET /', 'POST /a', 'GET /b']),
  },
  { requiredKeys: [] },
);
const data = fc
  .tuple(fc.integer({ min: 1, max: 25 }), side, side, fc.integer({ min: 0, max: 1000 }))
  .map(([count, baseline, candidate, seed]) => seconds(count, baseline, candidate, seed));
const traffic = fc.constantFrom('interleaved' as const, 'sequential' as const);

test('live, second by second, and again from the JSON of a report: the same verdict, to the digit', () => {
  fc.assert(
    fc.property(data, traffic, (recorded, traffic) => {
      let state = createSequentialJudge({ traffic });
      for (const second of recorded) {
        state = observe(state, second);
        verdict(state);
      }
      const report = JSON.parse(JSON.stringify(experiment(recorded, { traffic })));
      expect(judgeExperiment(report)).toEqual(verdict(state, { ended: true }));
    }),
    { numRuns: 40 },
  );
});

test('a verdict is JSON: nothing of it is lost or changed by writing it down', () => {
  fc.assert(
    fc.property(data, traffic, (recorded, traffic) => {
      const said = judgeExperiment(experiment(recorded, { traffic }));
      expect(JSON.parse(JSON.stringify(said))).toEqual(said);
    }),
    { numRuns: 40 },
  );
});

test('observing changes no state in place: a state can be asked, and led on, more than once', () => {
  const recorded = seconds(30, {}, { errors: 0.1 });
  const early = recorded.slice(0, 10).reduce(observe, createSequentialJudge());
  const before = verdict(early);
  const onward = () => verdict(recorded.slice(10).reduce(observe, early));
  expect(onward()).toEqual(onward());
  expect(verdict(early)).toEqual(before);
});

test('evidence never falls, and what failed stays failed', () => {
  fc.assert(
    fc.property(data, (recorded) => {
      let state = createSequentialJudge();
      let before = verdict(state);
      for (const second of recorded) {
        state = observe(state, second);
        const now = verdict(state);
        for (const metric of before.metrics) {
          const later = now.metrics.find((other) => other.name === metric.name);
          if (metric.evidence === null || later?.evidence == null) continue;
          expect(later.evidence.worse).toBeGreaterThanOrEqual(metric.evidence.worse);
          expect(later.evidence.lower).toBeGreaterThanOrEqual(metric.evidence.lower);
          expect(later.evidence.noWorse).toBeGreaterThanOrEqual(metric.evidence.noWorse);
        }
        if (before.verdict === 'failed') expect(now.verdict).toBe('failed');
        before = now;
      }
    }),
    { numRuns: 25 },
  );
});

test('the order of routes and of buckets does not matter', () => {
  const reversed = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).reverse());
  const turn = (side: SideSecond): SideSecond => ({
    ...side,
    routes: reversed(
      Object.fromEntries(
        Object.entries(side.routes).map(([name, route]) => [
          name,
          { ...route, latency: { ...route.latency, counts: reversed(route.latency.counts) } },
        ]),
      ),
    ),
  });
  const routes = ['GET /', 'POST /a'];
  const recorded = seconds(40, { routes }, { routes, median: 26 });
  const turned = recorded.map(({ at, baseline, candidate }) => ({
    at,
    baseline: turn(baseline),
    candidate: turn(candidate),
  }));
  const whole = (said: ReturnType<typeof judgeExperiment>) =>
    said.metrics.filter((metric) => metric.route === undefined);
  // Sums of shares may differ in the last digit; what is concluded may not.
  for (const [i, metric] of whole(judgeExperiment(experiment(recorded))).entries()) {
    const other = whole(judgeExperiment(experiment(turned)))[i];
    expect(other?.verdict).toBe(metric.verdict);
    expect(other?.evidence?.worse ?? 0).toBeCloseTo(metric.evidence?.worse ?? 0, 6);
  }
});

test('swapping the sides turns alarms about rates into improvements', () => {
  const recorded = seconds(40, { errors: 0.01, wrongBodies: 0.02 }, { errors: 0.1, refused: 0.2 });
  const swapped = recorded.map(({ at, baseline, candidate }) => ({
    at,
    baseline: candidate,
    candidate: baseline,
  }));
  const [said, other] = [judgeExperiment(experiment(recorded)), judgeExperiment(experiment(swapped))];
  for (const kind of ['errors-5xx', 'errors-4xx', 'bodies']) {
    const here = said.metrics.find((metric) => metric.kind === kind);
    const there = other.metrics.find((metric) => metric.kind === kind);
    expect(there?.evidence?.lower).toBeCloseTo(here?.evidence?.worse ?? Number.NaN, 9);
    expect(there?.evidence?.worse).toBeCloseTo(here?.evidence?.lower ?? Number.NaN, 9);
    expect(there?.effect?.value).toBeCloseTo(-(here?.effect?.value ?? Number.NaN), 12);
  }
});

test('latencies in another unit give the same evidence', () => {
  const config = {
    latencyResolutionMs: 0,
    quantiles: defaultSequentialConfig.quantiles.map((settings) => ({ ...settings, absolute: 0 })),
  };
  const scaled = (factor: number) => {
    const move = (second: SideSecond): SideSecond => ({
      ...second,
      routes: Object.fromEntries(
        Object.entries(second.routes).map(([name, route]) => [
          name,
          {
            ...route,
            latency: {
              counts: Object.fromEntries(
                Object.entries(route.latency.counts).map(([index, count]) => [
                  String(Number(index) + factor),
                  count,
                ]),
              ),
            },
          },
        ]),
      ),
    });
    const recorded = seconds(40, {}, { median: 25 });
    return recorded.map(
      ({ at, baseline, candidate }): Second => ({ at, baseline: move(baseline), candidate: move(candidate) }),
    );
  };
  const evidence = (factor: number) =>
    judgeExperiment(experiment(scaled(factor), config))
      .metrics.filter((metric) => metric.kind === 'latency')
      .map((metric) => metric.evidence);
  expect(evidence(150)).toEqual(evidence(0));
});

describe('what is no order of seconds, or no configuration', () => {
  test('seconds go forward', () => {
    const [first] = seconds(1);
    const state = observe(createSequentialJudge(), { ...(first ?? expect.fail()), at: 5 });
    expect(() => observe(state, { ...(first ?? expect.fail()), at: 5 })).toThrow(JudgeInputError);
  });

  test('seconds may be missing', () => {
    const recorded = seconds(60).filter((second) => second.at % 3 !== 0);
    expect(judgeExperiment(experiment(recorded)).verdict).toBe('passed');
  });

  test.each<[string, Parameters<typeof createSequentialJudge>[0]]>([
    ['config.alpha', { alpha: 0 }],
    ['config.warmupSeconds', { warmupSeconds: -1 }],
    ['config.latencyBlockSeconds', { latencyBlockSeconds: 0.5 }],
    [
      'config.quantiles[0].margin',
      {
        quantiles: [{ quantile: 0.5, role: 'critical', weight: 1, tolerance: 0.2, margin: 0.1, absolute: 0 }],
      },
    ],
    [
      'config.quantiles[0].quantile',
      {
        quantiles: [{ quantile: 50, role: 'critical', weight: 1, tolerance: 0.1, margin: 0.1, absolute: 0 }],
      },
    ],
    ['config.metrics.bodies.weight', { metrics: { bodies: { weight: 0 } } }],
    [
      'config.metrics.latency-distribution.role',
      { metrics: { 'latency-distribution': { role: 'critical', weight: 1 } } },
    ],
  ])('%s', (path, options) => {
    expect(() => createSequentialJudge(options)).toThrow(expect.objectContaining({ path }));
  });

  test('the shares of the false-alarm budget never exceed it, however many routes there are', () => {
    const routes = Array.from({ length: 30 }, (_, i) => `GET /${i}`);
    const said = judgeExperiment(experiment(seconds(10, { routes }, { routes })));
    const total = said.metrics.reduce((sum, metric) => sum + metric.weight, 0);
    expect(total).toBeLessThanOrEqual(1 + 1e-12);
    expect(total).toBeGreaterThan(0.9);
  });
});
