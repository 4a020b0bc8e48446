/**
 * Claims about the ratio of the candidate's value to the baseline's, each tested by one channel of symmetric
 * bets.
 */
import { HISTOGRAM_GAMMA, type MetricSettings } from '../types.ts';
import { noSymmetricBets, RARE_STEEPNESS, STEEPNESS, type SymmetricBets } from './symmetric.ts';
import { type ClaimStrength, logEvidence, ordered, peakEvidence, progress } from './wealth.ts';

/** Factors, as powers of γ, at which the ends of the interval are tested: 1.00 to 98 and their inverses. */
const STEPS = [1, 2, 3, 4, 5, 7, 9, 11, 14, 17, 21, 26, 32, 39, 47, 57, 70, 90, 120, 160, 232];
const SHIFTS = [...STEPS.map((step) => -step).reverse(), 0, ...STEPS];

/**
 * Channels: higher than tolerated; not higher by the margin; lower than tolerated; then the ends of the
 * interval.
 */
const WORSE = 0;
const NO_WORSE = 1;
const LOWER = 2;
const ABOVE = 3;
const BELOW = ABOVE + SHIFTS.length;
const CHANNELS = BELOW + SHIFTS.length;

/**
 * What a difference within one block is made of; each function is positive where the block speaks for its
 * claim.
 */
interface ClaimDifferences {
  /** Candidate above the baseline raised by the tolerance. */
  readonly worse: number;
  /** Candidate below the baseline raised by the margin. */
  readonly noWorse: number;
  /** Baseline above the candidate raised by the tolerance. */
  readonly lower: number;
  /** Candidate above the baseline times γ^shift. */
  above(shift: number): number;
  /** Candidate below the baseline times γ^shift. */
  below(shift: number): number;
}

/** `rare`: most blocks hold nothing that tells. */
export const noClaims = (rare = false): SymmetricBets =>
  noSymmetricBets(CHANNELS, rare ? RARE_STEEPNESS : STEEPNESS);

/** The differences in the order of the channels. */
export function byChannel(differences: ClaimDifferences): Float64Array {
  const result = new Float64Array(CHANNELS);
  result[WORSE] = differences.worse;
  result[NO_WORSE] = differences.noWorse;
  result[LOWER] = differences.lower;
  for (const [i, shift] of SHIFTS.entries()) {
    result[ABOVE + i] = differences.above(shift);
    result[BELOW + i] = differences.below(shift);
  }
  return result;
}

/** Present log evidence that the candidate is higher than tolerated. */
export const worseEvidence = ({ wealth }: SymmetricBets) => logEvidence(wealth, WORSE);

export function claimEvidence({ wealth }: SymmetricBets): ClaimStrength {
  return {
    worse: peakEvidence(wealth, WORSE),
    lower: peakEvidence(wealth, LOWER),
    noWorse: progress(wealth, NO_WORSE),
  };
}

/** Anytime-valid interval of the ratio, candidate to baseline; null where an end is not known. */
export function ratioInterval(
  { wealth }: SymmetricBets,
  level: number,
): readonly [number | null, number | null] {
  const threshold = Math.log(2 / (1 - level));
  const shown = (channel: number) => logEvidence(wealth, channel) >= threshold;
  const factor = (index: number) => (index < 0 ? null : HISTOGRAM_GAMMA ** (SHIFTS[index] as number));
  const low = factor(SHIFTS.findLastIndex((_, i) => shown(ABOVE + i)));
  const high = factor(SHIFTS.findIndex((_, i) => shown(BELOW + i)));
  return ordered(low, high);
}

/** A value that is higher by the ratio, or by the absolute difference of the settings where that is more. */
export function raisedBy(
  value: number,
  ratio: number,
  { absolute }: Pick<MetricSettings, 'absolute'>,
): number {
  return Math.max(value * (1 + ratio), value + absolute);
}
