/**
 * Descriptive statistics and effect sizes, in the order of operations of Apache Commons Math, as in Kayenta.
 */
import { rankSum } from './mann-whitney.ts';

/** Arithmetic mean with one correction pass; NaN without values. */
export function mean(values: Float64Array): number {
  const first = sum(values) / values.length;
  let correction = 0;
  for (const value of values) correction += value - first;
  return first + correction / values.length;
}

/** Unbiased variance by the corrected two-pass algorithm; 0 of one value, NaN of none. */
export function variance(values: Float64Array): number {
  if (values.length === 1) return 0;
  const center = mean(values);
  let squares = 0;
  let residue = 0;
  for (const value of values) {
    const deviation = value - center;
    squares += deviation * deviation;
    residue += deviation;
  }
  return (squares - (residue * residue) / values.length) / (values.length - 1);
}

/**
 * The p-th percentile (0 to 100) by linear interpolation between order statistics (R's type 7) of sorted
 * values; NaN of none.
 */
export function percentile(sorted: Float64Array, p: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * (p / 100) + 1;
  const whole = Math.floor(position);
  const lower = sorted[Math.max(0, Math.min(sorted.length, whole) - 1)] as number;
  if (whole >= sorted.length) return sorted[sorted.length - 1] as number;
  return lower + (position - whole) * ((sorted[whole] as number) - lower);
}

/** Fences of Tukey's outlier rule: quartiles ∓ `factor` interquartile ranges. */
export function tukeyFences(sorted: Float64Array, factor: number): { low: number; high: number } {
  const q1 = percentile(sorted, 25);
  const q3 = percentile(sorted, 75);
  const range = q3 - q1;
  return { low: q1 - factor * range, high: q3 + factor * range };
}

/** The values within Tukey's fences, widened to the 1st and 99th percentile; in their order. */
export function withoutOutliers(values: Float64Array, factor: number): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const fences = tukeyFences(sorted, factor);
  const low = Math.min(percentile(sorted, 1), fences.low);
  const high = Math.max(percentile(sorted, 99), fences.high);
  return values.filter((value) => !(value > high || value < low));
}

/** The experiment's mean divided by the control's; NaN if either is 0. */
export function meanRatio(experiment: Float64Array, control: Float64Array): number {
  const above = mean(experiment);
  const below = mean(control);
  return below === 0 || above === 0 ? Number.NaN : above / below;
}

/**
 * Common language effect size: the chance that a value of the experiment exceeds one of the control; ties
 * count half.
 */
export function commonLanguageEffect(experiment: Float64Array, control: Float64Array): number {
  const m = experiment.length;
  const n = control.length;
  const { ranks } = rankSum(Float64Array.from(experiment).sort(), Float64Array.from(control).sort());
  return (2 * ranks - m * (m + 1)) / (2 * n * m);
}

/**
 * Rounded to two decimals, halves away from zero, as the shortest decimal form of the number has them (Java's
 * BigDecimal).
 */
export function roundToCents(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15) return value;
  const [whole = '0', fraction = ''] = decimalDigits(Math.abs(value)).split('.');
  const cents =
    BigInt(whole + fraction.slice(0, 2).padEnd(2, '0')) + (Number(fraction[2] ?? 0) >= 5 ? 1n : 0n);
  return (Math.sign(value) * Number(cents)) / 100;
}

/** A number below 1e21 without exponent. */
function decimalDigits(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(20) : text;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
