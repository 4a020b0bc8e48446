import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeFile } from '../../../src/canary/judging/judge-file.ts';
import type { ScopeOptions } from '../../../src/canary/judging/kayenta-file.ts';
import { documentFromPrometheus } from '../../../src/canary/judging/prometheus.ts';
import { type PrometheusQuery, promQl, type Scope } from '../../../src/canary/judging/prometheus-query.ts';
import { judgeKayenta } from '../../../src/judge/index.ts';
import type { Prometheus, RangeQuery, RangeSeries } from '../../../src/metrics/prometheus.ts';

const SCOPE: Scope = {
  scope: 'shop-v2',
  location: 'europe',
  start: 0,
  end: 600,
  step: 60,
  extendedScopeParams: { pod: 'p1' },
};
const dollar = (text: string) => text.replaceAll('@', '$');

describe('a metric as a query', () => {
  it.each<[string, PrometheusQuery, string]>([
    [
      'a whole query',
      { customInlineTemplate: dollar('PromQL:rate(errors{v="@{scope}",pod="@{pod}"}[1m])') },
      'rate(errors{v="shop-v2",pod="p1"}[1m])',
    ],
    [
      'a whole query as Kayenta stores it',
      { customInlineTemplate: dollar('PromQL:up{v="@\\{scope}"}') },
      'up{v="shop-v2"}',
    ],
    [
      'a filter',
      { metricName: 'cpu', customInlineTemplate: dollar('v="@{scope}",zone="@{location}"') },
      'avg(cpu{v="shop-v2",zone="europe"})',
    ],
    [
      'a named filter, bindings and groups',
      {
        metricName: 'cpu',
        customFilterTemplate: 'mine',
        labelBindings: ['env="prod"'],
        groupByFields: ['pod', 'node'],
      },
      'avg(cpu{v="shop-v2",env="prod"}) by (pod,node)',
    ],
    [
      "a template that asks for the metric's own kind of machine (kayenta#401)",
      {
        resourceType: 'pod',
        template: dollar('PromQL:up{kind="@{resourceType}",v="@{scope}"}'),
      },
      'up{kind="pod",v="shop-v2"}',
    ],
    [
      'a template by name, with the newer key',
      { template: 'mine', metricName: 'cpu' },
      'avg(cpu{v="shop-v2"})',
    ],
    [
      'bindings that name the version',
      { metricName: 'cpu', labelBindings: [dollar('v="@{scope}"')] },
      'avg(cpu{v="shop-v2"})',
    ],
    [
      "Google's machines",
      { metricName: 'cpu', resourceType: 'gce_instance' },
      'avg(cpu{instance=~"shop-v2-.{4}",zone=~".+/zones/europe-.{1}"})',
    ],
    [
      "Amazon's machines",
      { metricName: 'cpu', resourceType: 'aws_ec2_instance' },
      'avg(cpu{asg_groupName="shop-v2",zone=~"europe.{1}"})',
    ],
  ])('%s', (_, query, expected) => {
    expect(promQl('m', query, { mine: dollar('v="@{scope}"') }, SCOPE)).toBe(expected);
  });

  it.each<[string, PrometheusQuery, RegExp]>([
    ['nothing', {}, /neither a metricName nor a template/],
    [
      'a metric without a version',
      { metricName: 'cpu', labelBindings: ['env="prod"'] },
      /both sides would be the same/,
    ],
    [
      'a template that is not there',
      { metricName: 'cpu', customFilterTemplate: 'other' },
      /names the template "other"/,
    ],
    [
      'a name that the scope does not have',
      { customInlineTemplate: dollar('PromQL:up{x="@{nowhere}"}') },
      /asks for \$\{nowhere\}/,
    ],
    ['a filter of old', { metricName: 'cpu', customFilter: 'x' }, /customFilter/],
  ])('%s is refused', (_, query, message) => {
    expect(() => promQl('m', query, {}, SCOPE)).toThrow(message);
  });
});

const METRIC = {
  name: 'errors',
  groups: ['g'],
  query: { type: 'prometheus', customInlineTemplate: dollar('PromQL:errors{v="@{scope}"}') },
  analysisConfigurations: { canary: { direction: 'increase', critical: true } },
};
const CONFIG = {
  name: 'c',
  metrics: [METRIC],
  classifier: { groupWeights: { g: 100 }, scoreThresholds: { pass: 90, marginal: 50 } },
};
const REQUEST = {
  scopes: {
    default: {
      controlScope: {
        scope: 'v1',
        location: 'eu',
        start: '2026-11-25T14:00:00Z',
        end: '2026-11-25T14:10:00Z',
        step: 30,
      },
      experimentScope: {
        scope: 'v2',
        location: 'eu',
        start: '2026-11-25T14:00:00Z',
        end: '2026-11-25T14:10:00Z',
        step: 30,
      },
    },
  },
  thresholds: { pass: 80, marginal: 40 },
};
const HOUR: ScopeOptions = { baseline: 'v1', candidate: 'v2', start: 0, end: 3600 };

/** Answers each query from a table; what is not there has no values. */
function source(table: Record<string, readonly RangeSeries[]>, asked: RangeQuery[] = []): Prometheus {
  return {
    range: async (query) => {
      asked.push(query);
      return { series: table[query.query] ?? [], warnings: [] };
    },
  };
}
const series = (values: readonly number[], labels = {}): RangeSeries => ({ labels, values });
const OK = { 'errors{v="v1"}': [series([1, 2, 1, 2, 1])], 'errors{v="v2"}': [series([9, 8, 9, 8, 9])] };

