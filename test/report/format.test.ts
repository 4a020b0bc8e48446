import { describe, expect, it } from 'vitest';
import {
  formatClock,
  formatEffect,
  formatInterval,
  formatNumber,
  formatRatio,
  formatShare,
  formatSide,
  harmShare,
  harmWord,
} from '../../src/report/format.ts';
import { metric } from './sample.ts';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.0004, '0.0004'],
    [0.01234, '0.0123'],
    [1.234, '1.23'],
    [12.34, '12.3'],
    [123.4, '123'],
    [1234.5, '1,235'],
  ])('%d is %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it.each([
    [0, '00:00'],
    [3.9, '00:03'],
    [725, '12:05'],
  ])('%d s on a clock are %s', (value, text) => expect(formatClock(value)).toBe(text));

  it.each([
    [1, '±0 %'],
    [1.32, '+32 %'],
    [1.075, '+7.5 %'],
    [0.92, '−8 %'],
    [0.5, '−50 %'],
    [3.2, '× 3.2'],
    [0.05, '× 0.05'],
    [0, '× 0'],
  ])('a ratio of %d is %s', (value, text) => expect(formatRatio(value)).toBe(text));

  it('a share has three digits', () =>
    expect([0, 0.00254, 0.123, 1].map(formatShare)).toEqual(['0 %', '0.254 %', '12.3 %', '100 %']));
});

describe('a metric in words', () => {
  const errors = metric('errors (5xx)', 'errors-5xx', {
    unit: 'share',
    observed: { baseline: 0, candidate: 0.02 },
    samples: { baseline: 151, candidate: 150 },
    effect: { name: 'difference', scale: 'difference', value: 0.02 },
    interval: [0.004, 0.061],
  });

  it('names shares with the counts behind them', () => {
    expect(formatSide(errors, 'baseline')).toBe('0 of 151');
    expect(formatSide(errors, 'candidate')).toBe('3 of 150');
    expect(formatEffect(errors)).toBe('+2 points');
    expect(formatInterval(errors)).toBe('+0.4 to +6.1 points');
  });

  it('says what an open interval means', () => {
    const ratio = (interval: [number | null, number | null]) =>
      formatInterval(metric('latency p50', 'latency', { interval }));
    expect(ratio([0.9, 1.1])).toBe('−10 to +10 %');
    expect(ratio([null, 1.1])).toBe('at most +10 %');
    expect(ratio([3, null])).toBe('at least × 3');
    expect(ratio([null, null])).toBe('anything');
  });

  it('has a dash for what is not known', () => {
    const unknown = metric('latency p50', 'latency', {
      observed: { baseline: null, candidate: null },
      effect: null,
      interval: null,
    });
    expect([formatSide(unknown, 'baseline'), formatEffect(unknown), formatInterval(unknown)]).toEqual([
      '–',
      '–',
      '–',
    ]);
  });

  it.each([
    [0, 0, 'none'],
    [0, 4, 'none, shown no worse'],
    [1, 0, 'little'],
    [3, 0, 'some'],
    [5.5, 0, 'strong'],
    [7, 0, 'beyond doubt'],
  ])('evidence e^%d for harm and e^%d against it is %s', (worse, noWorse, word) => {
    const evidence = { worse, worseThreshold: 6.9, noWorse, noWorseThreshold: 3, lower: 0 };
    expect(harmWord(metric('latency p50', 'latency', { evidence }))).toBe(word);
  });

  it('of what decides nothing is said to be informative, whatever was found', () => {
    const evidence = { worse: 9, worseThreshold: 6.9, noWorse: 0, noWorseThreshold: 3, lower: 0 };
    const memory = metric('memory', 'memory', { role: 'informative', verdict: 'high', evidence });
    expect(harmWord(memory)).toBe('not judged (informative)');
    expect(harmShare(memory)).toBeNull();
  });

  it('of 143 error lines against none in one moment is too little to tell, not none', () => {
    const evidence = { worse: 0.2, worseThreshold: 6.9, noWorse: 0, noWorseThreshold: 3, lower: 0 };
    const observed = { baseline: 0, candidate: 143 };
    const lines = { verdict: 'inconclusive', observed, evidence } as const;
    expect(harmWord(metric('error lines', 'error-lines', lines))).toBe('too little to tell');
    expect(harmWord(metric('error lines', 'error-lines', { ...lines, evidence: null }))).toBe('not tested');
  });

  it('of error lines that differ either way is never none', () => {
    const evidence = { worse: 0, worseThreshold: 6.9, noWorse: 0, noWorseThreshold: 3, lower: 0 };
    const said = (baseline: number, candidate: number, verdict: 'pass' | 'inconclusive') =>
      harmWord(
        metric('error lines', 'error-lines', { verdict, observed: { baseline, candidate }, evidence }),
      );
    expect(said(0, 143, 'inconclusive')).toBe('too little to tell');
    expect(said(143, 0, 'pass')).toBe('too little to tell');
    expect(said(7, 7, 'pass')).toBe('none');
  });

  it.each([
    ['more failures', 'errors (5xx)', 'errors-5xx', 'difference', 0.02],
    ['a higher latency', 'latency p50', 'latency', 'ratio', 1.4],
  ] as const)('of %s that chance may explain is too little to tell', (_what, name, kind, scale, value) => {
    const evidence = { worse: 0, worseThreshold: 6.9, noWorse: 0, noWorseThreshold: 3, lower: 0 };
    const effect = { name: 'effect', scale, value };
    const said = (more: number) =>
      harmWord(metric(name, kind, { verdict: 'inconclusive', evidence, effect: { ...effect, value: more } }));
    expect(said(value)).toBe('too little to tell');
    expect(said(scale === 'ratio' ? 0.9 : 0)).toBe('none');
  });
});
