/** Reading the remote judge's documents, and the shape of its answers. */
import { describe, expect, test } from 'vitest';
import { JudgeInputError, judgeKayenta } from '../../../src/judge/index.ts';

const low = [10, 11, 9, 10, 12, 10, 11, 9, 10, 11, 10, 9];
const high = low.map((value) => value * 3);

interface Pair {
  name: string;
  control: unknown[];
  experiment: unknown[];
  canary?: Record<string, unknown>;
  groups?: string[];
}

function document(
  pairs: readonly Pair[],
  more: Record<string, unknown> = {},
  judge: Record<string, unknown> = {},
) {
  return {
    canaryConfig: {
      name: 'config',
      applications: ['app'],
      judge: { name: 'NetflixACAJudge-v1.0', judgeConfigurations: judge },
      metrics: pairs.map(({ name, canary, groups = ['all'] }) => ({
        name,
        query: { type: 'prometheus' },
        groups,
        ...(canary === undefined ? {} : { analysisConfigurations: { canary } }),
        scopeName: 'default',
      })),
      classifier: { groupWeights: more.groupWeights ?? {} },
    },
    scoreThresholds: { pass: 95, marginal: 75 },
    metricSetPairList: pairs.map(({ name, control, experiment }) => ({
      name,
      id: `id-of-${name}`,
      tags: { region: 'here' },
      values: { control, experiment },
      attributes: {},
      scopes: {},
    })),
  };
}

const judgeOne = (pair: Partial<Pair>, judge: Record<string, unknown> = {}) =>
  judgeKayenta(document([{ name: 'm', control: low, experiment: high, ...pair }], {}, judge));

test('answers with what Kayenta answers, field by field', () => {
  const answer = judgeKayenta(
    document([
      { name: 'latency', control: low, experiment: high, canary: { direction: 'increase' } },
      { name: 'errors', control: low, experiment: [...low].reverse() },
    ]),
  );
  expect(JSON.parse(JSON.stringify(answer))).toEqual({
    judgeName: 'NetflixACAJudge-v1.0',
    results: [
      {
        name: 'latency',
        id: 'id-of-latency',
        tags: { region: 'here' },
        groups: ['all'],
        classification: 'High',
        classificationReason: 'latency was classified as High',
        experimentMetadata: {
          stats: { min: 27, max: 36, mean: 30.5, std: expect.closeTo(2.8123, 4), count: 12 },
        },
        controlMetadata: {
          stats: {
            min: 9,
            max: 12,
            mean: expect.closeTo(10.1667, 4),
            std: expect.closeTo(0.9374, 4),
            count: 12,
          },
        },
        resultMetadata: { ratio: 3 },
        critical: false,
        muted: false,
      },
      expect.objectContaining({
        name: 'errors',
        classification: 'Pass',
        classificationReason: 'The Canary and Baseline data are identical',
        resultMetadata: { ratio: 1 },
      }),
    ],
    groupScores: [{ name: 'all', score: 50, classification: '', classificationReason: '' }],
    score: { score: 50, classification: 'Fail', classificationReason: '' },
  });
});