describe('a Kayenta configuration with Prometheus', () => {
  it("asks as Kayenta's request says, and judges what comes", async () => {
    const asked: RangeQuery[] = [];
    const { document } = await documentFromPrometheus(
      { canaryConfig: CONFIG, executionRequest: REQUEST },
      'c.json',
      {},
      source(OK, asked),
    );
    const start = Date.parse('2026-11-25T14:00:00Z') / 1000;
    expect(asked).toEqual(
      ['v1', 'v2'].map((v) => ({ query: `errors{v="${v}"}`, start, end: start + 600, step: 30 })),
    );
    expect(document).toMatchObject({ scoreThresholds: { pass: 80, marginal: 40 } });
    const result = judgeKayenta(document);
    expect(result.results).toMatchObject([{ name: 'errors', classification: 'High' }]);
    expect(result.score.classification).toBe('Fail');
  });

  it('takes a configuration alone with what the command line says', async () => {
    const asked: RangeQuery[] = [];
    const { document } = await documentFromPrometheus(
      CONFIG,
      'c.json',
      { ...HOUR, step: 10 },
      source(OK, asked),
    );
    expect(asked.map(({ start, end, step }) => [start, end, step])).toEqual([
      [0, 3600, 10],
      [0, 3600, 10],
    ]);
    expect(document).toMatchObject({ scoreThresholds: { pass: 90, marginal: 50 } });
  });

  it('no values are no data, and no failure', async () => {
    const { document } = await documentFromPrometheus(
      CONFIG,
      'c.json',
      HOUR,
      source({ 'errors{v="v1"}': [series([1, 2])] }),
    );
    const result = judgeKayenta(document);
    expect(result.results).toMatchObject([{ classification: 'Nodata' }]);
  });

  it('pairs series by their labels where there are several', async () => {
    const table = {
      'errors{v="v1"}': [series([1], { pod: 'a' }), series([2], { pod: 'b' })],
      'errors{v="v2"}': [series([Number.NaN], { pod: 'b' }), series([4], { pod: 'c' })],
    };
    const { document, notes } = await documentFromPrometheus(CONFIG, 'c.json', HOUR, source(table));
    const missing = new Array(60).fill('NaN');
    expect(document).toMatchObject({
      metricSetPairList: [
        { id: 'errors pod=a', values: { control: [1], experiment: missing } },
        { id: 'errors pod=b', values: { control: [2], experiment: ['NaN'] } },
        { id: 'errors pod=c', values: { control: missing, experiment: [4] } },
      ],
    });
    expect(notes).toEqual([expect.stringContaining('2 series have no partner with the same labels')]);
  });

  it.each<[string, unknown, ScopeOptions, RegExp]>([
    ['no scope', CONFIG, { start: 0, end: 1 }, /nothing says the scope of the baseline/],
    ['no time', CONFIG, { baseline: 'a', candidate: 'b' }, /nothing says the time of the baseline/],
    ['time that runs backwards', CONFIG, { ...HOUR, end: -1 }, /ends before it begins/],
    [
      'no time that can be read',
      {
        canaryConfig: CONFIG,
        executionRequest: { scopes: { default: { controlScope: { start: 'soon' } } } },
      },
      { baseline: 'a', candidate: 'b' },
      /start "soon" is not a time/,
    ],
    [
      'another source',
      { ...CONFIG, metrics: [{ ...METRIC, query: { type: 'stackdriver' } }] },
      HOUR,
      /"errors" is to be read from stackdriver/,
    ],
    [
      'another source, by serviceType',
      { ...CONFIG, metrics: [{ ...METRIC, query: { serviceType: 'stackdriver' } }] },
      HOUR,
      /"errors" is to be read from stackdriver/,
    ],
    [
      'one query for both sides',
      { ...CONFIG, metrics: [{ ...METRIC, query: { customInlineTemplate: 'PromQL:up' } }] },
      HOUR,
      /asks the same of both sides/,
    ],
    [
      'thresholds that are none',
      { canaryConfig: CONFIG, executionRequest: { ...REQUEST, thresholds: { pass: 'high' } } },
      {},
      /scoreThresholds.pass: expected a number, found "high"/,
    ],
    ['scopes without a configuration', REQUEST, {}, /not which metrics to compare/],
    ['no configuration', { metrics: 3 }, HOUR, /c.json is not a Kayenta configuration: canaryConfig.metrics/],
  ])('%s: said before anything is asked', async (_, document, options, message) => {
    const asked: RangeQuery[] = [];
    await expect(documentFromPrometheus(document, 'c.json', options, source(OK, asked))).rejects.toThrow(
      message,
    );
    expect(asked).toEqual([]);
  });
});

describe('judging such a file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pipeline-judge-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('gives the document that was judged, which gives the same answer without Prometheus', async () => {
    const [file, saved] = [join(folder, 'c.json'), join(folder, 'saved.json')];
    await writeFile(file, JSON.stringify(CONFIG));
    const judged = await judgeFile(file, { prometheus: { source: source(OK), scopes: HOUR } });
    if (judged.kind !== 'kayenta') throw new Error('judged as Kayenta does');
    await writeFile(saved, JSON.stringify(judged.document));
    expect(await judgeFile(saved)).toMatchObject({ result: judged.result });
  });

  it('without Prometheus says how to read it', async () => {
    const file = join(folder, 'c.json');
    await writeFile(file, JSON.stringify(CONFIG));
    await expect(judgeFile(file)).rejects.toMatchObject({
      next: expect.stringContaining('--prometheus URL'),
    });
  });
});
