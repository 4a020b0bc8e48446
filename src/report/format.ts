/** Numbers and sentences as people read them: three significant digits, a unit, one spelling everywhere. */
import { bytes, duration } from '../format.ts';
import type { MetricResult } from '../judge/types.ts';

/** Three significant digits without exponent: 0.0123, 1.23, 12.3, 123, 1,234. */
export function formatNumber(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) < 1e-3) return value.toPrecision(1);
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(decimals, 4) });
}

/** A share as a percentage: `0 %`, `0.25 %`, `12.3 %`, `100 %`. */
export function formatShare(value: number): string {
  return `${formatNumber(value * 100)} %`;
}

/** Seconds as a clock: `00:03`, `12:05`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}

/** A measured value with the unit of its metric. */
export function formatObserved(value: number | null, unit: string): string {
  if (value === null) return '–';
  if (unit === 'ms') return duration(value);
  if (unit === 'bytes') return bytes(value);
  if (unit === 'share') return formatShare(value);
  if (unit.startsWith('ms ')) return duration(value);
  const named = value === 1 ? unit.replace(/s$/, '') : unit;
  return `${formatNumber(value)} ${named}`.trim();
}

/** One side's value; a share also as the count behind it: `3 of 151`. */
export function formatSide(metric: MetricResult, side: 'baseline' | 'candidate'): string {
  const value = metric.observed[side];
  // Kayenta's samples are points in time, not requests.
  const counted =
    metric.unit === 'share' && metric.kind !== 'latency-distribution' && metric.sampleUnit !== 'points';
  if (value === null || !counted) {
    return formatObserved(value, metric.unit);
  }
  const total = metric.samples[side];
  return `${formatNumber(Math.round(value * total))} of ${formatNumber(total)}`;
}

/** A ratio as people say it: `+32 %`, `−8 %`, `× 3.2` where it is large or tiny. */
export function formatRatio(ratio: number): string {
  if (ratio >= 2 || ratio <= 0.1) return `× ${formatNumber(ratio)}`;
  const per = (ratio - 1) * 100;
  if (Math.abs(per) < 0.05) return '±0 %';
  const size = Math.abs(per);
  return `${per > 0 ? '+' : '−'}${formatNumber(size < 10 ? round(size, 1) : Math.round(size))} %`;
}

/** The effect of a metric in its own terms, e.g. `+32 %` or `+1.2 points`; `–` without one. */
export function formatEffect(metric: MetricResult): string {
  const effect = metric.effect;
  if (effect === null || effect.value === null) return '–';
  return formatOnScale(effect.value, metric);
}

/** The interval of a metric's effect, e.g. `+10 % to +50 %`; an open end is a word. */
export function formatInterval(metric: MetricResult): string {
  if (metric.interval === null || metric.effect === null) return '–';
  const [low, high] = metric.interval;
  if (low === null && high === null) return 'anything';
  if (low === null) return `at most ${formatOnScale(high ?? 0, metric)}`;
  if (high === null) return `at least ${formatOnScale(low, metric)}`;
  const [from, to] = [formatOnScale(low, metric), formatOnScale(high, metric)];
  return `${from.replace(/ (points|%)$/, (unit) => (to.endsWith(unit) ? '' : unit))} to ${to}`;
}

function formatOnScale(value: number, metric: MetricResult): string {
  if (metric.effect?.scale === 'ratio') return formatRatio(value);
  const sign = value > 0 ? '+' : value < 0 ? '−' : '±';
  if (metric.unit === 'share') return `${sign}${formatNumber(round(Math.abs(value) * 100, 2))} points`;
  return `${sign}${formatObserved(Math.abs(value), metric.unit)}`;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/** Less of the way to the threshold than this is chance. */
export const LITTLE = 0.1;

/**
 * How far the evidence is on its way to the threshold, 0 to 1; null where none is kept or it decides nothing.
 */
export function harmShare(metric: MetricResult): number | null {
  const evidence = metric.evidence;
  if (evidence === null || metric.role === 'informative' || !(evidence.worseThreshold > 0)) return null;
  return Math.min(1, Math.max(0, evidence.worse / evidence.worseThreshold));
}

/** The same for "no worse". */
function noHarmShare(metric: MetricResult): number | null {
  const evidence = metric.evidence;
  if (evidence === null || !(evidence.noWorseThreshold > 0)) return null;
  return Math.min(1, Math.max(0, evidence.noWorse / evidence.noWorseThreshold));
}

/** The evidence of harm in a word. */
export function harmWord(metric: MetricResult): string {
  const share = harmShare(metric);
  if (metric.verdict === 'no data') return 'no data';
  if (metric.role === 'informative') return 'not judged (informative)';
  if (share === null) return metric.verdict === 'high' || metric.verdict === 'low' ? 'differs' : 'not tested';
  if (share >= 1) return 'beyond doubt';
  if (share >= 0.7) return 'strong';
  if (share >= 0.35) return 'some';
  if (share >= LITTLE) return 'little';
  if ((noHarmShare(metric) ?? 0) >= 1) return 'none, shown no worse';
  return isUntold(metric) ? 'too little to tell' : 'none';
}

/**
 * The candidate was measured to be worse, and what was seen is too little to tell that from chance. Of counts
 * without a denominator (restarts, error lines) any difference is: one that favours the candidate proves
 * nothing either.
 */
export function isUntold({ kind, verdict, effect, observed }: MetricResult): boolean {
  if (kind === 'restarts' || kind === 'error-lines') {
    return verdict !== 'low' && observed.candidate !== observed.baseline;
  }
  if (verdict !== 'inconclusive' || effect === null || effect.value === null) return false;
  return effect.value > (effect.scale === 'ratio' ? 1 : 0);
}

/** A commit as people write it. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}
