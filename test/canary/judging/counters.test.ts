/** The sequential judge on counters and histograms of Prometheus. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secondsFrom } from '../../../src/canary/judging/counters.ts';
import { judgeFile } from '../../../src/canary/judging/judge-file.ts';
import { savedCounters } from '../../../src/canary/judging/sequential-file.ts';
import { upperEdge } from '../../../src/judge/index.ts';
import type { Prometheus, RangeSeries } from '../../../src/metrics/prometheus.ts';

const STEPS = { start: 1000, end: 1040, step: 10 };
/** A series with values at the steps' edges; `undefined`: none there. */
const series = (labels: Record<string, string>, ...values: (number | undefined)[]): RangeSeries => {
  const known = values.flatMap((value, i) => (value === undefined ? [] : [[1000 + 10 * i, value] as const]));
  return { labels, values: known.map(([, value]) => value), times: known.map(([at]) => at) };
};
const SAME = { requests: [series({ code: '200' }, 100, 110, 120, 130, 140)] };
const candidateOf = (requests: readonly RangeSeries[]) =>
  secondsFrom(SAME, { requests }, STEPS).map(({ candidate }) => candidate.routes.requests);

describe('counters as seconds', () => {
  it('are what each step added, by status', () => {
    const counted = candidateOf([
      series({ code: '200' }, 5, 15, 25, 25, 26),
      series({ code: '204' }, 0, 1, 1, 1, 1),
      series({ code: '503' }, 2, 2, 4, 4, 4),
    ]);
    expect(counted.map((step) => step?.status)).toEqual([
      { '2xx': 11, '5xx': 0 },
      { '2xx': 10, '5xx': 2 },
      { '2xx': 0, '5xx': 0 },
      { '2xx': 1, '5xx': 0 },
    ]);
    expect(counted.map((step) => step?.requests)).toEqual([11, 12, 0, 1]);
  });

  it('begin anew after a restart, and at 0 where they appear later: the first error counts', () => {
    const counted = candidateOf([
      series({ status: '200' }, 50, 60, 3, 13, 23),
      series({ status: '500' }, undefined, undefined, 4, 4, 5),
    ]);
    expect(counted.map((step) => step?.status)).toEqual([
      { '2xx': 10, '5xx': 0 },
      { '2xx': 3, '5xx': 4 },
      { '2xx': 10, '5xx': 0 },
      { '2xx': 10, '5xx': 1 },
    ]);
  });

  it('take buckets of seconds or milliseconds, each value within its own', () => {
    const of = (name: string, unit: number) => {
      const bucket = (le: number | string, ...values: number[]) =>
        series({ __name__: name, le: String(typeof le === 'number' ? le * unit : le) }, ...values);
      const latency = [
        bucket(0.1, 0, 8, 8, 8, 8),
        bucket(0.05, 0, 2, 2, 2, 2),
        bucket('+Inf', 0, 10, 10, 10, 10),
      ];
      const [first] = secondsFrom(SAME, { ...SAME, latency }, STEPS);
      return Object.entries(first?.candidate.routes.requests?.latency.counts ?? {}).flatMap(
        ([index, count]) => new Array<number>(count).fill(upperEdge(Number(index))),
      );
    };
    const values = of('http_request_duration_seconds_bucket', 1).sort((a, b) => a - b);
    expect(values).toHaveLength(10);
    expect(values.filter((ms) => ms <= 50.5)).toHaveLength(2);
    expect(values.filter((ms) => ms > 50.5 && ms <= 102)).toHaveLength(6);
    expect(of('http_request_duration_ms_bucket', 1000).sort((a, b) => a - b)).toEqual(values);
  });

  it('refuse a step in which only one side was scraped', () => {
    const late = [series({ code: '200' }, 0, 0, 30, 30, 60)];
    const early = { requests: [series({ code: '200' }, 0, 30, 30, 60, 60)] };
    expect(() => secondsFrom(early, { requests: late }, STEPS)).toThrow(
      'In 4 of 4 steps of 10 s only one version counted requests',
    );
  });

  it('need the status of the answers, and a histogram', () => {
    expect(() => candidateOf([series({ version: 'v2' }, 0, 1, 2, 3, 4)])).toThrow(
      "The candidate's requests have no label with the status of the answers (labels: version).",
    );
    const latency = [series({ version: 'v2' }, 0, 1, 2, 3, 4)];
    expect(() => secondsFrom(SAME, { ...SAME, latency }, STEPS)).toThrow('no label le');
  });
});

describe('pipeline judge FILE --prometheus, sequential', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pipeline-counters-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const scope = `$\{scope}`;
  const FILE = { judge: 'sequential', requests: `http_requests_total{version="${scope}"}` };
  const scopes = { baseline: 'v1', candidate: 'v2', start: 0, end: 600, step: 10 };
  /** 60 steps with 100 requests each, of which v2 fails one in ten. */
  const source: Prometheus = {
    range: async ({ query }) => {
      const failed = query.includes('v2') ? 10 : 0;
      const grown = (each: number) => Array.from({ length: 61 }, (_, i) => each * i);
      const times = Array.from({ length: 61 }, (_, i) => 10 * i);
      return {
        series: [
          { labels: { code: '200' }, values: grown(100 - failed), times },
          { labels: { code: '500' }, values: grown(failed), times },
        ],
        warnings: [],
      };
    },
  };
  const judge = async (document: unknown, prometheus: object | null = { source, scopes }) => {
    const file = join(folder, 'canary.json');
    await writeFile(file, JSON.stringify(document));
    return judgeFile(file, prometheus === null ? {} : { prometheus: prometheus as never });
  };

  it('fails a version that fails more often, and says what that rests on', async () => {
    const judged = await judge(FILE);
    if (judged.kind !== 'counters') throw new Error(`It was judged as ${judged.kind}.`);
    expect(judged.verdict).toMatchObject({
      judge: 'sequential',
      verdict: 'failed',
      decidedBy: ['errors (5xx)'],
      samples: { baseline: 6000, candidate: 6000 },
    });
    expect(judged.notes[0]).toContain('dealt to both versions at random');
    const again = await judge(savedCounters(judged), null);
    expect(again).toEqual(judged);
  });

  it('passes a version against one that does the same', async () => {
    const judged = await judge(FILE, { source, scopes: { ...scopes, candidate: 'v3' } });
    expect(judged).toMatchObject({ kind: 'counters', verdict: { verdict: 'passed' } });
  });

  it.each([
    [{ ...FILE, latencies: 'x' }, 'Unrecognized key: "latencies"'],
    [{ ...FILE, requests: 'http_requests_total' }, 'asks the same requests of both versions'],
  ])('refuses %j before anything is asked', async (document, message) => {
    const never: Prometheus = { range: () => Promise.reject(new Error('It was asked.')) };
    await expect(judge(document, { source: never, scopes })).rejects.toThrow(message);
  });

  it('says what is missing without --prometheus, and that Kayenta reads no counters', async () => {
    await expect(judge(FILE, null)).rejects.toThrow('holds no values');
    const file = join(folder, 'canary.json');
    await expect(judgeFile(file, { judge: 'kayenta', prometheus: { source, scopes } })).rejects.toThrow(
      'counters',
    );
  });
});
