import { describe, expect, it } from 'vitest';
import type { ReleasePoint } from '../../src/hub/charts/compare.ts';
import { judgeKayenta } from '../../src/judge/index.ts';
import { caveat, documentOf } from '../../src/watching/judge-hub.ts';

const points = (slower: number, errors: number, from = 0): ReleasePoint[] =>
  Array.from({ length: 40 }, (_, i) => ({
    at: from + i * 60_000,
    requests: 100,
    errors: errors * (i % 3),
    p50: slower * (10 + (i % 7)),
    p90: slower * (20 + (i % 5)),
    p99: slower * (40 + (i % 11)),
    size: 1000 + (i % 2),
  }));
const wanted = { app: 'shop', baseline: 'r1', candidate: 'r2', start: 0, end: 1, stepSeconds: 60 };
const judged = (candidate: ReleasePoint[]) =>
  judgeKayenta(documentOf(wanted, { baseline: points(1, 0.001), candidate })).score;

describe('two releases that the monitor recorded are judged', () => {
  it.each([
    ['equal where they are', points(1, 0.001), 'Pass', 100],
    ['worse where the candidate is slower', points(2, 0.001), 'Fail', 50],
    ['a failure where it has more errors, whatever else', points(1, 0.1), 'Fail', 0],
  ])('%s', (_title, candidate, classification, score) => {
    expect(judged(candidate)).toMatchObject({ classification, score });
  });

  it('with a word of caution where they did not serve at the same time', () => {
    expect(caveat({ baseline: points(1, 0), candidate: points(1, 0) })).toBe('');
    expect(caveat({ baseline: points(1, 0), candidate: points(1, 0, 1e9) })).toContain('same time');
  });
});
