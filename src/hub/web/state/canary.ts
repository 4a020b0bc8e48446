/** Figures of canary runs for people. Pure. */
import type { CanaryMetric } from '../../api-types.ts';
import { figure } from './format.ts';

/** The judge's units in those of the charts. */
const UNITS: Readonly<Record<string, string>> = { share: 'ratio', ms: 'ms', bytes: 'bytes' };

export function metricFigure(value: number | null, unit: string): string {
  const known = UNITS[unit] ?? (unit.startsWith('ms') ? 'ms' : undefined);
  if (known !== undefined) return figure(value, known);
  return value === null ? figure(null, '') : `${figure(value, 'number')} ${unit}`.trim();
}

/** How far the candidate is from the baseline: `+12 %` of a ratio, `+1.5 points` of shares. */
export function effectText({ scale, effect, unit }: Pick<CanaryMetric, 'scale' | 'effect' | 'unit'>): string {
  return effect === null || scale === null ? '–' : changeOf(effect, scale, unit);
}

/** The interval of the effect; empty: not known. */
export function intervalText({
  scale,
  interval,
  unit,
}: Pick<CanaryMetric, 'scale' | 'interval' | 'unit'>): string {
  if (interval === null || scale === null) return '';
  const [low, high] = interval;
  if (low === null && high === null) return '';
  if (low === null) return `at most ${changeOf(high ?? 0, scale, unit)}`;
  if (high === null) return `at least ${changeOf(low, scale, unit)}`;
  return `${changeOf(low, scale, unit)} to ${changeOf(high, scale, unit)}`;
}

function changeOf(value: number, scale: 'ratio' | 'difference', unit: string): string {
  const change = scale === 'ratio' ? (value - 1) * 100 : unit === 'share' ? value * 100 : value;
  const sign = change > 0 ? '+' : change < 0 ? '−' : '±';
  const size = figure(Math.abs(change), 'number');
  if (scale === 'ratio') return `${sign}${size} %`;
  return unit === 'share' ? `${sign}${size} points` : `${sign}${metricFigure(Math.abs(change), unit)}`;
}
