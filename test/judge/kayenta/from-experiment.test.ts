/** Both judges about the same recording. */
import { describe, expect, test } from 'vitest';
import { judgeKayenta, toKayentaDocument } from '../../../src/judge/index.ts';
import { experiment, seconds } from '../sequential/experiments.ts';

interface Pair {
  readonly name: string;
  readonly values: { readonly control: readonly unknown[]; readonly experiment: readonly unknown[] };
}
const pairs = (recording: Parameters<typeof toKayentaDocument>[0], step?: number) =>
  toKayentaDocument(recording, step).metricSetPairList as readonly Pair[];
const pair = (recording: Parameters<typeof toKayentaDocument>[0], name: string, step?: number) =>
  pairs(recording, step).find((found) => found.name === name);
const judged = (...sides: Parameters<typeof seconds>) =>
  judgeKayenta(toKayentaDocument(experiment(seconds(...sides))));
const classified = (answer: ReturnType<typeof judgeKayenta>) =>
  Object.fromEntries(answer.results.map((result) => [result.name, result.classification]));

test('a twelfth of the experiment is a point, and no point is longer than a minute', () => {
  const points = (count: number) =>
    pair(experiment(seconds(count, { rate: 2 }, { rate: 2 })), 'errors (5xx)')?.values.control.length;
  expect(points(125)).toBe(12);
  expect(points(12)).toBe(7);
  expect(points(1205)).toBe(20);
});

test('the warm-up is left out, and the step is what is asked for', () => {
  const recording = experiment(seconds(65, (at) => (at < 5 ? { errors: 1 } : {})));
  expect(pair(recording, 'errors (5xx)', 20)?.values.control).toEqual([0, 0, 0]);
});

test('values are what they are called', () => {
  const side = { errors: 1, restarts: 2, errorLines: 3 };
  const recording = experiment(seconds(25, { size: 1000, memory: 1e8, cpuMs: 5 }, side));
  const value = (name: string) => pair(recording, name, 10)?.values;
  expect(value('errors (5xx)')).toEqual({ control: [0, 0], experiment: [1, 1] });
  expect(value('restarts')).toEqual({ control: [0, 0], experiment: [20, 20] });
  expect(value('error lines')?.experiment).toEqual([30, 30]);
  expect(value('latency p50')?.experiment).toEqual(['NaN', 'NaN']);
  for (const median of value('response size')?.control ?? []) expect(Number(median) / 1000).toBeCloseTo(1, 1);
  for (const cpu of value('cpu for each request')?.control ?? []) expect(Number(cpu)).toBeCloseTo(5, 0);
  for (const memory of value('memory')?.control ?? []) expect(Number(memory) / 1e8).toBeCloseTo(1, 1);
});

test('what was not measured is no metric of the document', () => {
  const data = seconds(30).map(({ at, baseline, candidate }) => ({
    at,
    baseline: { routes: baseline.routes },
    candidate: { routes: candidate.routes },
  }));
  const names = pairs(experiment(data)).map((found) => found.name);
  expect(names).toContain('latency p99');
  expect(names).not.toContain('memory');
  expect(names).not.toContain('wrong bodies');
});

describe('the answers', () => {
  test('identical versions pass', () => {
    expect(judged(120).score).toMatchObject({ score: 100, classification: 'Pass' });
  });

  test('failing requests are critical', () => {
    const answer = judged(120, {}, { errors: 1 });
    expect(answer.score).toEqual({
      score: 0,
      classification: 'Fail',
      classificationReason: 'Canary Failed: The metric errors (5xx) was classified as High (Critical)',
    });
  });

  test('slower by half is High, slower by less than is tolerated is not', () => {
    expect(classified(judged(120, {}, { median: 30 }))).toMatchObject({
      'latency p50': 'High',
      'latency p90': 'High',
    });
    expect(classified(judged(120, {}, { median: 21 }))).toMatchObject({ 'latency p50': 'Pass' });
  });

  test('no traffic is no pass', () => {
    expect(judged(60, { rate: 0 }, { rate: 0 }).score.classification).toBe('Fail');
    expect(judgeKayenta(toKayentaDocument(experiment([]))).score.classification).toBe('Fail');
  });

  test('traffic one after the other is compared minute by minute of its own', () => {
    const turns = seconds(
      120,
      (at) => (at < 60 ? { rate: 50 } : { rate: 0 }),
      (at) => (at < 60 ? { rate: 0 } : { rate: 50 }),
    );
    const recording = experiment(turns, { traffic: 'sequential' });
    expect(pair(recording, 'errors (5xx)', 10)?.values).toEqual({
      control: [0, 0, 0, 0, 0, 0],
      experiment: [0, 0, 0, 0, 0, 0],
    });
  });
});
