/** Canary runs as `pipeline canary` tells of them: one that passed, one that failed, one under way. */
import type { CanaryStatus } from '../../../src/hub/events/canaries.ts';
import { noise } from './fleet.ts';

type Metric = CanaryStatus['metrics'][number];

const HOUR = 3_600_000;

function metrics(failed: boolean): Metric[] {
  const metric = (
    name: string,
    unit: string,
    baseline: number,
    candidate: number,
    change: Partial<Metric>,
  ): Metric => ({
    name,
    critical: false,
    verdict: 'pass',
    unit,
    baseline,
    candidate,
    scale: 'ratio',
    effect: candidate / baseline,
    interval: [(candidate / baseline) * 0.94, (candidate / baseline) * 1.07],
    samples: { baseline: 1510, candidate: 1498 },
    reason: '',
    ...change,
  });
  return [
    metric('errors (5xx)', 'share', 0, failed ? 0.31 : 0, {
      critical: true,
      verdict: failed ? 'high' : 'pass',
      scale: 'difference',
      effect: failed ? 0.31 : 0,
      interval: failed ? [0.27, null] : [null, 0.004],
      reason: failed
        ? 'Every third request to POST /preview answered 500; on the baseline none of 1510 did.'
        : '',
    }),
    metric('latency p50', 'ms', 4.1, failed ? 3.9 : 4.2, { route: 'POST /preview' }),
    metric('latency p99', 'ms', 31, failed ? 48 : 29, {
      route: 'POST /preview',
      verdict: failed ? 'inconclusive' : 'pass',
      reason: failed ? 'needs about 900 more requests' : '',
    }),
    metric('CPU a request', 'ms a request', 1.6, 1.5, {}),
    metric('memory', 'bytes', 1.04e8, failed ? 1.9e8 : 1.01e8, {
      ...(failed ? { verdict: 'high', tone: 'open' } : {}),
      harm: 'not judged (informative)',
    }),
    metric('restarts', '', 0, 0, { verdict: 'no data', scale: null, effect: null, interval: null }),
  ];
}

function panels(seconds: number, failed: boolean): Pick<CanaryStatus, 'times' | 'panels'> {
  const times = Array.from({ length: seconds }, (_, i) => i + 1);
  const series = (of: (second: number, name: string) => number) =>
    ['baseline', 'candidate'].map((name) => ({ name, values: times.map((second) => of(second, name)) }));
  return {
    times,
    panels: [
      {
        id: 'errors',
        title: 'Errors (5xx)',
        unit: 'ratio',
        series: series((second, name) =>
          failed && name === 'candidate' ? 0.25 + 0.12 * noise(second, name) : 0,
        ),
      },
      {
        id: 'latency',
        title: 'Duration p90',
        unit: 'ms',
        series: series((second, name) => 9 + 3 * noise(second, name)),
      },
    ],
  };
}

function run(
  id: string,
  state: CanaryStatus['state'],
  ageMs: number,
  change: Partial<CanaryStatus>,
): CanaryStatus {
  return {
    id,
    app: 'preview',
    baseline: { ref: 'master', commit: '05c965f', subject: 'Escape what the user wrote' },
    candidate: { ref: 'faster', commit: '82e5d18', subject: 'Keep the parser between requests' },
    by: 'ann',
    ageMs,
    state,
    score: 100,
    seconds: 120,
    atMostSeconds: 120,
    requests: { baseline: 1510, candidate: 1498 },
    reason: 'No metric of the candidate is worse than the baseline.',
    judge: 'sequential',
    metrics: metrics(false),
    decidedBy: [],
    notes: [],
    ...panels(60, false),
    ...change,
  };
}

/** Each as it was told last, and how many ms ago that was. */
export function pastRuns(): readonly (readonly [run: CanaryStatus, ago: number])[] {
  const failed = run('samplefailed1', 'failed', 14_000, {
    candidate: { ref: 'broken', commit: '0fb8c1c', subject: 'Update longmethod.js' },
    score: 31,
    seconds: 9,
    requests: { baseline: 451, candidate: 446 },
    reason: 'errors (5xx) are 31 points higher on the candidate, beyond doubt.',
    decidedBy: ['errors (5xx)'],
    notes: ['Its log says: TypeError: data.split is not a function (marqdown.js:34)'],
    metrics: metrics(true),
    ...panels(9, true),
  });
  return [
    [run('samplepassed1', 'passed', 131_000, {}), 26 * HOUR],
    [failed, 3 * HOUR],
  ];
}

/** One that began so many ms ago, and ends after ten minutes. */
export function runUnderWay(ageMs: number): CanaryStatus {
  const seconds = Math.min(600, Math.round(ageMs / 1000));
  const requests = { baseline: seconds * 5, candidate: Math.round(seconds * 4.9) };
  const shared = {
    candidate: { ref: 'smaller', commit: 'bfbf426', subject: 'Send less' },
    by: 'chris',
    seconds,
    requests,
  };
  if (seconds === 600) return run('samplerunning1', 'passed', ageMs, { ...shared, atMostSeconds: 600 });
  return run('samplerunning1', 'running', ageMs, {
    ...shared,
    score: null,
    atMostSeconds: 600,
    reason: `latency p99 needs about ${3000 - seconds * 5} more requests.`,
    metrics: metrics(false).map((metric) => ({ ...metric, samples: requests })),
    times: [],
    panels: [],
  });
}
