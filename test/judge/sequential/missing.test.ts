/** What was not measured is never taken for health. */
import { describe, expect, it } from 'vitest';
import {
  defaultSequentialConfig,
  judgeExperiment,
  type Second,
  type SequentialConfig,
} from '../../../src/judge/index.ts';
import { harmWord } from '../../../src/report/format.ts';
import { experiment, seconds } from './experiments.ts';

const { metrics } = defaultSequentialConfig;
/** The configuration in which `kind` is critical. */
const critical = (kind: keyof SequentialConfig['metrics']): Partial<SequentialConfig> => ({
  metrics: { ...metrics, [kind]: { ...metrics[kind], role: 'critical', weight: 5 } },
});

/** The experiment as if `key` had been read from the candidate only where `when` says. */
function without(
  data: readonly Second[],
  key: 'errorLines' | 'restarts' | 'cpuSeconds' | 'memoryBytes',
  when: (at: number) => boolean = () => true,
): readonly Second[] {
  return data.map((second) => {
    if (!when(second.at)) return second;
    const { [key]: _, ...candidate } = second.candidate;
    return { ...second, candidate };
  });
}

const found = (data: readonly Second[], changes: Partial<SequentialConfig>, name: string) => {
  const verdict = judgeExperiment(experiment(data, changes));
  return { verdict, metric: verdict.metrics.find((metric) => metric.name === name) };
};

describe('a critical metric that was read from one side only', () => {
  it.each([
    ['errorLines', 'error-lines', 'error lines'],
    ['restarts', 'restarts', 'restarts'],
    ['cpuSeconds', 'cpu', 'cpu for each request'],
    ['memoryBytes', 'memory', 'memory'],
  ] as const)('%s: no data, and no pass', (key, kind, name) => {
    const data = seconds(120);
    expect(found(data, critical(kind), name).metric?.verdict).not.toBe('no data');
    const { verdict, metric } = found(without(data, key), critical(kind), name);
    expect(metric).toMatchObject({ verdict: 'no data', critical: true });
    expect(verdict).toMatchObject({ verdict: 'inconclusive', needs: `data for ${name}` });
  });

  it('a few readings do not make it fewer error lines', () => {
    const data = without(seconds(120, { errorLines: 1 }), 'errorLines', (at) => at > 5);
    const { verdict, metric } = found(data, critical('error-lines'), 'error lines');
    expect(metric?.verdict).toBe('no data');
    expect(metric?.reason).toContain('were counted for 120 s of the baseline and 6 s of the candidate');
    expect(verdict.verdict).toBe('inconclusive');
  });

  it('what was proven of them stands', () => {
    const data = without(seconds(180, {}, { errorLines: 5 }), 'errorLines', (at) => at > 85);
    expect(found(data, critical('error-lines'), 'error lines').metric?.verdict).toBe('high');
  });
});

it('under unequal traffic a number of error lines tells nothing, and says so', () => {
  const data = seconds(120, { rate: 90, errorLines: 1 }, { rate: 10, errorLines: 1 });
  const { metric } = found(data, {}, 'error lines');
  expect(metric).toMatchObject({ verdict: 'inconclusive', evidence: null });
  expect(metric?.reason).toContain('Not tested: under unequal traffic');
});

it('a burst of 143 error lines against 0 is judged, and no word says that there is no evidence', () => {
  const data = seconds(60).map((second) =>
    second.at === 20 ? { ...second, candidate: { ...second.candidate, errorLines: 143 } } : second,
  );
  const { metric } = found(data, {}, 'error lines');
  if (metric === undefined) throw new Error('error lines are not among the metrics');
  expect(metric).toMatchObject({ verdict: 'inconclusive', observed: { baseline: 0, candidate: 143 } });
  expect(metric.reason).toContain('in too few moments to rule out chance: evidence ');
  expect(metric.reason).not.toContain('none');
  expect(harmWord(metric)).toBe('too little to tell');
});
