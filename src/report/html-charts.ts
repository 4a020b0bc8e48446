/** The page's parts over time: traffic, errors, latency, resources, and how the evidence grew. */
import { bytes, duration } from '../format.ts';
import { type EvidenceLine, evidenceChart } from './charts/evidence.ts';
import { type TimeMark, timeChart } from './charts/time.ts';
import type { CanaryReport } from './document.ts';
import { formatNumber, formatShare } from './format.ts';
import { LEGEND } from './html-metrics.ts';
import { type Series, timelineOf } from './series.ts';

/** The evidence of every metric at the end of every second, as shares of the way to the thresholds. */
export interface EvidenceTimeline {
  /** Seconds since the first request. */
  readonly at: readonly number[];
  readonly harm: readonly EvidenceLine[];
  readonly noHarm: readonly EvidenceLine[];
}

export const NO_EVIDENCE: EvidenceTimeline = { at: [], harm: [], noHarm: [] };

/** Rates over time. */
export function timeSection(report: CanaryReport): string {
  const { seconds, config } = report.experiment;
  const timeline = timelineOf(seconds);
  const first = seconds[0]?.at ?? 0;
  const span: [number, number] = [Math.min(0, first), (seconds.at(-1)?.at ?? 0) + 1];
  const marks = report.events.flatMap((event): TimeMark[] =>
    event.at === null || event.at < span[0] || event.at > span[1]
      ? []
      : [
          {
            at: event.at,
            label: `${event.side} ${event.kind}`,
            side: event.side === 'baseline' || event.side === 'candidate' ? event.side : 'both',
          },
        ],
  );
  const none: string[] = [];
  const figure = (
    title: string,
    series: readonly Series[],
    format: (value: number) => string,
    more: { readonly logarithmic?: boolean; readonly atLeast?: number; readonly warmUp?: number } = {},
  ) => {
    const values = series.flatMap(({ baseline, candidate }) => [...baseline, ...candidate]);
    if (values.every((value) => (value ?? 0) === 0)) {
      if (values.some((value) => value === 0)) none.push(title.toLowerCase());
      return '';
    }
    const drawing = timeChart({
      label: `${title} over time`,
      at: timeline.at,
      span,
      series,
      format,
      marks,
      ...more,
    });
    return drawing === '' ? '' : `<figure class="card"><h3>${title}</h3>${drawing}</figure>`;
  };
  const figures = [
    figure('Requests a second', [timeline.rate], formatNumber),
    figure('Errors (5xx or no answer)', [timeline.errors], formatShare, { atLeast: 0.02 }),
    figure('Latency: p50, thin p99', [timeline.p50, timeline.p99], duration, {
      logarithmic: true,
      warmUp: config.warmupSeconds,
    }),
    figure('Refusals (4xx)', [timeline.clientErrors], formatShare, { atLeast: 0.02 }),
    figure('Wrong bodies', [timeline.wrongBodies], formatShare, { atLeast: 0.02 }),
    figure('CPU for each request', [timeline.cpu], duration),
    figure('Memory', [timeline.memory], bytes),
  ].filter((part) => part !== '');
  if (figures.length === 0) return '';
  const window = timeline.window === 1 ? 'one second' : `${timeline.window} seconds`;
  return (
    `<h2>Over time</h2><p class="lead">${LEGEND} &nbsp; Each point is ${window}; shaded: ` +
    `warm-up.${none.length > 0 ? ` None on either side: ${none.join(', ')}.` : ''}</p><div ` +
    `class="grid2">${figures.join('')}</div>`
  );
}

/** How the evidence grew. */
export function evidenceSection(report: CanaryReport, evidence: EvidenceTimeline): string {
  const span: [number, number] = [0, Math.max(1, evidence.at.at(-1) ?? 1)];
  const harm = evidenceChart({
    label: 'Evidence of harm over time',
    at: evidence.at,
    span,
    lines: evidence.harm,
    threshold: 'alarm',
    tone: 'harm',
  });
  const noHarm = evidenceChart({
    label: 'Evidence of no harm over time',
    at: evidence.at,
    span,
    lines: evidence.noHarm,
    threshold: 'shown',
    tone: 'benign',
  });
  if (harm === '' && noHarm === '') return '';
  const { alpha, promoteAlpha } = report.experiment.config;
  const figure = (title: string, drawing: string) =>
    drawing === '' ? '' : `<figure class="card"><h3>${title}</h3>${drawing}</figure>`;
  return `<h2>Evidence</h2>
<p class="lead">The logarithm of the evidence, as a share of the way to a claim. A candidate that is no worse
reaches an alarm in at most ${formatShare(alpha)} of all experiments, over all metrics and however often one
looks; a candidate that is worse by more than the tolerance is called no worse in at most
${formatShare(promoteAlpha)}.</p>
<div class="grid2">
${figure('Worse than the baseline', harm)}
${figure('No worse than the baseline', noHarm)}
</div>`;
}
