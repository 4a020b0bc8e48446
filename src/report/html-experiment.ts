/**
 * The page's parts on the experiment: which answers differed, what the services logged, and exactly what ran.
 */
import { bytes, duration } from '../format.ts';
import type { MetricSettings } from '../judge/types.ts';
import { countOf, quantile } from '../metrics/histogram.ts';
import type { CanaryReport } from './document.ts';
import { escapeHtml } from './escape.ts';
import { formatNumber, formatShare } from './format.ts';
import { asHistogram } from './series.ts';

/** The first wrong answers beside the baseline's. */
export function differencesSection(report: CanaryReport): string {
  if (report.differences.length === 0) return '';
  const entries = report.differences.map(({ request, status, baseline, candidate }) => {
    const legend = '<span class="legend"><span>baseline</span></span>';
    return `<div class="card"><h3>${escapeHtml(request)} (status ${status})</h3>
<div class="grid2"><div>${legend}<pre>${escapeHtml(baseline)}</pre></div>
<div>candidate<pre>${escapeHtml(candidate)}</pre></div></div></div>`;
  });
  return (
    `<h2>Answers that differ</h2><p class="lead">The first answers of the candidate that the ` +
    `baseline does not give, from where they part.</p>${entries.join('')}`
  );
}

/** Last lines of both journals. */
export function logsSection(report: CanaryReport): string {
  const part = (side: 'baseline' | 'candidate') => {
    const lines = escapeHtml(report.logs[side].join('\n'));
    return report.logs[side].length === 0
      ? ''
      : `<div><h3>${side} ${escapeHtml(report[side].host)}</h3><pre>${lines}</pre></div>`;
  };
  const parts = part('baseline') + part('candidate');
  return parts === '' ? '' : `<h2>Last lines of the journals</h2><div class="card grid2">${parts}</div>`;
}

/** Configuration, load, hosts, versions. */
export function experimentSection(report: CanaryReport): string {
  const { plan, experiment, load } = report;
  const requests = plan.requests.map((request) => {
    const same = request.path.baseline === request.path.candidate;
    const path = same
      ? request.path.baseline
      : `${request.path.baseline} (baseline), ${request.path.candidate} (candidate)`;
    return (
      `${request.method} ${path}, weight ` +
      `${formatNumber(request.weight)}${request.bodyBytes > 0 ? `, body of ${bytes(request.bodyBytes)}` : ''}`
    );
  });
  const rows: [string, string][] = [
    ['application', `${report.app} from ${report.source}`],
    ['baseline', sideText(report, 'baseline')],
    ['candidate', sideText(report, 'candidate')],
    ...requests.map((request, index): [string, string] => [index === 0 ? 'load' : '', request]),
    [
      'rate',
      `${formatNumber(plan.rate)} requests/s at constant distance, whether or not answers come (open loop)`,
    ],
    ['traffic', `${plan.traffic}, ${formatNumber(plan.split)} % to the candidate, seed ${plan.seed}`],
    ['at most', duration(plan.durationSeconds * 1000)],
    ...(plan.ignoreBody.length > 0
      ? [['ignored in bodies', plan.ignoreBody.join('  ')] as [string, string]]
      : []),
    ...(load === null ? [] : loadRows(load)),
    ...report.hosts.map((host): [string, string] => [
      `host ${host.name}`,
      `${host.role}: ${Object.entries(host.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}`,
    ]),
    ['false alarms', `at most ${formatShare(experiment.config.alpha)} over all metrics and looks`],
    ['false passes', `at most ${formatShare(experiment.config.promoteAlpha)} for each critical metric`],
    ['warm-up', duration(experiment.config.warmupSeconds * 1000)],
    ['pipeline', report.pipeline],
  ];
  const { quantiles, metrics } = experiment.config;
  const kinds: [string, MetricSettings][] = [
    ...quantiles.map((entry): [string, MetricSettings] => [
      `latency p${formatNumber(entry.quantile * 100)}`,
      entry,
    ]),
    ...Object.entries(metrics),
  ];
  const settings = kinds.map(
    ([kind, metric]) =>
      `<tr><td>${escapeHtml(kind)}</td><td>${metric.role}</td><td ` +
      `class="n">${formatShare(metric.tolerance)}</td><td class="n">${formatShare(metric.margin)}</td><td ` +
      `class="n">${formatNumber(metric.absolute)}</td><td class="n">${formatNumber(metric.weight)}</td></tr>`,
  );
  const terms = rows.map(([term, text]) => `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(text)}</dd>`);
  return `<h2>The experiment</h2><div class="card"><dl>${terms.join('')}</dl></div>
<div class="card scroll" style="margin-top:14px"><table>
<thead><tr><th>kind of metric</th><th>role</th><th class="n">alarm beyond</th><th class="n">pass excludes</th>
<th class="n">absolute</th><th class="n">weight</th></tr></thead>
<tbody>${settings.join('')}</tbody></table></div>`;
}

function sideText(report: CanaryReport, side: 'baseline' | 'candidate'): string {
  const { ref, commit, artifact, host, colour } = report[side];
  return `${ref} at ${commit}, artifact sha256 ${artifact}, on ${host} (${colour})`;
}

function loadRows(load: NonNullable<CanaryReport['load']>): [string, string][] {
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
        ] as [string, string][])),
  ];
}
