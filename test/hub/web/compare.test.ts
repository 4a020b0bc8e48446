import { describe, expect, it } from 'vitest';
import type { RouteFigures } from '../../../src/hub/api-types.ts';
import { changeText, compare, summary } from '../../../src/hub/web/state/compare.ts';

describe('two versions', () => {
  const figures = (change: Partial<RouteFigures> = {}): RouteFigures => ({
    requests: 1000,
    rate: 10,
    errors: 0.001,
    rejected: 0.01,
    size: 1000,
    p50: 20,
    p90: 50,
    p99: 200,
    ...change,
  });
  const cases: [string, Parameters<typeof compare>[0], Partial<RouteFigures>, string, string][] = [
    ['errors beyond chance', 'errors', { errors: 0.05 }, 'worse', '+4.9 points'],
    ['errors within chance', 'errors', { errors: 0.002 }, 'alike', '+0.1 points'],
    ['fewer rejected, of too few to tell', 'rejected', { rejected: 0 }, 'few', '−1.0 points'],
    ['one in ten of few that fail', 'errors', { requests: 30, errors: 0.1 }, 'worse', '+9.9 points'],
    ['none of few that fail', 'errors', { requests: 30, errors: 0 }, 'few', '−0.1 points'],
    ['half as fast again', 'p90', { p90: 75 }, 'worse', '+50 %'],
    ['faster', 'p50', { p50: 10 }, 'better', '−50 %'],
    ['within a tenth', 'p90', { p90: 54 }, 'alike', '+8.0 %'],
    ['within a millisecond', 'p50', { p50: 20.9 }, 'alike', '+4.5 %'],
    ['too few requests', 'p99', { requests: 200, p99: 900 }, 'few', ''],
    ['no figure', 'p50', { p50: null }, 'few', ''],
  ];
  it.each(cases)('%s', (_title, metric, change, difference, text) => {
    const compared = compare(metric, figures(), figures(change));
    expect([compared.difference, changeText(metric, compared)]).toEqual([difference, text]);
  });

  it('are told in a sentence', () => {
    expect(summary(figures(), figures({ errors: 0.05, p90: 75 }), 2)).toBe(
      'Worse: errors (5xx) +4.9 points, p90 +50 %. 2 routes are worse.',
    );
    expect(summary(figures(), figures(), 0)).toBe('About alike.');
    expect(summary(figures(), figures({ requests: 60 }), 0)).toBe(
      'About alike, with too few requests to tell about errors (5xx), rejected (4xx), p99.',
    );
    expect(summary(figures(), figures({ requests: 3 }), 0)).toBe('Too few requests to compare.');
  });
});
