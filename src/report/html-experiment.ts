/**
 * The page's parts about the experiment itself: what differed, what the services said, and exactly what ran.
 */

import { escapeHtml } from '../escape.ts';
import { bytes, duration } from '../format.ts';
import type { MetricSettings } from '../judge/types.ts';
import { countOf, quantile } from '../metrics/histogram.ts';
import type { CanaryReport } from './document.ts';
import { formatNumber, formatShare } from './format.ts';
import { asHistogram } from './series.ts';

/** The first wrong answers beside what the baseline answers. */
export function differencesSection(report: CanaryReport): string {
  if (report.differences.length === 0) return '';
  const entries = report.differences.map(
    ({ request, status, baseline, candidate }) => `<div class="card">
<h3>${escapeHtml(request)} (status ${status})</h3>
<div class="grid2">
<div><span class="legend"><span>baseline</span></span><pre>${escapeHtml(baseline)}</pre></div>
<div>candidate<pre>${escapeHtml(candidate)}</pre></div>
</div>
</div>`,
  );
  return (
    `<h2>Answers that differ</h2><p class="lead">The first answers of the candidate that the ` +
    `baseline does not give, from where they part.</p>${entries.join('')}`
  );
}

/** Last lines of both journals. */
export function logsSection(report: CanaryReport): string {
  const part = (side: 'baseline' | 'candidate') => {
    const lines = report.logs[side];
    if (lines.length === 0) return '';
    const title = `<h3>${side} ${escapeHtml(report[side].host)}</h3>`;
    return `<div>${title}<pre>${escapeHtml(lines.join('\n'))}</pre></div>`;
  };
  const parts = part('baseline') + part('candidate');
  return parts === '' ? '' : `<h2>Last lines of the journals</h2><div class="card grid2">${parts}</div>`;
}

/** Configuration, load, hosts, versions. */
export function experimentSection(report: CanaryReport): string {
  const rows = experimentRows(report).map(
    ([term, text]) => `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(text)}</dd>`,
  );
  return `<h2>The experiment</h2>
<div class="card"><dl>${rows.join('')}</dl></div>
<div class="card scroll" style="margin-top:14px"><table>
<thead><tr>
<th>kind of metric</th><th>role</th><th class="n">alarm beyond</th>
<th class="n">pass excludes</th><th class="n">absolute</th><th class="n">weight</th>
</tr></thead>
<tbody>${settingRows(report).join('')}</tbody>
</table></div>`;
}

type Term = [term: string, text: string];

function experimentRows(report: CanaryReport): readonly Term[] {
  const { plan, experiment, load } = report;
  return [
    ['application', `${report.app} from ${report.source}`],
    ['baseline', sideText(report, 'baseline')],
    ['candidate', sideText(report, 'candidate')],
    ...loadTexts(plan).map((text, index): Term => [index === 0 ? 'load' : '', text]),
    [
      'rate',
      `${formatNumber(plan.rate)} requests/s at ` +
        `${plan.replay === undefined ? 'constant distance' : "production's distances"}, ` +
        `whether or not answers come (open loop)`,
    ],
    ['traffic', `${plan.traffic}, ${formatNumber(plan.split)} % to the candidate, seed ${plan.seed}`],
    ['at most', duration(plan.durationSeconds * 1000)],
    ...(plan.ignoreBody.length > 0 ? [['ignored in bodies', plan.ignoreBody.join('  ')] as Term] : []),
    ...(load === null ? [] : loadRows(load)),
    ...report.hosts.map((host): Term => [`host ${host.name}`, hostText(host)]),
    ['false alarms', `at most ${formatShare(experiment.config.alpha)} over all metrics and looks`],
    ['false passes', `at most ${formatShare(experiment.config.promoteAlpha)} for each critical metric`],
    ['warm-up', duration(experiment.config.warmupSeconds * 1000)],
    ['pipeline', report.pipeline],
  ];
}

/** Requests that are shown of a load. */
const SHOWN_REQUESTS = 30;

function loadTexts({ requests, replay }: CanaryReport['plan']): string[] {
  const rest = requests.length - SHOWN_REQUESTS;
  return [
    ...(replay === undefined ? [] : [replay]),
    ...requests.slice(0, SHOWN_REQUESTS).map(requestText),
    ...(rest > 0 ? [`and ${rest} others`] : []),
  ];
}

function requestText({ method, path, weight, bodyBytes }: CanaryReport['plan']['requests'][number]): string {
  const { baseline, candidate } = path;
  const paths = baseline === candidate ? baseline : `${baseline} (baseline), ${candidate} (candidate)`;
  const body = bodyBytes > 0 ? `, body of ${bytes(bodyBytes)}` : '';
  return `${method} ${paths}, weight ${formatNumber(weight)}${body}`;
}

function hostText({ role, versions }: CanaryReport['hosts'][number]): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${role}: ${programs.join(', ')}`;
}

function settingRows({ experiment }: CanaryReport): readonly string[] {
  const { quantiles, metrics } = experiment.config;
  const kinds: [string, MetricSettings][] = [
    ...quantiles.map((entry): [string, MetricSettings] => [
      `latency p${formatNumber(entry.quantile * 100)}`,
      entry,
    ]),
    ...Object.entries(metrics),
  ];
  const figure = (text: string) => `<td class="n">${text}</td>`;
  return kinds.map(([kind, { role, tolerance, margin, absolute, weight }]) => {
    const figures = [
      formatShare(tolerance),
      formatShare(margin),
      formatNumber(absolute),
      formatNumber(weight),
    ];
    return `<tr><td>${escapeHtml(kind)}</td><td>${role}</td>${figures.map(figure).join('')}</tr>`;
  });
}

function sideText(report: CanaryReport, side: 'baseline' | 'candidate'): string {
  const { ref, commit, artifact, host, colour } = report[side];
  return `${ref} at ${commit}, artifact sha256 ${artifact}, on ${host} (${colour})`;
}

function loadRows(load: NonNullable<CanaryReport['load']>): readonly Term[] {
  const latency = asHistogram(load.latency);
  const lag = asHistogram(load.lag);
  const at = (data: typeof latency, q: number) => duration(quantile(data, q) ?? 0);
  return [
    [
      'sent',
      `${formatNumber(load.sent)}; ${formatNumber(load.answered)} answered, ${formatNumber(load.failed)} ` +
        `cut off, ${formatNumber(load.timedOut)} timed out, ${formatNumber(load.skipped)} not sent since ` +
        `too many were under way`,
    ],
    ...(countOf(latency) === 0
      ? []
      : ([
          [
            'seen by the client',
            `p50 ${at(latency, 0.5)}, p99 ${at(latency, 0.99)}, counted from when each request was due`,
          ],
          ['sent too late by', `p50 ${at(lag, 0.5)}, p99 ${at(lag, 0.99)}`],
        ] as Term[])),
  ];
}
