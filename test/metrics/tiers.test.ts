import { describe, expect, it } from 'vitest';
import { rollUp, TIERS, type Tier, tierFor, windowStart } from '../../src/metrics/tiers.ts';
import { window } from './windows.ts';

const tier = (name: Tier['name']): Tier => TIERS.find((each) => each.name === name) as Tier;
const HOUR = 3600;
const DAY = 24 * HOUR;
const MINUTE_START = 1_699_999_980_000; // a whole minute

describe('tiers', () => {
  it('are the retention that is promised', () => {
    expect(TIERS.map(({ name, seconds, keepSeconds }) => [name, seconds, keepSeconds / DAY])).toEqual([
      ['raw', 0, 1],
      ['minute', 60, 7],
      ['ten-minutes', 600, 90],
    ]);
  });

  it.each([
    ['inside', MINUTE_START + 30_000, MINUTE_START],
    ['at the end: it lies before', MINUTE_START + 60_000, MINUTE_START],
    ['just behind the end', MINUTE_START + 60_001, MINUTE_START + 60_000],
  ])('a sample belongs where it ended, %s', (_, at, start) => {
    expect(windowStart(tier('minute'), at)).toBe(start);
  });

  it('roll samples up into minutes, and minutes into ten minutes', () => {
    const samples = Array.from({ length: 24 }, (_, i) => window({ at: MINUTE_START + (i + 1) * 5000 }));
    const minutes = rollUp(tier('minute'), samples);
    expect(
      [...minutes].map(([start, { at, seconds }]) => [start - MINUTE_START, at - MINUTE_START, seconds]),
    ).toEqual([
      [0, 60_000, 60],
      [60_000, 120_000, 60],
    ]);
    const tens = rollUp(tier('ten-minutes'), [...minutes.values()]);
    expect([...tens.values()].map(({ seconds }) => seconds)).toEqual([120]);
  });

  it.each([
    ['the last five minutes', 300, 300, 'raw'],
    ['the last hour', HOUR, HOUR, 'raw'],
    ['the last six hours', 6 * HOUR, 6 * HOUR, 'minute'],
    ['the last two days', 2 * DAY, 2 * DAY, 'minute'],
    ['the last seven days', 7 * DAY, 7 * DAY, 'ten-minutes'],
    ['the last 90 days', 90 * DAY, 90 * DAY, 'ten-minutes'],
    ['an hour, three days ago', 3 * DAY, HOUR, 'minute'],
    ['an hour, 30 days ago', 30 * DAY, HOUR, 'ten-minutes'],
    ['before everything', 400 * DAY, HOUR, 'ten-minutes'],
  ])('draw %s from what is fine enough and reaches back', (_, ago, range, name) => {
    expect(tierFor(ago, range, 300, 5).name).toBe(name);
  });
});
