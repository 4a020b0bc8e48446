/** Files after public reports of Kayenta's users: each is read from disk and judged the whole way. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeFile } from '../../../src/canary/judging/judge-file.ts';
import type { ScopeOptions } from '../../../src/canary/judging/kayenta-file.ts';
import type { Prometheus, RangeAnswer, RangeQuery, RangeSeries } from '../../../src/metrics/prometheus.ts';

const file = (name: string) => join(import.meta.dirname, 'kayenta', `${name}.json`);
const HOUR: ScopeOptions = { baseline: 'v1', candidate: 'v2', start: 0, end: 3600, step: 60 };

/** A value for each step, the end too, as Prometheus answers a range. */
function over({ start, end, step }: RangeQuery, value: (at: number) => number, labels = {}): RangeSeries {
  const count = Math.floor((end - start) / step) + 1;
  return { labels, values: Array.from({ length: count }, (_, index) => value(start + index * step)) };
}

class Fake implements Prometheus {
  readonly asked: RangeQuery[] = [];
  readonly #answer: (query: RangeQuery) => readonly RangeSeries[];
  constructor(answer: (query: RangeQuery) => readonly RangeSeries[]) {
    this.#answer = answer;
  }
  range(query: RangeQuery): Promise<RangeAnswer> {
    this.asked.push(query);
    return Promise.resolve({ series: this.#answer(query), warnings: [] });
  }
}

const isCandidate = ({ query }: RangeQuery) => /v2|canary|experiment/.test(query);
/** Knows no errors of the baseline, and 20 to 30 a minute of the candidate. */
const onlyCandidateFails = () =>
  new Fake((query) => {
    if (!isCandidate(query)) return [];
    if (!query.query.includes('by (action)')) return [over(query, (at) => 0.3 + ((at / 60) % 7) / 50)];
    return ['a', 'b'].map((action, index) => over(query, (at) => 20 - 10 * index + (at % 7), { action }));
  });

async function judged(name: string, source: Prometheus, scopes: ScopeOptions = HOUR) {
  const answer = await judgeFile(file(name), { prometheus: { source, scopes } });
  if (answer.kind !== 'kayenta') throw new Error('a Kayenta file is judged as Kayenta does');
  return answer;
}

describe('a series that does not exist is not health', () => {
  it('errors against a baseline that never had one (kayenta#700, #799, #377)', async () => {
    const answer = await judged('nan-replace-baseline-without-errors', onlyCandidateFails());
    expect(answer.result.results).toMatchObject([{ classification: 'High', critical: true }]);
    expect(answer).toMatchObject({ outcome: 'failed', result: { score: { score: 0 } } });
    expect(answer.notes).toContainEqual(expect.stringContaining('no series of the baseline'));
    const padded = await judgeFile(file('nan-replace-padded-as-kayenta-does'));
    expect(padded).toMatchObject({ outcome: 'failed', result: { results: [{ classification: 'High' }] } });
  });

  it('the same, grouped by a label', async () => {
    const answer = await judged('errors-by-controller', onlyCandidateFails(), {});
    expect(answer.result.results.map(({ classification }) => classification)).toEqual(['High', 'High']);
    expect(answer.outcome).toBe('failed');
  });

  it('series by pod, which match nothing of the other version (kayenta#738)', async () => {
    const source = new Fake((query) =>
      [0, 1].map((index) => {
        const version = isCandidate(query) ? 'v2' : 'v1';
        const level = isCandidate(query) ? 50 : 1;
        return over(query, (at) => level + ((at / 60) % 7), { pod: `shop-${version}-${index}` });
      }),
    );
    const answer = await judged('by-pod-nan-replace', source);
    const classes = answer.result.results.map(({ classification }) => classification);
    expect(classes).toEqual(['Pass', 'Pass', 'High', 'High']);
    expect(answer.outcome).toBe('failed');
    expect(answer.notes).toContainEqual(expect.stringMatching(/nothing matched .* labels \(pod\) differ/));
  });

  it('neither side has a series: zeros against zeros compare nothing', async () => {
    const answer = await judged('nan-replace-baseline-without-errors', new Fake(() => []));
    expect(answer.result.score.classification).toBe('Pass');
    expect(answer.outcome).toBe('inconclusive');
    expect(answer.notes[0]).toContain('nothing was compared');
  });

  it('a candidate that is not there has no errors, and does not pass for it', async () => {
    const source = new Fake((query) => (isCandidate(query) ? [] : [over(query, () => 0.2)]));
    const answer = await judged('nan-replace-baseline-without-errors', source);
    expect(answer.outcome).toBe('inconclusive');
  });

  it('a candidate whose errors by requests are infinite (kayenta#707)', async () => {
    const source = new Fake((query) => [over(query, (at) => (isCandidate(query) ? Infinity : at % 7))]);
    const answer = await judged('nan-replace-baseline-without-errors', source);
    expect(answer.outcome).toBe('inconclusive');
    expect(answer.notes).toContainEqual(expect.stringMatching(/^errors has infinite values/));
  });

  it('one value each cannot be tested', async () => {
    const source = new Fake((query) => [{ labels: {}, values: [isCandidate(query) ? 2 : 1] }]);
    const answer = await judged('nan-replace-baseline-without-errors', source);
    expect(answer.result.results[0]?.classification).toBe('Error');
    expect(answer.outcome).toBe('inconclusive');
  });

  it('a metric of the configuration without values in the document', async () => {
    const document = JSON.parse(readFileSync(file('nan-replace-padded-as-kayenta-does'), 'utf8'));
    const [errors] = document.canaryConfig.metrics;
    const [pair] = document.metricSetPairList;
    pair.values.control = pair.values.experiment;
    const { judgedAsKayenta } = await import('../../../src/canary/judging/judge-file.ts');
    expect(judgedAsKayenta(document)).toMatchObject({ outcome: 'passed' });
    document.canaryConfig.metrics = [errors, { ...errors, name: 'latency' }];
    expect(judgedAsKayenta(document)).toMatchObject({
      outcome: 'inconclusive',
      notes: [expect.stringContaining('latency')],
    });
  });

  it('sides that are labelled by different names are refused', async () => {
    const source = new Fake((query) =>
      [1, 2].map((n) => over(query, () => n, { [isCandidate(query) ? 'pod' : 'code']: `${n}` })),
    );
    await expect(judged('by-pod-nan-replace', source)).rejects.toThrow(/labelled by code, .* by pod/);
  });
});

describe('files as people have them', () => {
  it('the newer key `template` is a query, or the name of one', async () => {
    const source = onlyCandidateFails();
    await judged('template-key', source);
    expect(source.asked[0]?.query).toBe('sum(rate(http_requests_total{autoscaling_group="v1"}[5m]))');
  });

  it('thresholds may be texts', async () => {
    const answer = await judged('thresholds-as-text', onlyCandidateFails(), {});
    expect(answer.outcome).toBe('failed');
  });

  it.each(['static-baseline-judge', 'other-judge-name'])(
    '%s: a judge that is not here is refused by name, before Prometheus is asked',
    async (name) => {
      const source = onlyCandidateFails();
      await expect(judged(name, source)).rejects.toMatchObject({
        kind: 'usage',
        message: expect.stringMatching(/judge\.name: .*NetflixACAJudge-v1.0.*StaticBaselineJudge-v1\.0/),
        next: expect.not.stringContaining('--prometheus'),
      });
      expect(source.asked).toEqual([]);
    },
  );

  it('without Prometheus, a document with values is refused for its judge all the same', async () => {
    await expect(judgeFile(file('other-judge-name'))).rejects.toThrow('StaticBaselineJudge-v1.0');
  });

  it("takes the body of Kayenta's standalone analysis", async () => {
    const source = onlyCandidateFails();
    const answer = await judged('standalone-analysis', source, {});
    const start = Date.parse('2026-11-28T10:00:00Z') / 1000;
    expect(source.asked).toMatchObject([
      { query: expect.stringContaining('"v1"'), start: start - 600, end: start + 3600 - 600, step: 30 },
      { query: expect.stringContaining('"v2"'), start, end: start + 3600, step: 30 },
    ]);
    expect(answer.outcome).toBe('failed');
    expect(answer.notes).toContainEqual(expect.stringContaining('every 10 minutes'));
  });
});
