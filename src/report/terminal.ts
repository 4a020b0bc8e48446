/**
 * The canary in a terminal: a frame while it runs (without a terminal, a line now and then), and the result.
 * Pure: lines out.
 */

import { escapeTerminal } from '../escape.ts';
import { duration } from '../format.ts';
import type {
  CanaryVerdict,
  KayentaJudgeResult,
  KayentaMetricResult,
  MetricResult,
  PerSide,
} from '../judge/index.ts';
import type { CanaryReport, ReportVerdict } from './document.ts';
import {
  formatClock,
  formatEffect,
  formatInterval,
  formatNumber,
  formatSide,
  harmShare,
  harmWord,
  isUntold,
  LITTLE,
  shortCommit,
} from './format.ts';
import { toneOf } from './tone.ts';

/** Colours, or functions that leave text alone. */
export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** An experiment at one moment. */
export interface Snapshot {
  /** Seconds since the first request. */
  readonly seconds: number;
  /** Seconds after which it ends in any case. */
  readonly atMost: number;
  readonly requests: PerSide<number>;
  readonly metrics: readonly MetricResult[];
  /** What is still missing, e.g. `about 900 more requests`; null if unknown. */
  readonly needs: string | null;
}

const BAR = 10;
/** How many metrics the first screen shows: those that matter. */
const ROWS = 14;

/**
 * What the experiment will do, before it begins. `alpha`: the judge's bound on false alarms; null if it has
 * none (Kayenta's).
 */
export function introduction(
  report: Pick<CanaryReport, 'app' | 'baseline' | 'candidate' | 'plan'>,
  alpha: number | null,
): string[] {
  const { plan } = report;
  const side = ({ ref, commit }: CanaryReport['baseline']) =>
    `${escapeTerminal(ref)} (${shortCommit(commit)})`;
  const share =
    plan.traffic === 'interleaved'
      ? `each assigned at random, ${100 - plan.split} : ${plan.split}`
      : 'first to the baseline, then to the candidate';
  const times = Math.round(1 / (alpha ?? 1));
  const rule =
    alpha === null
      ? "Kayenta's judge looks once, at the end, and has no stated rate of false alarms."
      : `Rejects when the evidence of harm is worth ${times} to 1 over all metrics; a version as good as ` +
        `the baseline is rejected in at most 1 of ${times} experiments.`;
  return [
    `${escapeTerminal(report.app)}: baseline ${side(report.baseline)} against candidate ` +
      `${side(report.candidate)}`,
    `Experiment: ${formatNumber(plan.rate)} requests/s for up to ${duration(plan.durationSeconds * 1000)}, ` +
      `${share}`,
    ...(plan.replay === undefined ? [] : [plan.replay]),
    rule,
  ];
}

/** The lines that a terminal redraws every second. */
export function liveFrame(snapshot: Snapshot, palette: Palette): string[] {
  const { baseline, candidate } = snapshot.requests;
  const left = Math.max(0, snapshot.atMost - snapshot.seconds);
  const rest =
    snapshot.needs === null
      ? `at most ${duration(Math.round(left) * 1000)} left`
      : `needs ${snapshot.needs}, at most ${duration(Math.round(left) * 1000)} left`;
  return [
    `  ${palette.bold(formatClock(snapshot.seconds))}   requests ${formatNumber(baseline + candidate)}    ` +
      `baseline ${formatNumber(baseline)} · candidate ${formatNumber(candidate)}    ${palette.dim(rest)}`,
    ...metricTable(snapshot.metrics, palette),
  ];
}

/** One line for logs and pipes, which cannot redraw. */
export function progressLine(snapshot: Snapshot): string {
  const { baseline, candidate } = snapshot.requests;
  return (
    `  ${formatClock(snapshot.seconds)}  ${formatNumber(baseline)} requests to the baseline, ` +
    `${formatNumber(candidate)} to the candidate; ${evidenceWords(snapshot.metrics)}`
  );
}

/**
 * The most evidence of harm in words. What was not judged, or differs too little to tell, is no evidence of
 * none.
 */