describe('options of a metric', () => {
  test.each<[string, Partial<Pair>, string, boolean]>([
    ['an increase is High', {}, 'High', false],
    [
      'an increase is no matter where only a decrease counts',
      { canary: { direction: 'decrease' } },
      'Pass',
      false,
    ],
    ['a decrease is Low', { control: high, experiment: low }, 'Low', false],
    ['an unknown direction means either', { canary: { direction: 'sideways' } }, 'High', false],
    ['a critical metric stays critical', { canary: { critical: true } }, 'High', true],
    ['an allowed increase passes', { canary: { effectSize: { allowedIncrease: 3.5 } } }, 'Pass', false],
    [
      'an increase short of the critical one is High only',
      { canary: { critical: true, effectSize: { criticalIncrease: 4 } } },
      'High',
      false,
    ],
    [
      'common language effect size',
      { canary: { effectSize: { measure: 'cles', allowedIncrease: 0.9 } } },
      'High',
      false,
    ],
    ['no data', { experiment: [] }, 'Nodata', false],
    ['no data of a critical metric', { experiment: [], canary: { critical: true } }, 'Nodata', true],
    [
      'no data where data is a must',
      { experiment: ['NaN'], canary: { mustHaveData: true } },
      'NodataFailMetric',
      false,
    ],
    [
      'no data, must have and critical',
      { experiment: [], canary: { mustHaveData: true, critical: true } },
      'Nodata',
      true,
    ],
    [
      'no data counts as as many zeros as the other side has values',
      { experiment: [], canary: { nanStrategy: 'replace' } },
      'Low',
      false,
    ],
    [
      'errors against no series without errors',
      { control: [], canary: { nanStrategy: 'replace', direction: 'increase', critical: true } },
      'High',
      true,
    ],
    ['flags may be texts', { canary: { critical: 'true', muted: 'false' } }, 'High', true],
    ['thresholds may be texts', { canary: { effectSize: { allowedIncrease: '3.5' } } }, 'Pass', false],
    ['NaN, null and words are left out', { control: [...low, 'NaN', null, ''] }, 'High', false],
    ['numbers may be texts, as Jackson reads them', { experiment: high.map(String) }, 'High', false],
    [
      'one value each, all tied for some shift, cannot be tested',
      { control: [1], experiment: [2] },
      'Error',
      false,
    ],
  ])('%s', (_, pair, classification, critical) => {
    expect(judgeOne(pair).results[0]).toMatchObject({ classification, critical });
  });

  test(
    'outliers are removed only where asked for, beyond quartiles by the factor and beyond the outer ' +
      'percentiles',
    () => {
      const many = Array.from({ length: 200 }, (_, i) => 10 + (i % 7));
      const count = (canary: Record<string, unknown>) =>
        judgeOne({ control: [...many, 500], experiment: many, canary }).results[0]?.controlMetadata.stats
          .count;
      expect(count({})).toBe(201);
      expect(count({ outliers: { strategy: 'remove' } })).toBe(200);
      expect(count({ outliers: { strategy: 'remove', outlierFactor: 200 } })).toBe(201);
    },
  );

  test('NaN replaced by 0 pulls the mean down', () => {
    const answer = judgeOne({ control: [...low, 'NaN'], canary: { nanStrategy: 'replace' } });
    expect(answer.results[0]?.controlMetadata.stats).toMatchObject({ count: 13, min: 0 });
  });

  test('a ratio to nothing is NaN, as Jackson writes it', () => {
    const answer = judgeOne({ control: low.map(() => 0) });
    expect(answer.results[0]?.resultMetadata).toEqual({ ratio: 'NaN' });
    expect(answer.results[0]?.classification).toBe('High');
  });
});

describe('score', () => {
  const good = { control: low, experiment: [...low].reverse() };
  const bad = { control: low, experiment: high };

  test('groups share what weights leave; 75 and more is marginal', () => {
    const pairs = [
      { name: 'a', ...good, groups: ['x'] },
      { name: 'b', ...bad, groups: ['y'] },
      { name: 'c', ...good, groups: ['z'] },
    ];
    const answer = judgeKayenta(document(pairs, { groupWeights: { y: 20 } }));
    expect(answer.score).toEqual({ score: 80, classification: 'Marginal', classificationReason: '' });
  });

  test('a critical failure is 0 whatever else passes', () => {
    const pairs = [
      { name: 'a', ...good },
      { name: 'b', ...bad, canary: { critical: true } },
    ];
    expect(judgeKayenta(document(pairs)).score).toEqual({
      score: 0,
      classification: 'Fail',
      classificationReason: 'Canary Failed: The metric b was classified as High (Critical)',
    });
  });

  test('a muted metric is shown and not counted', () => {
    const answer = judgeKayenta(
      document([
        { name: 'a', ...good },
        { name: 'b', ...bad, canary: { muted: true, critical: true } },
      ]),
    );
    expect(answer.results[1]).toMatchObject({ classification: 'High', muted: true });
    expect(answer.score.score).toBe(100);
  });

  test('no data for half of the metrics is 0', () => {
    const answer = judgeKayenta(
      document([
        { name: 'a', ...good },
        { name: 'b', control: [], experiment: [] },
      ]),
    );
    expect(answer.score).toMatchObject({
      score: 0,
      classificationReason: 'Canary Failed: 50% or more metrics returned NODATA',
    });
  });

  test('a third is rounded to two places, halves up', () => {
    const pairs = [
      { name: 'a', ...good },
      { name: 'b', ...good },
      { name: 'c', ...bad },
    ];
    expect(judgeKayenta(document(pairs)).score.score).toBe(66.67);
  });
});

