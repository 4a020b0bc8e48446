/** The report as one self-contained HTML page: no script, nothing from the network, the data embedded. */

import { embedJson, escapeHtml } from '../escape.ts';
import { duration } from '../format.ts';
import type { CanaryReport, ReportSide } from './document.ts';
import { formatNumber, shortCommit } from './format.ts';
import { type EvidenceTimeline, evidenceSection, timeSection } from './html-charts.ts';
import { differencesSection, experimentSection, logsSection } from './html-experiment.ts';
import { effectsSection, latencySection, metricsSection, wordsSection } from './html-metrics.ts';
import STYLE from './style.css' with { type: 'text' };

/** Where the embedded document is found again: `<script type="application/json" id="…">`. */
const EMBEDDED_ID = 'pipeline-canary-report';

/** Nothing is loaded and nothing runs. */
const CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/**
 * The page. `evidence` is the evidence second by second (`evidenceTimeline` computes it from the report);
 * empty where the judge has none.
 */
export function renderHtml(report: CanaryReport, evidence: EvidenceTimeline): string {
  const { verdict } = report;
  const title = `${verdict.verdict}: ${report.app} ${report.candidate.ref} against ${report.baseline.ref}`;
  const sections = [
    head(report),
    metricsSection(verdict.metrics),
    effectsSection(verdict.metrics, report.experiment.config),
    latencySection(report),
    timeSection(report),
    evidenceSection(report, evidence),
    differencesSection(report),
    logsSection(report),
    wordsSection(verdict.metrics),
    experimentSection(report),
    footer(report),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${CSP}">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
${sections.filter((section) => section !== '').join('\n')}
</main>
<script type="application/json" id="${EMBEDDED_ID}">${embedJson(report)}</script>
</body>
</html>
`;
}

/** The report inside a page that `renderHtml` made, as text; null where there is none. */
export function embeddedReport(html: string): string | null {
  const start = `<script type="application/json" id="${EMBEDDED_ID}">`;
  const from = html.indexOf(start);
  if (from === -1) return null;
  const to = html.indexOf('</script>', from);
  return to === -1 ? null : html.slice(from + start.length, to);
}

function factsOf({ verdict, plan }: CanaryReport): readonly string[] {
  const dealt =
    plan.traffic === 'interleaved'
      ? 'each assigned at random'
      : 'first all to one side, then all to the other';
  return [
    `stopped after <b>${duration(verdict.stoppedAfter.seconds * 1000)}</b> of at most ` +
      `<b>${duration(plan.durationSeconds * 1000)}</b>`,
    `<b>${formatNumber(verdict.samples.baseline)}</b> requests to the baseline, ` +
      `<b>${formatNumber(verdict.samples.candidate)}</b> to the candidate`,
    `<b>${formatNumber(plan.rate)}</b> requests/s, ${dealt}`,
    `judge <b>${verdict.judge}</b>`,
  ];
}

function head(report: CanaryReport): string {
  const { verdict } = report;
  const at = report.at.replace('T', ' ').replace(/\.\d+Z$|Z$/, ' UTC');
  const needs = verdict.needs === null ? '' : `<p class="why">Needs ${escapeHtml(verdict.needs)}.</p>`;
  const notes = verdict.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('');
  return `<div class="top"><h1>Canary of ${escapeHtml(report.app)}</h1><span>${escapeHtml(at)}</span></div>
<section class="card verdict ${verdict.verdict}">
<div>
<div class="word">${WORDS[verdict.verdict]}</div>
<p class="why">${escapeHtml(verdict.reason)}</p>${needs}
</div>
<div class="score"><b>${formatNumber(Math.round(verdict.score))}</b> of 100</div>
</section>
<div class="sides">${sideCard('baseline', report.baseline)}${sideCard('candidate', report.candidate)}</div>
<div class="facts">${factsOf(report)
    .map((fact) => `<span>${fact}</span>`)
    .join('')}</div>
${notes === '' ? '' : `<ul class="notes">${notes}</ul>`}`;
}

const WORDS: Readonly<Record<CanaryReport['verdict']['verdict'], string>> = {
  passed: '✓ Passed',
  failed: '✗ Failed',
  inconclusive: '? Inconclusive',
};

function sideCard(role: 'baseline' | 'candidate', side: ReportSide): string {
  const commit = `<span class="commit">${escapeHtml(shortCommit(side.commit))}</span>`;
  return `<div class="card side ${role}">
<span class="key"></span><span class="role">${role} on ${escapeHtml(side.host)}</span>
<span class="ref">${escapeHtml(side.ref)} ${commit}</span>
<span class="subject">${escapeHtml(side.subject)}</span>
</div>`;
}

function footer(report: CanaryReport): string {
  return (
    `<footer>Written by pipeline ${escapeHtml(report.pipeline)}. The data are inside this file: ` +
    `<code>pipeline judge FILE.html</code> computes the verdict from them again.</footer>`
  );
}
