/** Classification of one metric: NetflixACAJudge's steps, in its order. */
import { seededUniform } from '../random.ts';
import { mannWhitney, type ShiftEstimate } from './mann-whitney.ts';
import { commonLanguageEffect, meanRatio, withoutOutliers } from './statistics.ts';
import type { MetricClassification, MetricConfig } from './types.ts';

export interface Classified {
  readonly classification: MetricClassification;
  readonly reason: string | undefined;
  /** Ratio of the means, experiment to control; NaN where a mean is 0. */
  readonly deviation: number;
  readonly critical: boolean;
}

/** Tolerance of the shift and level of its interval; see `KayentaInput`. */
interface TestSettings {
  readonly tolerance: number;
  readonly confidenceLevel: number;
}

/**
 * One side's values for comparison: NaN removed or replaced by 0, then outliers removed if asked for.
 */
export function prepare(values: Float64Array, config: MetricConfig): Float64Array {
  const known =
    config.nanStrategy === 'remove'
      ? values.filter((value) => !Number.isNaN(value))
      : values.map((value) => (Number.isNaN(value) ? 0 : value));
  return config.outlierFactor === null ? known : withoutOutliers(known, config.outlierFactor);
}

/**
 * Classifies prepared values.
 * @throws AllTiedError if the rank test is undefined.
 */
export function classify(
  experiment: Float64Array,
  control: Float64Array,
  config: MetricConfig,
  settings: TestSettings,
): Classified {
  if (experiment.length === 0 || control.length === 0) return withoutData(config);
  if (sameValues(experiment, control)) return pass('The Canary and Baseline data are identical');
  const bothConstant = isConstant(experiment) && isConstant(control);
  if (bothConstant && experiment[0] === control[0]) return pass(undefined);

  const [x, y] = bothConstant ? withNoise(experiment, control) : [experiment, control];
  const shift = mannWhitney(x, y, settings.confidenceLevel);
  const deviation = meanRatio(x, y);
  const effect = config.effectSize.measure === 'cles' ? commonLanguageEffect(x, y) : deviation;
  const classification = compare(shift, effect, config, settings.tolerance);
  if (classification === 'Pass') return { classification, reason: undefined, deviation, critical: false };

  const critical = config.critical && isCriticalEffect(classification, effect, config);
  const reason = critical
    ? `The metric ${config.name} was classified as ${classification} (Critical)`
    : `${config.name} was classified as ${classification}`;
  return { classification, reason, deviation, critical };
}

function withoutData(config: MetricConfig): Classified {
  if (config.nanStrategy === 'replace') return pass(undefined);
  const fails = config.mustHaveData && !config.critical;
  return {
    classification: fails ? 'NodataFailMetric' : 'Nodata',
    reason: `Missing data for ${config.name}`,
    deviation: 1,
    critical: config.critical,
  };
}

/** An effect of NaN never stands in the way. */
function compare(
  shift: ShiftEstimate,
  effect: number,
  { direction, effectSize }: MetricConfig,
  tolerance: number,
): 'Pass' | 'High' | 'Low' {
  const bound = tolerance * Math.abs(shift.estimate);
  if (direction !== 'decrease' && shift.low > bound && !(effect < effectSize.allowedIncrease)) return 'High';
  if (direction !== 'increase' && shift.high < -bound && !(effect > effectSize.allowedDecrease)) return 'Low';
  return 'Pass';
}

function isCriticalEffect(
  classification: 'High' | 'Low',
  effect: number,
  { effectSize }: MetricConfig,
): boolean {
  return classification === 'High'
    ? !(effect < effectSize.criticalIncrease)
    : !(effect > effectSize.criticalDecrease);
}

const pass = (reason: string | undefined): Classified => ({
  classification: 'Pass',
  reason,
  deviation: 1,
  critical: false,
});

function sameValues(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  const sortedA = Float64Array.from(a).sort();
  const sortedB = Float64Array.from(b).sort();
  return sortedA.every((value, index) => value === sortedB[index]);
}

const isConstant = (values: Float64Array) => values.every((value) => value === values[0]);

/**
 * Adds normal noise of a hundred-thousandth to constant values, which spreads the ranks. Kayenta draws it
 * anew every time; here it is fixed, so that a verdict can be recomputed.
 */
function withNoise(experiment: Float64Array, control: Float64Array): [Float64Array, Float64Array] {
  const normal = normalDraws(0x5eed);
  const blur = (values: Float64Array) => values.map((value) => value + normal() * value * 1e-5);
  return [blur(experiment), blur(control)];
}

/** Standard normal draws (Box and Muller). */
function normalDraws(seed: number): () => number {
  const uniform = seededUniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
