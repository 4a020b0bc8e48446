import { describe, expect, it } from 'vitest';
import { histogramOf } from '../../src/judge/histogram.ts';
import { judgeExperiment, seededUniform, sequentialConfig } from '../../src/judge/index.ts';
import type { LogHistogram, OwnSettings, Second } from '../../src/judge/types.ts';

type Reading = number | LogHistogram;

function verdictOf(
  settings: Pick<OwnSettings, 'type' | 'role'>,
  reading: (side: 'baseline' | 'candidate', random: () => number) => Reading,
) {
  const random = seededUniform(7);
  const side = (name: 'baseline' | 'candidate') => ({
    routes: { 'GET /': { requests: 50, status: { '2xx': 50 }, latency: histogramOf(Array(50).fill(10)) } },
    own: { 'queue depth': reading(name, random) },
  });
  const seconds: Second[] = Array.from({ length: 300 }, (_, at) => ({
    at,
    baseline: side('baseline'),
    candidate: side('candidate'),
  }));
  const own = { 'queue depth': { ...settings, weight: 2, tolerance: 0.2, margin: 0.3, absolute: 0 } };
  const verdict = judgeExperiment({ config: sequentialConfig({ own }), seconds, ended: true });
  const metric = verdict.metrics.find(({ name }) => name === 'queue depth');
  return { verdict, metric };
}

describe("a metric of the application's own", () => {
  const gauges = {
    gauge: (level: number) => (random: () => number) => level * (0.9 + 0.2 * random()),
    counter: (level: number) => (random: () => number) => Math.floor(level * random()),
    histogram: (level: number) => (random: () => number) =>
      histogramOf(Array.from({ length: 20 }, () => level * random())),
  };

  it.each(['gauge', 'counter', 'histogram'] as const)(
    '%s: twice as much is rejected, the same is not',
    (type) => {
      const make = gauges[type];
      const worse = verdictOf({ type, role: 'watched' }, (side, random) =>
        make(side === 'candidate' ? 20 : 10)(random),
      );
      expect(worse.metric).toMatchObject({ kind: 'own', role: 'watched', verdict: 'high' });
      expect(worse.verdict).toMatchObject({ verdict: 'failed', decidedBy: ['queue depth'] });
      const same = verdictOf({ type, role: 'watched' }, (_, random) => make(10)(random));
      expect(same.metric?.verdict).not.toBe('high');
      expect(same.verdict.verdict).not.toBe('failed');
    },
  );

  it('informative: decides nothing', () => {
    const { verdict, metric } = verdictOf({ type: 'gauge', role: 'informative' }, (side) =>
      side === 'candidate' ? 40 : 4,
    );
    expect(metric).toMatchObject({ role: 'informative', observed: { baseline: 4, candidate: 40 } });
    expect(verdict.verdict).not.toBe('failed');
  });

  it('critical and never measured: no pass', () => {
    const { verdict, metric } = verdictOf({ type: 'gauge', role: 'critical' }, () => 0);
    expect(metric?.verdict).toBe('no data');
    expect(verdict.verdict).toBe('inconclusive');
  });
});
