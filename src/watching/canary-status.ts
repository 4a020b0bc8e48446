/** What the monitor is told of a canary run. Pure. */

import type { CanaryStatus } from '../hub/events/canaries.ts';
import type { MetricResult, PerSide } from '../judge/types.ts';
import type { CanaryReport, ReportSide, ReportVerdict } from '../report/document.ts';
import { harmWord } from '../report/format.ts';
import { type Series, timelineOf } from '../report/series.ts';
import type { Snapshot } from '../report/terminal.ts';
import { toneOf } from '../report/tone.ts';

/** What is known of a run before its first request. */
export interface CanaryBegin {
  readonly id: string;
  readonly by: string;
  readonly run: Pick<CanaryReport, 'app' | 'baseline' | 'candidate' | 'plan'>;
}

/** @param ageMs since the run began */
export function runningStatus(begin: CanaryBegin, ageMs: number, snapshot?: Snapshot): CanaryStatus {
  return {
    ...head(begin, ageMs),
    state: 'running',
    score: null,
    seconds: snapshot?.seconds ?? 0,
    requests: snapshot?.requests ?? { baseline: 0, candidate: 0 },
    reason: cut(snapshot?.needs ?? ''),
    metrics: (snapshot?.metrics ?? []).map(metric),
  };
}

export function endedStatus(
  begin: CanaryBegin,
  ageMs: number,
  report: CanaryReport,
  interrupted: boolean,
): CanaryStatus {
  const { verdict, experiment } = report;
  const time = timelineOf(experiment.seconds);
  const panel = (id: string, title: string, unit: string, { baseline, candidate }: Series) => ({
    id,
    title,
    unit,
    series: [
      { name: 'baseline', values: [...baseline] },
      { name: 'candidate', values: [...candidate] },
    ],
  });
  return {
    ...head(begin, ageMs),
    state: interrupted ? 'interrupted' : verdict.verdict,
    score: verdict.score,
    seconds: verdict.stoppedAfter.seconds,
    requests: requestsOf(report),
    reason: cut(verdict.reason),
    judge: verdict.judge,
    metrics: verdict.metrics.map(metric),
    decidedBy: verdict.decidedBy.map(cut).slice(0, 50),
    notes: [...verdict.notes, ...report.remarks].map(cut).slice(0, 50),
    times: [...time.at].map((at) => Math.max(0, at)),
    panels: [
      panel('rate', 'Requests', '1/s', time.rate),
      panel('errors', 'Errors (5xx and unanswered)', 'ratio', time.errors),
      panel('p50', 'Duration p50', 'ms', time.p50),
      panel('p99', 'Duration p99', 'ms', time.p99),
      panel('cpu', 'Processor time for each request', 'ms', time.cpu),
      panel('memory', 'Memory', 'bytes', time.memory),
    ],
  };
}

/** A run that ended without a verdict: a failure, or Ctrl-C. */
export function brokenStatus(begin: CanaryBegin, ageMs: number, reason: string): CanaryStatus {
  return { ...runningStatus(begin, ageMs), state: 'interrupted', reason: cut(reason) };
}

function head({ id, by, run }: CanaryBegin, ageMs: number) {
  const side = ({ ref, commit, subject }: ReportSide) => ({ ref: cut(ref), commit, subject: cut(subject) });
  return {
    id,
    app: run.app,
    baseline: side(run.baseline),
    candidate: side(run.candidate),
    by: cut(by),
    ageMs,
    atMostSeconds: run.plan.durationSeconds,
    judge: '',
    decidedBy: [],
    notes: [],
    times: [],
    panels: [],
  };
}

function requestsOf({ experiment }: CanaryReport): PerSide<number> {
  const of = (side: 'baseline' | 'candidate') =>
    experiment.seconds.reduce(
      (total, second) =>
        total + Object.values(second[side].routes).reduce((sum, { requests }) => sum + requests, 0),
      0,
    );
  return { baseline: of('baseline'), candidate: of('candidate') };
}

function metric(result: MetricResult | ReportVerdict['metrics'][number]): CanaryStatus['metrics'][number] {
  const { name, route, critical, verdict, unit, observed, effect, interval, samples, reason } = result;
  return {
    name: cut(name),
    ...(route === undefined ? {} : { route: cut(route) }),
    critical,
    verdict,
    tone: toneOf(result),
    harm: harmWord(result),
    unit,
    ...observed,
    scale: effect?.scale ?? null,
    effect: effect?.value ?? null,
    interval: interval === null ? null : [interval[0], interval[1]],
    samples,
    reason: cut(reason),
  };
}

function cut(text: string): string {
  return text.slice(0, 1000);
}
