/**
 * Every vector of Kayenta's own tests that concerns what NetflixACAJudge runs; vectors.json says where each
 * comes from.
 */
import { expect, test } from 'vitest';
import { classify, prepare } from '../../../src/judge/kayenta/classify.ts';
import { judgeKayenta } from '../../../src/judge/kayenta/judge.ts';
import { mannWhitney, rankStatistic } from '../../../src/judge/kayenta/mann-whitney.ts';
import { normalQuantile } from '../../../src/judge/kayenta/normal.ts';
import { score } from '../../../src/judge/kayenta/score.ts';
import {
  commonLanguageEffect,
  mean,
  meanRatio,
  percentile,
  tukeyFences,
  variance,
} from '../../../src/judge/kayenta/statistics.ts';
import type { KayentaMetricResult, MetricConfig } from '../../../src/judge/kayenta/types.ts';
import vectors from './vectors.json' with { type: 'json' };

/** Vectors as they are in the file: numbers, with "NaN" for what JSON lacks. */
type Numbers = readonly (number | string)[];
const array = (values: Numbers) => Float64Array.from(values, Number);
const sorted = (values: Numbers) => array(values).sort();

interface ClassifierVector {
  readonly test?: string;
  readonly title?: string;
  readonly classifier?: string;
  readonly experiment: Numbers;
  readonly control: Numbers;
  readonly params?: {
    tolerance: number;
    confLevel: number;
    effectSizeThresholds: number[];
    criticalThresholds: number[];
    effectSizeMeasure: string;
  };
  readonly options: { direction: string; nanStrategy: string; critical: boolean; mustHaveData: boolean };
  readonly expected?: { classification: string; critical?: boolean; deviation?: number | string };
  readonly kayentaReported?: { classification: string };
  readonly derivedByReferencePort?: {
    ciLow: number;
    ciHigh: number;
    estimate: number;
    deviation: number | string;
    critical: boolean;
  };
}

function configOf({ params, options }: ClassifierVector): MetricConfig {
  const [allowedDecrease = 1, allowedIncrease = 1] = params?.effectSizeThresholds ?? [];
  const [criticalDecrease = 1, criticalIncrease = 1] = params?.criticalThresholds ?? [];
  return {
    name: 'test-metric',
    groups: ['group'],
    direction: options.direction as MetricConfig['direction'],
    nanStrategy: options.nanStrategy as MetricConfig['nanStrategy'],
    outlierFactor: null,
    critical: options.critical,
    mustHaveData: options.mustHaveData,
    muted: false,
    effectSize: {
      measure: params?.effectSizeMeasure === 'cles' ? 'cles' : 'meanRatio',
      allowedIncrease,
      allowedDecrease,
      criticalIncrease,
      criticalDecrease,
    },
  };
}

const classifierVectors = [
  // MeanInequalityClassifier is no part of NetflixACAJudge.
  ...vectors.classifier.filter((vector) => vector.classifier === 'MannWhitneyClassifier'),
  ...vectors.reportedPainCases,
] as unknown as readonly ClassifierVector[];

test.each(classifierVectors.map((vector) => [vector.test ?? vector.title, vector] as const))(
  'classifies: %s',
  (_, vector) => {
    const config = configOf(vector);
    const settings = {
      tolerance: vector.params?.tolerance ?? 0.25,
      confidenceLevel: vector.params?.confLevel ?? 0.95,
    };
    const experiment = prepare(array(vector.experiment), config);
    const control = prepare(array(vector.control), config);
    const result = classify(experiment, control, config, settings);
    const expected = vector.expected ?? vector.kayentaReported;
    expect(result.classification).toBe(expected?.classification);
    if (vector.expected?.critical !== undefined) expect(result.critical).toBe(vector.expected.critical);
    if (vector.expected?.deviation !== undefined)
      expect(result.deviation).toBe(Number(vector.expected.deviation));
    const derived = vector.derivedByReferencePort;
    if (derived === undefined) return;
    const shift = mannWhitney(experiment, control, settings.confidenceLevel);
    expect(shift.low).toBeCloseTo(derived.ciLow, 12);
    expect(shift.high).toBeCloseTo(derived.ciHigh, 12);
    expect(shift.estimate).toBeCloseTo(derived.estimate, 12);
    expect(result.critical).toBe(derived.critical);
    if (result.classification !== 'Pass') {
      const deviation = Number(derived.deviation);
      if (Number.isNaN(deviation)) expect(result.deviation).toBeNaN();
      else expect(result.deviation).toBeCloseTo(deviation, 12);
    }
  },
);

