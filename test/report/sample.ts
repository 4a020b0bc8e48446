/** Reports made up for tests: simulated traffic, and metrics as a judge would write them. */
import { histogramOf } from '../../src/judge/histogram.ts';
import { seededUniform } from '../../src/judge/index.ts';
import type {
  MetricKind,
  MetricResult,
  MetricSettings,
  Second,
  SequentialConfig,
  SideSecond,
} from '../../src/judge/types.ts';
import type { CanaryReport, ReportVerdict } from '../../src/report/document.ts';

export interface Behaviour {
  /** Share of requests answered 500. */
  readonly errors?: number;
  /** Median latency in ms. */
  readonly median?: number;
  /** Spread of the logarithm of latency. */
  readonly sigma?: number;
  readonly wrongBodies?: number;
  readonly cpuMs?: number;
  readonly memoryMb?: number;
}

function sideSecond(
  rate: number,
  behaviour: Behaviour,
  next: () => number,
  routes: readonly string[],
): SideSecond {
  const { errors = 0, median = 4, sigma = 0.45, wrongBodies = 0, cpuMs = 1.5, memoryMb = 100 } = behaviour;
  const count = Math.round(rate + (next() - 0.5) * Math.sqrt(rate) * 2);
  const data = routes.map((route, index) => {
    const requests = Math.round(
      count / 2 ** (index + (index < routes.length - 1 ? 1 : 0)) / (routes.length === 1 ? 1 : 1),
    );
    const failed = Array.from({ length: requests }, () => next()).filter((value) => value < errors).length;
    const latency = Array.from({ length: requests - failed }, () => {
      const gauss = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
      return Math.round(median * (1 + index) * Math.exp(sigma * gauss) * (next() < 0.01 ? 6 : 1));
    });
    const size = latency.map(() => 5475);
    return [
      route,
      {
        requests,
        status: { '2xx': requests - failed, '5xx': failed },
        latency: histogramOf(latency),
        size: histogramOf(size),
      },
    ] as const;
  });
  const compared = count;
  return {
    routes: Object.fromEntries(data),
    bodies: { compared, disagreed: Math.round(compared * wrongBodies) },
    restarts: 0,
    errorLines: errors > 0 ? Math.round(count * errors) : 0,
    cpuSeconds: (count * cpuMs * (0.9 + 0.2 * next())) / 1000,
    memoryBytes: (memoryMb + 4 * next()) * 1e6,
  };
}

/** Seconds of two versions under load. */
export function simulate(
  seconds: number,
  baseline: Behaviour,
  candidate: Behaviour,
  options: { readonly seed?: number; readonly rate?: number; readonly routes?: readonly string[] } = {},
): Second[] {
  const { seed = 1, rate = 100, routes = ['POST /preview'] } = options;
  const next = seededUniform(seed);
  return Array.from({ length: seconds }, (_, at) => ({
    at,
    baseline: sideSecond(rate / 2, baseline, next, routes),
    candidate: sideSecond(rate / 2, candidate, next, routes),
  }));
}

const settings = (
  role: MetricSettings['role'],
  tolerance: number,
  absolute: number,
  weight: number,
): MetricSettings => ({
  role,
  tolerance,
  margin: tolerance * 2,
  absolute,
  weight,
});

const METRICS: SequentialConfig['metrics'] = {
  'errors-5xx': settings('critical', 0.1, 0.005, 4),
  'errors-4xx': settings('watched', 0.1, 0.005, 1),
  'latency-distribution': settings('informative', 0, 0.05, 0),
  size: settings('watched', 0.1, 16, 1),
  bodies: settings('critical', 0.1, 0.005, 3),
  restarts: settings('watched', 0, 0, 1),
  'error-lines': settings('watched', 0.1, 0, 1),
  cpu: settings('watched', 0.2, 0, 1),
  memory: settings('watched', 0.2, 0, 1),
};

