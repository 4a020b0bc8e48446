import { describe, expect, it } from 'vitest';
import { canaryStatus } from '../../src/hub/events/canaries.ts';
import { brokenStatus, endedStatus, runningStatus } from '../../src/watching/canary-status.ts';
import { metric, report as reportOf, simulate, verdict } from '../report/sample.ts';

const report = reportOf(
  simulate(30, {}, {}),
  verdict([metric('errors (5xx)', 'errors-5xx'), metric('latency p99', 'latency')]),
);
const begin = { id: '0123456789abcdef', by: 'ann@laptop', run: report };

describe('what the monitor is told of a canary run is what it takes', () => {
  it('when it begins and while it runs', () => {
    const snapshot = {
      seconds: 12,
      atMost: 120,
      requests: { baseline: 5, candidate: 6 },
      metrics: report.verdict.metrics,
      needs: 'about 900 more requests',
    };
    expect(canaryStatus.parse(runningStatus(begin, 0))).toMatchObject({
      state: 'running',
      seconds: 0,
      metrics: [],
    });
    const told = canaryStatus.parse(runningStatus(begin, 12_000, snapshot));
    expect(told).toMatchObject({
      seconds: 12,
      requests: { candidate: 6 },
      reason: 'about 900 more requests',
    });
    expect(told.metrics).toHaveLength(report.verdict.metrics.length);
  });

  it('when it ends, with its verdict and its charts', () => {
    const told = canaryStatus.parse(endedStatus(begin, 60_000, report, false));
    expect(told).toMatchObject({
      state: report.verdict.verdict,
      score: report.verdict.score,
      judge: report.verdict.judge,
    });
    expect(told.times.length).toBeGreaterThan(0);
    for (const { series } of told.panels)
      for (const { values } of series) expect(values).toHaveLength(told.times.length);
  });

  it('when it breaks, in a sentence that may be long', () => {
    const told = canaryStatus.parse(brokenStatus(begin, 1, 'x'.repeat(5000)));
    expect(told).toMatchObject({ state: 'interrupted', score: null });
    expect(canaryStatus.parse(endedStatus(begin, 1, report, true)).state).toBe('interrupted');
  });
});