const byFunction = (name: string) => vectors.mannWhitney.find((vector) => vector.fn === name) as never;

test('Wilcoxon statistic of shifted samples', () => {
  const vector: { x: Numbers; y: Numbers; cases: { mu: number; quantile: number; expected: number }[] } =
    byFunction('wilcoxonDiff');
  for (const { mu, quantile, expected } of vector.cases) {
    const x = sorted(vector.x).map((value) => value - mu);
    expect(rankStatistic(x, sorted(vector.y)) - quantile).toBeCloseTo(expected, 5);
  }
});

test('normal quantile', () => {
  const vector: { p: number; expected: number } = byFunction('normalQuantile');
  expect(normalQuantile(vector.p)).toBeCloseTo(vector.expected, 6);
});

interface IntervalVector {
  test: string;
  x_experiment: Numbers;
  y_control: Numbers;
  confidenceLevel: number;
  estimateTolerance?: number;
  expected: { ciLow: number; ciHigh: number; estimate: number };
}
test.each(
  (vectors.mannWhitney as unknown as (IntervalVector & { fn: string })[])
    .filter((vector) => vector.fn === 'mannWhitneyUTest')
    .map((vector) => [vector.test, vector] as const),
)('%s', (_, vector) => {
  const shift = mannWhitney(array(vector.x_experiment), array(vector.y_control), vector.confidenceLevel);
  expect(shift.low).toBeCloseTo(vector.expected.ciLow, 6);
  expect(shift.high).toBeCloseTo(vector.expected.ciHigh, 6);
  expect(Math.abs(shift.estimate - vector.expected.estimate)).toBeLessThanOrEqual(
    vector.estimateTolerance ?? 1e-6,
  );
});

test("R's intermediate values", () => {
  type Expected = Record<
    'rMumin' | 'rMumax' | 'rZqUpper' | 'rFlower1' | 'rFupper1' | 'rCil' | 'rCiu' | 'rEst',
    number
  >;
  const vector: { x: Numbers; y: Numbers; confidenceLevel: number; expected: Expected } =
    byFunction('intermediate');
  const x = sorted(vector.x);
  const y = sorted(vector.y);
  const { expected } = vector;
  const statistic = (shift: number) =>
    rankStatistic(
      x.map((value) => value - shift),
      y,
    );
  expect((x[0] ?? 0) - (y.at(-1) ?? 0)).toBeCloseTo(expected.rMumin, 12);
  expect((x.at(-1) ?? 0) - (y[0] ?? 0)).toBeCloseTo(expected.rMumax, 12);
  const z = normalQuantile((1 - vector.confidenceLevel) / 2);
  expect(z).toBeCloseTo(expected.rZqUpper, 12);
  expect(statistic(expected.rMumin) + z).toBeCloseTo(expected.rFlower1, 6);
  expect(statistic(expected.rMumax) + z).toBeCloseTo(expected.rFupper1, 6);
  const shift = mannWhitney(x, y, vector.confidenceLevel);
  expect(shift.low).toBeCloseTo(expected.rCil, 12);
  expect(shift.high).toBeCloseTo(expected.rCiu, 12);
  expect(shift.estimate).toBeCloseTo(expected.rEst, 12);
});

