/** What verdicts say, word for word. */
import { describe, expect, test } from 'vitest';
import { judgeExperiment } from '../../../src/judge/index.ts';
import {
  about,
  interval,
  list,
  number,
  odds,
  percent,
  points,
  ratio,
  withUnit,
} from '../../../src/judge/sequential/words.ts';
import { experiment, seconds } from './experiments.ts';

test.each([
  [number(0), '0'],
  [number(0.01234), '0.0123'],
  [number(1234567.8), '1,234,568'],
  [percent(0.5), '50 %'],
  [percent(0.00123), '0.12 %'],
  [ratio(1), 'equal'],
  [ratio(1.2034), '20.3 % higher'],
  [ratio(0.8), '20 % lower'],
  [ratio(Math.PI), '3.14 times'],
  [points(0), 'equal'],
  [points(0.01), '1 percentage point more'],
  [points(-0.0123), '1.2 percentage points fewer'],
  [odds(0), '1 : 1'],
  [odds(Math.log(1480)), '1,480 : 1'],
  [odds(50), 'more than 1,000,000 : 1'],
  [about(912.3), '910'],
  [about(12345), '12,000'],
  [about(3), '10'],
  [list(['a']), 'a'],
  [list(['a', 'b', 'c']), 'a, b and c'],
  [withUnit(12.345, 'ms'), '12.3 ms'],
  [withUnit(1234, 'bytes'), '1.23 kB'],
  [withUnit(104857600, 'bytes'), '105 MB'],
  [withUnit(null, 'ms'), 'nothing'],
  [interval({ interval: [0.9, 1.1], level: 0.95 }, ratio), ' (95 % interval: 10 % lower to 10 % higher)'],
  [interval({ interval: [null, 1.1], level: 0.95 }, ratio), ' (95 % interval: at most 10 % higher)'],
  [interval({ interval: [1.1, null], level: 0.95 }, ratio), ' (95 % interval: at least 10 % higher)'],
  [interval({ interval: [null, null], level: 0.95 }, ratio), ''],
])('%s', (said, expected) => {
  expect(said).toBe(expected);
});

describe(
  'a reason says what was compared, the effect with its interval, the samples, the threshold, ' + 'and why',
  () => {
    const reasons = (said: ReturnType<typeof judgeExperiment>) =>
      Object.fromEntries(said.metrics.map((metric) => [metric.name, metric.reason]));

    test('of a rate', () => {
      const said = judgeExperiment(experiment(seconds(4, {}, { errors: 1 })));
      expect(said.reason).toMatch(/^The candidate is worse\. errors \(5xx\): /);
      const reason = reasons(said)['errors (5xx)'];
      expect(reason).toMatch(
        /^Of the candidate's requests, 200 of 200 \(100 %\) failed or went unanswered, /,
      );
      expect(reason).toMatch(
        /, of the baseline's 0 of 200 \(0 %\): 100 percentage points more \(95 % interval: /,
      );
      expect(reason).toMatch(/ interval: at least \d+ percentage points more\)\. The evidence that the /);
      expect(reason).toMatch(
        /\. The evidence that the candidate fails more often is [\d,]+ : 1; 250 : 1 was needed\.$/,
      );
    });

    test('of a quantile that passes, and of one that is slower', () => {
      const said = reasons(judgeExperiment(experiment(seconds(90, {}, { median: 26 }))));
      const slower = said['latency p50'];
      expect(slower).toMatch(
        /^The candidate's p50 latency is 2\d(\.\d)? ms, the baseline's (19|20)(\.\d)? ms: /,
      );
      expect(slower).toMatch(
        / ms: [\d.]+ % higher \(95 % interval: [\d.]+ % higher to [\d.]+ % higher\), over /,
      );
      expect(slower).toMatch(
        /\), over [\d,]+ answers of the baseline and [\d,]+ of the candidate\. The evidence /,
      );
      expect(slower).toMatch(
        / that the candidate is slower by more than the tolerated 10 % \(at least 1 ms\) is /,
      );
      expect(slower).toMatch(/ is .+ : 1; 1,000 : 1 was needed\.$/);
      const passed = said['errors (5xx)'];
      expect(passed).toMatch(
        /The evidence that it is not worse by 0\.5 % of all or 25 % of the baseline's share is /,
      );
      expect(passed).toMatch(/ is .+ : 1; 20 : 1 was needed\.$/);
    });

    test('of what is undecided', () => {
      const said = reasons(judgeExperiment(experiment(seconds(8))));
      expect(said['latency p99']).toContain(
        'Undecided: the evidence that the candidate is slower by more than the tolerated 10 %',
      );
      expect(said['cpu for each request']).toMatch(/^Nothing to compare: /);
    });

    test('of events and of the whole distribution', () => {
      const said = reasons(judgeExperiment(experiment(seconds(90, {}, { restarts: 1 }))));
      expect(said.restarts).toMatch(
        /^90 restarts of the candidate, 0 of the baseline in 90 s\. The evidence that the candidate has /,
      );
      expect(said['latency distribution']).toMatch(
        /^The distribution functions of latency are up to \d+(\.\d)? % apart \(99 % interval: /,
      );
    });
  },
);
