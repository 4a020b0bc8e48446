/** The page's parts about metrics: table, forest plot, distributions, every verdict in words. */

import { escapeHtml } from '../escape.ts';
import type { MetricResult, MetricSettings, SequentialConfig } from '../judge/types.ts';
import { densityChart, percentileChart } from './charts/distribution.ts';
import { type ForestAxis, forestAxis, forestRow, RATIO_AXIS, shareAxis } from './charts/forest.ts';
import type { CanaryReport } from './document.ts';
import {
  formatEffect,
  formatInterval,
  formatNumber,
  formatObserved,
  formatRatio,
  formatShare,
  formatSide,
  harmShare,
  harmWord,
} from './format.ts';
import { latencyOf, routesOf } from './series.ts';
import { toneOf } from './tone.ts';

/** Routes drawn apart; the others are only in the sum. */
const ROUTES = 4;

export const LEGEND = '<span class="legend"><span>baseline</span><span>candidate</span></span>';

/** So many metrics without data share a row. */
const FOLDED = 3;

/** One row a metric. */
export function metricsSection(metrics: readonly MetricResult[]): string {
  if (metrics.length === 0) return '';
  const without = metrics.filter(({ verdict }) => verdict === 'no data');
  const folded = without.length >= FOLDED ? without : [];
  const rows = metrics
    .filter((metric) => !folded.includes(metric))
    .map((metric) => {
      const share = formatted(metric);
      return `<tr><td class="name">${escapeHtml(metric.name)}<span class="sub">${metric.role}</span></td>
<td class="n" data-label="baseline">${share('baseline')}</td>
<td class="n" data-label="candidate">${share('candidate')}</td>
<td class="n" data-label="change">${formatEffect(metric)}</td>
<td class="evidence">${evidenceBar(metric)}</td><td class="verdict-cell">${pill(metric)}</td></tr>`;
    });
  if (folded.length > 0) {
    const names = escapeHtml(folded.map(({ name }) => name).join(', '));
    rows.push(`<tr><td class="without" colspan="6">Nothing to compare yet: ${names}</td></tr>`);
  }
  return `<h2>Metrics</h2>
<div class="card scroll"><table class="metrics">
<thead><tr>
<th>metric</th><th class="n">baseline</th><th class="n">candidate</th><th class="n">change</th>
<th>evidence of harm</th><th>verdict</th>
</tr></thead>
<tbody>${rows.join('')}</tbody>
</table></div>`;
}

function formatted(metric: MetricResult): (side: 'baseline' | 'candidate') => string {
  return (side) => {
    const main = escapeHtml(formatSide(metric, side));
    const value = metric.observed[side];
    const counted = metric.unit === 'share' && value !== null && main !== formatObserved(value, 'share');
    const sub = counted ? formatShare(value) : `${formatNumber(metric.samples[side])} ${metric.sampleUnit}`;
    return `${main}<span class="sub">${escapeHtml(value === null ? '' : sub)}</span>`;
  };
}

function evidenceBar(metric: MetricResult): string {
  const share = harmShare(metric);
  const word = escapeHtml(harmWord(metric));
  if (share === null) return `<span class="bar"><span></span>${word}</span>`;
  const full = share >= 1 ? ' full' : '';
  return `<span class="bar${full}"><i><b style="width:${Math.round(share * 100)}%"></b></i>${word}</span>`;
}

function pill(metric: MetricResult): string {
  return `<span class="pill ${toneOf(metric)}">${escapeHtml(metric.verdict)}</span>`;
}

/** Effects with their intervals: ratios on one axis, differences in shares on another. */
export function effectsSection(metrics: readonly MetricResult[], config: SequentialConfig): string {
  const drawn = metrics.filter((metric) => metric.effect?.value != null || metric.interval !== null);
  const ratios = drawn.filter((metric) => metric.effect?.scale === 'ratio');
  const shares = drawn.filter((metric) => metric.effect?.scale === 'difference' && metric.unit === 'share');
  const parts = [
    forestTable(
      'Candidate to baseline',
      ratios,
      RATIO_AXIS,
      (tick) => (tick === 1 ? 'equal' : formatRatio(tick)),
      config,
    ),
    forestTable(
      'Candidate minus baseline, in points',
      shares,
      shareAxis(shares.flatMap(({ effect }) => effect?.value ?? [])),
      (tick) => formatNumber(tick * 100),
      config,
    ),
  ].filter((part) => part !== '');
  if (parts.length === 0) return '';
  const level = drawn[0]?.level ?? 0.95;
  return `<h2>Effects</h2>
<p class="lead">Each point is what was measured, each bar an interval that holds the truth with
${formatShare(level)} certainty, however often one looks. The shaded band is what does not matter; arrows go
on.</p>
${parts.join('')}`;
}