interface OutlierVector {
  test: string;
  detector: string;
  param: number;
  data: Numbers;
  expectedOutlier: boolean[];
}
test.each(
  // KSigmaDetector is no part of NetflixACAJudge.
  (vectors.outlierDetectors as unknown as OutlierVector[])
    .filter((vector) => vector.detector === 'IQRDetector')
    .map((vector) => [vector.test, vector] as const),
)('outliers: %s', (_, vector) => {
  const fences = tukeyFences(sorted(vector.data), vector.param);
  const outliers = [...array(vector.data)].map((value) => value < fences.low || value > fences.high);
  expect(outliers).toEqual(vector.expectedOutlier);
});

type ScorerResult = Pick<KayentaMetricResult, 'classification' | 'critical' | 'groups' | 'name'>;
interface ScorerVector {
  test: string;
  groupWeights: Record<string, number>;
  results: ScorerResult[];
  expected: { summaryScore: number; groupScoresSorted?: number[] };
}
test.each((vectors.scorer as unknown as ScorerVector[]).map((vector) => [vector.test, vector] as const))(
  '%s',
  (_, vector) => {
    const answer = score(vector.results, {
      groupWeights: new Map(Object.entries(vector.groupWeights)),
      thresholds: { pass: 95, marginal: 75 },
    });
    expect(answer.score.score).toBe(vector.expected.summaryScore);
    if (vector.expected.groupScoresSorted !== undefined) {
      const scores = answer.groupScores.map((group) => group.score).sort((a, b) => a - b);
      expect(scores).toEqual(vector.expected.groupScoresSorted);
    }
  },
);

interface StatisticsVector {
  test: string;
  fn: string;
  data: Numbers;
  cases?: { p: number; expected: number; tolerance: number }[];
  expected?: { min: number; max: number; mean: number; std: number; count: number; stdTolerance?: number };
}
test.each(
  (vectors.descriptiveStatistics as unknown as StatisticsVector[]).map(
    (vector) => [vector.test, vector] as const,
  ),
)('%s', (_, { data, cases = [], expected }) => {
  for (const { p, expected: value, tolerance } of cases) {
    expect(Math.abs(percentile(sorted(data), p) - value)).toBeLessThanOrEqual(tolerance);
  }
  if (expected === undefined) return expect(cases.length).toBeGreaterThan(0);
  expect(mean(array(data))).toBe(expected.mean);
  expect(Math.abs(Math.sqrt(variance(array(data))) - expected.std)).toBeLessThanOrEqual(
    expected.stdTolerance ?? 0,
  );
  const pair = { name: 'm', values: { experiment: data, control: data } };
  const answer = judgeKayenta({
    canaryConfig: { metrics: [{ name: 'm' }] },
    scoreThresholds: { pass: 95, marginal: 75 },
    metricSetPairList: [pair],
  });
  const { min, max, count } = expected;
  expect(answer.results[0]?.experimentMetadata.stats).toMatchObject({ min, max, count, mean: expected.mean });
});

interface EffectVector {
  test: string;
  fn: string;
  experiment: Numbers;
  control: Numbers;
  expected: number | string;
}
test.each((vectors.effectSizes as unknown as EffectVector[]).map((vector) => [vector.test, vector] as const))(
  '%s',
  (_, { fn, experiment, control, expected }) => {
    const effect = fn === 'cles' ? commonLanguageEffect : meanRatio;
    expect(effect(array(experiment), array(control))).toBe(Number(expected));
  },
);

interface TransformVector {
  test: string;
  fn: string;
  detector?: string;
  param?: number;
  data: Numbers;
  expected: Numbers;
}
test.each(
  (vectors.transforms as unknown as TransformVector[])
    .filter((vector) => vector.detector !== 'KSigmaDetector')
    .map((vector) => [vector.test, vector] as const),
)('%s', (_, { fn, param = 3, data, expected }) => {
  if (fn === 'removeNaNs') {
    const config = configOf({ options: { nanStrategy: 'remove' } } as never);
    expect([...prepare(array(data), config)]).toEqual(expected);
  } else {
    const { low, high } = tukeyFences(sorted(data), param);
    expect([...array(data)].filter((value) => value >= low && value <= high)).toEqual(expected);
  }
});
