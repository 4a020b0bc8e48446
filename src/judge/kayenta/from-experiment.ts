/**
 * A recorded experiment as a document for Kayenta's judge, so that both judges can judge the same data.
 */
import { addBlock, noDenseCounts, quantileSlot, slotMiddle, sparse, spread } from '../sequential/slots.ts';
import { bodyTrials, errorTrials, requestsOf } from '../sequential/trials.ts';
import type { Experiment, LogHistogram, Second, SequentialConfig, SideSecond } from '../types.ts';

/**
 * How many points a short experiment has for each metric; a point never covers more than Kayenta's usual
 * minute.
 */
const POINTS = 12;
const LONGEST_STEP = 60;

/** A remote-judge document. */
export interface KayentaDocument {
  readonly canaryConfig: unknown;
  readonly scoreThresholds: { readonly pass: number; readonly marginal: number };
  readonly metricSetPairList: readonly unknown[];
}

/**
 * One metric: how it is configured, and its value for one side over some seconds; NaN where there is none.
 */
interface Metric {
  readonly name: string;
  readonly group: string;
  readonly critical: boolean;
  /** Ratio of the means from which an increase counts. */
  readonly allowedIncrease: number;
  value(seconds: readonly SideSecond[]): number;
}

/**
 * `{canaryConfig, scoreThresholds, metricSetPairList}` with a point for every `stepSeconds` (default: a
 * twelfth of the experiment, at most a minute). The warm-up is left out; an increase counts as far as the
 * sequential judge's tolerance is exceeded; errors and wrong bodies are critical; 95 passes, 75 is marginal.
 */
export function toKayentaDocument(experiment: Experiment, stepSeconds?: number): KayentaDocument {
  const { config, seconds } = experiment;
  const first = seconds[0]?.at ?? 0;
  const length = (seconds.at(-1)?.at ?? 0) - first + 1;
  const step = stepSeconds ?? Math.min(LONGEST_STEP, Math.max(1, Math.floor(length / POINTS)));
  const metrics = metricsOf(config);
  const sides = {
    control: steps(seconds, 'baseline', config, step),
    experiment: steps(seconds, 'candidate', config, step),
  };
  const values = (metric: Metric, side: 'control' | 'experiment') =>
    sides[side].map((part) => metric.value(part)).map((value) => (Number.isFinite(value) ? value : 'NaN'));
  const measured = metrics.filter((metric) =>
    [...values(metric, 'control'), ...values(metric, 'experiment')].some((value) => value !== 'NaN'),
  );
  return {
    canaryConfig: {
      name: 'pipeline canary',
      description: `One point for every ${step} s`,
      configVersion: '1',
      applications: [],
      judge: { name: 'NetflixACAJudge-v1.0', judgeConfigurations: {} },
      metrics: measured.map(({ name, group, critical, allowedIncrease }) => ({
        name,
        groups: [group],
        analysisConfigurations: {
          canary: { direction: 'increase', critical, effectSize: { allowedIncrease } },
        },
      })),
      templates: {},
      classifier: { groupWeights: {} },
    },
    scoreThresholds: { pass: 95, marginal: 75 },
    metricSetPairList: measured.map((metric) => ({
      name: metric.name,
      id: metric.name,
      tags: {},
      values: { control: values(metric, 'control'), experiment: values(metric, 'experiment') },
    })),
  };
}

/** One side's seconds after the warm-up of its traffic, a list for each step. */
function steps(
  seconds: readonly Second[],
  side: 'baseline' | 'candidate',
  { warmupSeconds }: SequentialConfig,
  step: number,
): readonly (readonly SideSecond[])[] {
  const active = seconds.filter((second) =>
    Object.values(second[side].routes).some((route) => route.requests > 0),
  );
  const start = (active[0]?.at ?? 0) + warmupSeconds;
  const warm = active.filter((second) => second.at >= start);
  const count = Math.ceil(((warm.at(-1)?.at ?? start - 1) - start + 1) / step);
  return Array.from({ length: count }, (_, index) =>
    warm.filter((second) => Math.floor((second.at - start) / step) === index).map((second) => second[side]),
  );
}

function metricsOf(config: SequentialConfig): readonly Metric[] {
  const { metrics } = config;
  const latency = config.quantiles.map(({ quantile, tolerance }) => ({
    name: `latency p${Number((quantile * 100).toPrecision(6))}`,
    group: 'latency',
    critical: false,
    allowedIncrease: 1 + tolerance,
    value: (seconds: readonly SideSecond[]) =>
      quantileOf(histograms(seconds, 'latency'), quantile, config.latencyResolutionMs),
  }));
  const mean = (name: string, group: string, tolerance: number, value: Metric['value']): Metric => ({
    name,
    group,
    critical: false,
    allowedIncrease: 1 + tolerance,
    value,
  });
  return [
    rate('errors (5xx)', (second) => errorTrials({ baseline: second, candidate: second }, '5xx')),
    {
      ...rate('errors (4xx)', (second) => errorTrials({ baseline: second, candidate: second }, '4xx')),
      critical: false,
    },
    rate('wrong bodies', (second) => bodyTrials({ baseline: second, candidate: second })),
    ...latency,
    mean('response size', 'size', metrics.size.tolerance, (seconds) =>
      quantileOf(histograms(seconds, 'size'), 0.5, 0),
    ),
    mean('cpu for each request', 'resources', metrics.cpu.tolerance, (seconds) => {
      const measured = seconds.filter((second) => second.cpuSeconds !== undefined);
      return (1000 * sum(measured, (second) => second.cpuSeconds ?? 0)) / sum(measured, requestsOf);
    }),
    mean('memory', 'resources', metrics.memory.tolerance, (seconds) => {
      const measured = seconds.filter((second) => second.memoryBytes !== undefined);
      return sum(measured, (second) => second.memoryBytes ?? 0) / measured.length;
    }),
    mean('restarts', 'events', 0, (seconds) => total(seconds, 'restarts')),
    mean('error lines', 'events', 0, (seconds) => total(seconds, 'errorLines')),
  ];
}

/** A share of events among trials; critical. */
function rate(
  name: string,
  trials: (second: SideSecond) => readonly { candidateTrials: number; candidateEvents: number }[],
): Metric {
  return {
    name,
    group: 'errors',
    critical: true,
    allowedIncrease: 1,
    value: (seconds) => {
      const strata = seconds.flatMap(trials);
      return (
        sum(strata, (stratum) => stratum.candidateEvents) / sum(strata, (stratum) => stratum.candidateTrials)
      );
    },
  };
}

function histograms(seconds: readonly SideSecond[], key: 'latency' | 'size'): readonly LogHistogram[] {
  return seconds.flatMap((second) => Object.values(second.routes).flatMap((route) => route[key] ?? []));
}

function quantileOf(parts: readonly LogHistogram[], quantile: number, resolution: number): number {
  const dense = addBlock(noDenseCounts(), spread(sparse(parts), resolution));
  return dense.total === 0 ? Number.NaN : slotMiddle(quantileSlot(dense, quantile));
}

/** Events in all; NaN where none of the seconds counted them. */
function total(seconds: readonly SideSecond[], key: 'restarts' | 'errorLines'): number {
  const measured = seconds.filter((second) => second[key] !== undefined);
  return measured.length === 0 ? Number.NaN : sum(measured, (second) => second[key] ?? 0);
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