function forestTable(
  title: string,
  metrics: readonly MetricResult[],
  axis: ForestAxis,
  format: (tick: number) => string,
  config: SequentialConfig,
): string {
  if (metrics.length === 0) return '';
  const without = metrics.filter(({ verdict }) => verdict === 'no data');
  const folded = without.length >= FOLDED ? without : [];
  const rows = metrics
    .filter((metric) => !folded.includes(metric))
    .map((metric) => {
      const settings = settingsOf(metric, config);
      const tolerated: [number, number] =
        axis.scale === 'ratio'
          ? [1 / (1 + settings.tolerance), 1 + settings.tolerance]
          : [-settings.absolute, settings.absolute];
      const tone = toneOf(metric);
      const words = `${formatEffect(metric)} (${formatInterval(metric)})`;
      const drawing = forestRow(axis, {
        value: metric.effect?.value ?? null,
        interval: metric.interval ?? [null, null],
        tolerated,
        tone: tone === 'none' ? 'open' : tone,
        label: `${metric.name}: ${words}`,
      });
      return (
        `<tr><td class="name">${escapeHtml(metric.name)}</td><td class="plot">${drawing}</td><td ` +
        `class="n">${formatEffect(metric)}</td><td class="n">${formatInterval(metric)}</td></tr>`
      );
    });
  return `<div class="card scroll" style="margin-bottom:14px"><table class="effects">
<thead><tr>
<th>${title}</th><th></th><th class="n">measured</th><th class="n">interval</th>
</tr></thead>
<tbody>${rows.join('')}
<tr class="scale"><td></td><td class="plot">${forestAxis(axis, format)}</td><td></td><td></td></tr>
</tbody>
</table></div>`;
}

/** Of what no judge has settings for. */
const UNTESTED: MetricSettings = { role: 'informative', weight: 0, tolerance: 0, margin: 0, absolute: 0 };

function settingsOf(metric: MetricResult, config: SequentialConfig): MetricSettings {
  const { kind } = metric;
  if (kind === 'recovery' || kind === 'own') return config.own?.[metric.name] ?? UNTESTED;
  if (kind !== 'latency') return config.metrics[kind];
  const matching = config.quantiles.find(({ quantile }) =>
    metric.name.includes(`p${Number((quantile * 100).toFixed(2))}`),
  );
  return matching ?? config.metrics['latency-distribution'];
}

/**
 * Latency distributions over each other; of all routes together, and of the busiest where there are several.
 */
export function latencySection(report: CanaryReport): string {
  const { seconds } = report.experiment;
  const routes = routesOf(seconds);
  const shown: (string | undefined)[] =
    routes.length > 1 ? [undefined, ...routes.slice(0, ROUTES)] : [undefined];
  const figures = shown.flatMap((route) => {
    const pair = {
      baseline: latencyOf(seconds, 'baseline', route),
      candidate: latencyOf(seconds, 'candidate', route),
    };
    const name = escapeHtml(route ?? (routes.length > 1 ? 'all routes' : (routes[0] ?? '')));
    const [density, percentiles] = [densityChart(pair), percentileChart(pair)];
    if (density === '') return [];
    return [
      `<figure class="card"><h3>${name}: how often</h3>${density}<figcaption>Share of the answers by ` +
        `latency; dashed: medians.</figcaption></figure>`,
      `<figure class="card"><h3>${name}: the tail</h3>${percentiles}<figcaption>Latency by ` +
        `percentile.</figcaption></figure>`,
    ];
  });
  if (figures.length === 0) return '';
  return (
    `<h2>Latency</h2><p class="lead">${LEGEND} &nbsp; Answers below 500 only: a fast error is no ` +
    `fast answer.</p><div class="grid2">${figures.join('')}</div>`
  );
}

/** Why each metric got its verdict. */
export function wordsSection(metrics: readonly MetricResult[]): string {
  if (metrics.length === 0) return '';
  const entries = metrics.map((metric) => {
    const rule = ruleOf(metric);
    return (
      `<details><summary>${escapeHtml(metric.name)} ` +
      `${pill(metric)}</summary><p>${escapeHtml(metric.reason)}${rule}</p></details>`
    );
  });
  return `<h2>Every verdict in words</h2><div class="card">${entries.join('')}</div>`;
}

/** The figures behind a metric's verdict. */
function ruleOf({ evidence, role }: MetricResult): string {
  if (role === 'informative') return ' It is informative: it decides nothing.';
  if (evidence === null) return '';
  const power = (value: number) => `e<sup>${formatNumber(value)}</sup>`;
  return (
    ` Evidence of harm ${power(evidence.worse)}, alarm at ${power(evidence.worseThreshold)}; ` +
    `evidence of no harm ${power(evidence.noWorse)}, pass at ${power(evidence.noWorseThreshold)}.`
  );
}