function evidenceWords(metrics: readonly MetricResult[]): string {
  const judged = metrics.filter((metric) => metric.verdict !== 'no data' && harmShare(metric) !== null);
  const [closest] = judged.toSorted((a, b) => (harmShare(b) ?? 0) - (harmShare(a) ?? 0));
  if (closest === undefined) return 'nothing is judged yet';
  if ((harmShare(closest) ?? 0) >= LITTLE)
    return `most evidence of harm: ${escapeTerminal(closest.name)} (${harmWord(closest)})`;
  const open = judged.filter(isUntold).map(({ name }) => escapeTerminal(name));
  if (open.length > 0) return `too little to tell yet: ${open.slice(0, 3).join(', ')}`;
  const others = metrics
    .filter((metric) => harmShare(metric) === null && (metric.verdict === 'high' || isUntold(metric)))
    .map(({ name }) => escapeTerminal(name));
  return others.length === 0
    ? 'no evidence of harm'
    : `no evidence of harm in what is judged (higher, but not judged: ${others.slice(0, 3).join(', ')})`;
}

/** The table of metrics; its words are the same without colour. */
function metricTable(metrics: readonly MetricResult[], palette: Palette): string[] {
  const shown = choose(metrics);
  if (shown.length === 0) return [];
  const names = shown.map((metric) => clip(escapeTerminal(metric.name), 30));
  const sides = (side: 'baseline' | 'candidate') => shown.map((metric) => formatSide(metric, side));
  const columns = [
    ['metric', ...names],
    ['baseline', ...sides('baseline')],
    ['candidate', ...sides('candidate')],
    ['change', ...shown.map(formatEffect)],
  ];
  const widths = columns.map((column) => Math.max(...column.map((cell) => cell.length)));
  const row = (index: number) =>
    columns.map((column, at) => (column[index] ?? '').padEnd(widths[at] ?? 0)).join('   ');
  const lines = shown.map((metric, index) => {
    const colour = {
      pass: palette.green,
      harm: palette.red,
      open: (text: string) => text,
      none: palette.dim,
    }[toneOf(metric)];
    const critical = metric.critical ? palette.dim('  critical') : '';
    return `  ${row(index + 1)}   ${colour(`${bar(harmShare(metric))} ${harmWord(metric)}`)}${critical}`;
  });
  const hidden = metrics.length - shown.length;
  return [
    palette.dim(`  ${row(0)}   evidence of harm`),
    ...lines,
    ...(hidden > 0 ? [palette.dim(`  and ${hidden} more in the report`)] : []),
  ];
}

/**
 * The metrics worth a line: all, or the alarms, the critical ones and those with the most evidence, in the
 * judge's order.
 */
function choose(metrics: readonly MetricResult[]): readonly MetricResult[] {
  const known = metrics.filter((metric) => metric.verdict !== 'no data');
  if (known.length <= ROWS) return known;
  const worth = (metric: MetricResult) =>
    (harmShare(metric) ?? 0) +
    (toneOf(metric) === 'harm' ? 4 : 0) +
    (metric.critical && metric.route === undefined ? 2 : 0);
  const best = new Set([...known].sort((a, b) => worth(b) - worth(a)).slice(0, ROWS));
  return known.filter((metric) => best.has(metric));
}

