import { describe, expect, it } from 'vitest';
import { effectText, intervalText, metricFigure } from '../../../src/hub/web/state/canary.ts';
import {
  count,
  eventWords,
  figure,
  localInput,
  period,
  plural,
  shortName,
  tick,
} from '../../../src/hub/web/state/format.ts';

describe('figures', () => {
  it.each([
    [null, 'ms', '–'],
    [0, 'ratio', '0 %'],
    [0.1234, 'ratio', '12.3 %'],
    [0.00001, 'ratio', '< 0.01 %'],
    [1, 'ratio', '100 %'],
    [950, 'ms', '950 ms'],
    [1234, 'ms', '1.23 s'],
    [0.4, 'bytes', '0.4 B'],
    [1500, 'bytes', '1.5 kB'],
    [8e9, 'bytes', '8 GB'],
    [2.5e6, 'bytes/s', '2.5 MB/s'],
    [3.456, '1/s', '3.46 req/s'],
    [12_345, '1/s', '12 345 req/s'],
    [0.37, 'number', '0.37'],
  ])('%s in %s is %s', (value, unit, text) => expect(figure(value, unit)).toBe(text));

  it('has plurals and short names', () => {
    expect([plural(1, 'host'), plural(1200, 'host'), count(1e6)]).toEqual([
      '1 host',
      '1 200 hosts',
      '1 000 000',
    ]);
    expect(shortName('0fb8c1c0000', 'x')).toBe('0fb8c1c');
    expect(shortName(undefined, '20261125-0fb8c1c0ffee')).toBe('0fb8c1c');
    expect(shortName(undefined, undefined)).toBe('');
  });

  it('has times in the zone of the browser', () => {
    const noon = new Date(2026, 10, 5, 12, 3, 9).getTime();
    expect(tick(noon / 1000, 10)).toBe('12:03:09');
    expect(tick(noon / 1000, 300)).toBe('12:03');
    expect(tick(noon / 1000, 86_400)).toBe('5 Nov');
    expect(tick(new Date(2026, 10, 5).getTime() / 1000, 3600)).toBe('5 Nov');
    expect(localInput(noon)).toBe('2026-11-05T12:03');
    expect(period(noon, noon + 3_600_000)).toBe('5 Nov, 12:03 – 13:03');
    expect(period(noon, noon + 86_400_000)).toBe('5 Nov, 12:03 – 6 Nov, 12:03');
  });
});

describe('events and canary runs', () => {
  it.each([
    [{ action: 'deploy', app: 'shop', release: 'r1', text: 'deploy shop r1' }, 'r1'],
    [
      { action: 'deploy', app: 'shop', release: 'r1', text: 'deploy shop r1: health failed' },
      'r1: health failed',
    ],
    [{ action: 'up', app: '', text: 'up' }, ''],
    [{ action: 'deploy', app: 'shop', release: 'r1', text: 'shop r1 serves' }, 'r1 serves'],
    [{ action: 'canary', app: 'shop', text: 'canary a against b: passed' }, 'a against b: passed'],
  ])('say what stands nowhere else: %j', (event, words) => expect(eventWords(event)).toBe(words));

  it.each([
    [{ unit: 'ms', scale: 'ratio', effect: 1.12, interval: [1.05, 1.2] }, '+12 %', '+5 % to +20 %'],
    [
      { unit: 'share', scale: 'difference', effect: 0.31, interval: [0.27, null] },
      '+31 points',
      'at least +27 points',
    ],
    [{ unit: 'bytes', scale: 'difference', effect: -2000, interval: [null, 0] }, '−2 kB', 'at most ±0 B'],
    [{ unit: '', scale: null, effect: null, interval: null }, '–', ''],
  ] as const)('tell effects: %j', (metric, effect, interval) =>
    expect([effectText(metric), intervalText(metric)]).toEqual([effect, interval]),
  );

  it('have the units of the judge', () =>
    expect([metricFigure(0.5, 'share'), metricFigure(1.6, 'ms a request'), metricFigure(3, 'cores')]).toEqual(
      ['50 %', '1.6 ms', '3 cores'],
    ));
});
