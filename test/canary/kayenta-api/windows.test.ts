import { describe, expect, it } from 'vitest';
import { judgementsOf } from '../../../src/canary/kayenta-api/windows.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-25T14:00:00Z');
const scope = (more: object = {}) => ({
  scopeName: 'default',
  controlScope: 'v1',
  experimentScope: 'v2',
  step: 10,
  ...more,
});
const windowsOf = (request: object) =>
  judgementsOf({ thresholds: { pass: 95, marginal: 75 }, ...request }, START).map(({ due, start, end }) =>
    [due, start, end].map((at) => (at - START) / MINUTE),
  );

describe('the judgements of a standalone analysis', () => {
  it('is one over the whole lifetime, once that has passed', () => {
    expect(windowsOf({ scopes: [scope()], lifetimeDurationMins: 30 })).toEqual([[30, 0, 30]]);
  });

  it('grows from the start with each interval', () => {
    expect(windowsOf({ scopes: [scope()], lifetimeDurationMins: '30', analysisIntervalMins: 10 })).toEqual([
      [10, 0, 10],
      [20, 0, 20],
      [30, 0, 30],
    ]);
  });

  it('slides with lookbackMins, and leaves out what does not fill an interval', () => {
    expect(
      windowsOf({
        scopes: [scope()],
        lifetimeDurationMins: 25,
        analysisIntervalMins: 10,
        lookbackMins: 5,
      }),
    ).toEqual([
      [10, 5, 10],
      [20, 15, 20],
    ]);
  });

  it('waits for the warm-up, which it does not look at', () => {
    expect(windowsOf({ scopes: [scope()], lifetimeDurationMins: 10, beginAfterMins: 5 })).toEqual([
      [15, 5, 15],
    ]);
  });

  it('judges the past at once where the end is given', () => {
    const past = { startTimeIso: '2026-11-25T12:00:00Z', endTimeIso: '2026-11-25T13:00:00Z' };
    expect(windowsOf({ scopes: [scope(past)], analysisIntervalMins: 30, beginAfterMins: 5 })).toEqual([
      [0, -120, -90],
      [0, -120, -60],
    ]);
  });

  it('takes an interval of nothing, or beyond the lifetime, for the lifetime', () => {
    for (const analysisIntervalMins of [0, 90])
      expect(windowsOf({ scopes: [scope()], lifetimeDurationMins: 30, analysisIntervalMins })).toHaveLength(
        1,
      );
  });

  it('gives each scope its times, and the baseline its offset', () => {
    const [only] = judgementsOf(
      {
        scopes: [scope({ controlOffsetInMinutes: 60, extendedScopeParams: { zone: 'a' } })],
        thresholds: { pass: 95, marginal: 75 },
        lifetimeDurationMins: 10,
      },
      START,
    );
    const second = START / 1000;
    expect(only?.request.scopes).toEqual({
      default: {
        controlScope: {
          scope: 'v1',
          location: undefined,
          start: second - 3600,
          end: second - 3000,
          step: 10,
          extendedScopeParams: { zone: 'a' },
        },
        experimentScope: {
          scope: 'v2',
          location: undefined,
          start: second,
          end: second + 600,
          step: 10,
          extendedScopeParams: { zone: 'a' },
        },
      },
    });
  });

  it.each<[string, object, RegExp]>([
    ['no scope', { scopes: [], lifetimeDurationMins: 10 }, /executionRequest\.scopes/],
    ['no lifetime', { scopes: [scope()] }, /lifetimeDurationMins, or endTimeIso/],
    ['less than a minute', { scopes: [scope()], lifetimeDurationMins: 0.5 }, /a minute at least/],
    ['a time that is none', { scopes: [scope({ startTimeIso: 'noon' })] }, /"noon" is not a time/],
    [
      'a judgement a second for a week',
      { scopes: [scope()], lifetimeDurationMins: 10_080, analysisIntervalMins: 1 },
      /10080 judgements are more than 1440/,
    ],
  ])('refuses %s', (_, request, message) => {
    expect(() => windowsOf(request)).toThrow(message);
  });
});