function bar(share: number | null): string {
  if (share === null) return ' '.repeat(BAR);
  const full = Math.floor(share * BAR + 1e-9);
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

/**
 * The result: verdict, reason, what to do next. `files`: paths that were written, as the user would type
 * them.
 */
export function resultLines(
  report: CanaryReport,
  palette: Palette,
  files: { readonly json?: string; readonly html?: string; readonly markdown?: string } = {},
): string[] {
  const written = [files.html, files.markdown].filter((path) => path !== undefined);
  return [
    ...verdictLines(report.verdict, palette),
    ...lastWords(report).map((line) => `  ${line}`),
    ...(written.length > 0 ? [`Report: ${written.join(', ')}`] : []),
    ...(files.json === undefined ? [] : [`Again: pipeline judge ${files.json}`]),
  ];
}

/** The metrics, the verdict, and what it rests on. */
export function verdictLines(
  verdict: Omit<CanaryVerdict, 'judge'> | ReportVerdict,
  palette: Palette,
): string[] {
  const { seconds, requests } = verdict.stoppedAfter;
  const decided =
    verdict.decidedBy.length === 0 || verdict.verdict !== 'failed'
      ? ''
      : `, decided by ${verdict.decidedBy.map(escapeTerminal).join(', ')}`;
  return [
    ...metricTable(verdict.metrics, palette),
    '',
    `${colourOf(verdict, palette)(verdict.verdict.toUpperCase())} after ${duration(seconds * 1000)} and ` +
      `${formatNumber(requests)} requests: score ${formatNumber(Math.round(verdict.score))} of ` +
      `100${decided}.`,
    `  ${escapeTerminal(verdict.reason)}`,
    ...alarms(verdict).map((line) => `  ${line}`),
    ...(verdict.needs === null ? [] : [`  Needs ${escapeTerminal(verdict.needs)}.`]),
    ...verdict.notes.map((note) => `  Note: ${escapeTerminal(note)}`),
  ];
}

function colourOf(verdict: Pick<ReportVerdict, 'verdict'>, palette: Palette): (text: string) => string {
  const colour = { passed: palette.green, failed: palette.red, inconclusive: palette.yellow }[
    verdict.verdict
  ];
  return (text) => palette.bold(colour(text));
}

/** Effects of the metrics that decided against the candidate. */
function alarms(verdict: Pick<CanaryVerdict, 'verdict' | 'decidedBy' | 'metrics'>): string[] {
  if (verdict.verdict !== 'failed') return [];
  return verdict.metrics
    .filter(
      (metric) =>
        verdict.decidedBy.includes(metric.name) && metric.effect?.value != null && metric.unit !== 'share',
    )
    .map((metric) => `${escapeTerminal(metric.name)}: ${formatEffect(metric)} (${formatInterval(metric)})`);
}

/** The last lines of the side that failed. */
function lastWords(report: CanaryReport): string[] {
  const failed = report.events.find((event) => event.kind === 'never started' || event.kind === 'died');
  const side = failed?.side === 'baseline' ? 'baseline' : 'candidate';
  if (report.verdict.verdict === 'passed' || (failed === undefined && report.verdict.verdict !== 'failed'))
    return [];
  const wanted = failed === undefined ? 3 : 10;
  const lines = report.logs[side].filter((line) => failed !== undefined || ERROR.test(line)).slice(-wanted);
  return lines.length === 0
    ? []
    : [`The ${side}'s log says:`, ...lines.map((line) => `  ${clip(escapeTerminal(line), 160)}`)];
}

/** A line of a journal that reports an error. */
const ERROR = /\b(?:[A-Za-z]*Error|error|exception|fatal|panic|refused|cannot|failed)\b/i;

function clip(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/** What Kayenta's judge says of Kayenta's own document. */
export function kayentaLines(
  result: KayentaJudgeResult,
  palette: Palette,
  notes: readonly string[] = [],
): string[] {
  const names = result.results.map((entry) => clip(escapeTerminal(labelled(entry, result)), 50));
  const width = Math.max(6, ...names.map((name) => name.length));
  const colours = { Pass: palette.green, High: palette.red, Low: palette.red } as Record<
    string,
    (text: string) => string
  >;
  const { score, classification, classificationReason } = result.score;
  return [
    ...result.results.map((entry, index) => {
      const colour = colours[entry.classification] ?? palette.dim;
      const flags = [entry.critical ? 'critical' : '', entry.muted ? 'muted' : '']
        .filter((flag) => flag !== '')
        .join(', ');
      const reason =
        entry.classificationReason === undefined ? '' : `  ${escapeTerminal(entry.classificationReason)}`;
      return (
        `  ${(names[index] ?? '').padEnd(width)}   ` +
        `${colour(entry.classification)}${reason}${flags === '' ? '' : palette.dim(`  ${flags}`)}`
      );
    }),
    ...result.groupScores.map((group) =>
      palette.dim(`  group ${escapeTerminal(group.name)}: ${formatNumber(group.score)}`),
    ),
    `${palette.bold(classification)}: score ${formatNumber(score)} of ` +
      `100.${classificationReason ? ` ${escapeTerminal(classificationReason)}` : ''}`,
    ...notes.map((note) => palette.yellow(`  Note: ${escapeTerminal(note)}`)),
  ];
}

/** A metric's name, with its labels if several of its series were compared. */
function labelled({ name, tags = {} }: KayentaMetricResult, { results }: KayentaJudgeResult): string {
  if (results.filter((other) => other.name === name).length < 2) return name;
  return [name, ...Object.entries(tags).map(([label, value]) => `${label}=${value}`)].join(' ');
}