describe('settings of the judge', () => {
  const shifted = low.map((value) => value + 3);

  test('tolerance and confidence level are read where they are given', () => {
    expect(judgeOne({ experiment: shifted }).results[0]?.classification).toBe('High');
    expect(judgeOne({ experiment: shifted }, { tolerance: 2 }).results[0]?.classification).toBe('Pass');
    expect(judgeOne({ experiment: shifted }, { confidenceLevel: 0.99999 }).results[0]?.classification).toBe(
      'Pass',
    );
  });

  test("thresholds fall back to the classifier's", () => {
    const { scoreThresholds, ...rest } = document([{ name: 'm', control: low, experiment: high }]);
    const config = { ...rest.canaryConfig, classifier: { scoreThresholds: { pass: 0, marginal: 0 } } };
    expect(scoreThresholds.pass).toBe(95);
    expect(judgeKayenta({ ...rest, canaryConfig: config }).score.classification).toBe('Pass');
  });

  test('a configuration with nothing but a metric has defaults for everything', () => {
    const answer = judgeKayenta({
      canaryConfig: {
        metrics: [{ name: 'm', groups: null, analysisConfigurations: null }],
        judge: null,
        classifier: null,
      },
      scoreThresholds: { pass: 95, marginal: 75 },
      metricSetPairList: [{ name: 'm', values: { control: low, experiment: high } }],
    });
    expect(answer.results[0]).toMatchObject({ classification: 'High', groups: [] });
    expect(answer.score.score).toBe(0);
  });
});

describe('a document that is none', () => {
  const base = () => document([{ name: 'm', control: low, experiment: high }]);
  const metric = (canary: unknown) => ({
    ...base(),
    canaryConfig: { metrics: [{ name: 'm', analysisConfigurations: { canary } }] },
  });
  test.each<[string, unknown]>([
    ['document', null],
    ['document', []],
    ['canaryConfig', { scoreThresholds: {}, metricSetPairList: [] }],
    ['canaryConfig.metrics', { ...base(), canaryConfig: {} }],
    ['canaryConfig.metrics[0].name', { ...base(), canaryConfig: { metrics: [{}] } }],
    ['canaryConfig.metrics[0].analysisConfigurations.canary.critical', metric({ critical: 'yes' })],
    [
      'canaryConfig.metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease',
      metric({ effectSize: { allowedIncrease: 'much' } }),
    ],
    [
      'canaryConfig.metrics[0].analysisConfigurations.canary.outliers.outlierFactor',
      metric({ outliers: { outlierFactor: 0 } }),
    ],
    ['canaryConfig.judge.name', { ...base(), canaryConfig: { metrics: [], judge: { name: 'dredd-v1.0' } } }],
    ['metricSetPairList', { ...base(), metricSetPairList: {} }],
    ['metricSetPairList[0].name', { ...base(), metricSetPairList: [{ name: 'unknown', values: {} }] }],
    ['metricSetPairList[0].values', { ...base(), metricSetPairList: [{ name: 'm' }] }],
    [
      'metricSetPairList[0].values.control',
      { ...base(), metricSetPairList: [{ name: 'm', values: { experiment: [] } }] },
    ],
    [
      'metricSetPairList[0].values.experiment[1]',
      { ...base(), metricSetPairList: [{ name: 'm', values: { control: [], experiment: [1, 'x'] } }] },
    ],
    ['scoreThresholds', { ...base(), scoreThresholds: undefined }],
    ['scoreThresholds.marginal', { ...base(), scoreThresholds: { pass: 95 } }],
    ['canaryConfig.judge.judgeConfigurations.confidenceLevel', document([], {}, { confidenceLevel: 98 })],
    ['canaryConfig.judge.judgeConfigurations.tolerance', document([], {}, { tolerance: -1 })],
  ])('names %s', (path, wrong) => {
    const error = (() => {
      try {
        judgeKayenta(wrong);
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(JudgeInputError);
    expect((error as JudgeInputError).path).toBe(path);
    expect((error as JudgeInputError).message).toMatch(
      new RegExp(`^${path.replace(/[[\].]/g, '\\$&')}: expected .+\\.$`),
    );
  });
});

test('the same document has the same answer, also where noise is added to constants', () => {
  const constant = document([{ name: 'm', control: [5, 5, 5, 5, 5], experiment: [9, 9, 9, 9, 9] }]);
  expect(judgeKayenta(constant)).toEqual(judgeKayenta(constant));
  expect(judgeKayenta(constant).results[0]?.classification).toBe('High');
});