/** One metric's result; what is not given is unremarkable. */
export function metric(name: string, kind: MetricKind, over: Partial<MetricResult> = {}): MetricResult {
  return {
    name,
    kind,
    role: 'watched',
    critical: over.role === 'critical',
    weight: 0.1,
    verdict: 'pass',
    observed: { baseline: 4.1, candidate: 4.2 },
    unit: 'ms',
    effect: { name: `ratio of ${name}`, scale: 'ratio', value: 1.02 },
    interval: [0.97, 1.06],
    level: 0.95,
    samples: { baseline: 5012, candidate: 4988 },
    sampleUnit: 'answers',
    evidence: { worse: 0.2, worseThreshold: 6.9, noWorse: 3.4, noWorseThreshold: 3, lower: 0 },
    needsRequests: null,
    reason:
      `${name} is 2 % higher on the candidate, at most 6 % with 95 % certainty, which does not ` +
      `matter (10 %).`,
    ...over,
  };
}

/** A report around seconds and a verdict. */
export function report(
  seconds: readonly Second[],
  verdict: ReportVerdict,
  over: Partial<CanaryReport> = {},
): CanaryReport {
  return {
    format: 'pipeline-canary-report',
    version: 1,
    pipeline: '0.1.0',
    at: '2026-11-23T03:40:12.000Z',
    app: 'preview',
    source: 'https://github.com/chrisparnin/checkbox.io-micro-preview.git',
    baseline: {
      ref: 'master',
      commit: '05c965f0b1b7e9c9d7a20ddc8cf04b1f3f6d0a11',
      subject: 'Add the survey example',
      artifact: 'a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90',
      host: 'blue',
      colour: 'blue',
    },
    candidate: {
      ref: 'broken',
      commit: '0fb8c1c2c21bc02f68d0be81aa05ee665813b0bc',
      subject: 'bad commit',
      artifact: 'ffb2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90',
      host: 'green',
      colour: 'green',
    },
    plan: {
      rate: 100,
      durationSeconds: 120,
      split: 50,
      traffic: 'interleaved',
      seed: 42,
      requests: [
        {
          name: 'POST /preview',
          method: 'POST',
          path: { baseline: '/preview', candidate: '/preview' },
          weight: 1,
          bodyBytes: 5130,
        },
      ],
      ignoreBody: [],
    },
    hosts: [
      { name: 'proxy', role: 'proxy', versions: { nginx: '1.22.1', debian: '12' } },
      { name: 'blue', role: 'baseline', versions: { node: '20.20.2', debian: '12' } },
      { name: 'green', role: 'candidate', versions: { node: '20.20.2', debian: '12' } },
    ],
    stopped: 'decided',
    events: [],
    load: {
      sent: 10_000,
      answered: 10_000,
      failed: 0,
      timedOut: 0,
      skipped: 0,
      latency: { counts: { 70: 9000, 120: 1000 } },
      lag: { zero: 9900, counts: { 1: 100 } },
    },
    differences: [],
    remarks: [],
    logs: { baseline: [], candidate: [] },
    experiment: {
      config: {
        alpha: 0.01,
        promoteAlpha: 0.05,
        intervalLevel: 0.95,
        warmupSeconds: 2,
        minimumSeconds: 10,
        deadlineSeconds: 120,
        latencyBlockSeconds: 1,
        gaugeBlockSeconds: 5,
        latencyResolutionMs: 1,
        quantiles: [0.5, 0.9, 0.99].map((quantile) => ({ ...settings('critical', 0.1, 1, 2), quantile })),
        routeWeight: 1,
        brokenShare: 0.5,
        traffic: 'interleaved',
        metrics: METRICS,
      },
      seconds: structuredClone(seconds) as CanaryReport['experiment']['seconds'],
      ended: true,
    },
    verdict,
    ...over,
  };
}

/** A verdict; what is not given is a pass. */
export function verdict(metrics: readonly MetricResult[], over: Partial<ReportVerdict> = {}): ReportVerdict {
  return {
    judge: 'sequential',
    verdict: 'passed',
    score: 100,
    reason: 'Every critical metric was shown to be no worse than the baseline.',
    decidedBy: [],
    needs: null,
    notes: [],
    metrics: metrics as ReportVerdict['metrics'],
    samples: { baseline: 5012, candidate: 4988 },
    stoppedAfter: { seconds: 100, requests: 10_000 },
    ...over,
  };
}
