/**
 * Quantiles of a distribution (latency, size) in two sides: is the candidate's higher than tolerated, shown
 * not to be, or lower?
 *
 * A quantile q of the baseline is read from the past; in the next block the share of the baseline's values
 * above q is compared with the share of the candidate's above (1 + tolerance)·q. Where the candidate is no
 * slower than tolerated, the difference of the shares is symmetric about 0 or below (symmetric.ts). On
 * buckets whose edges are powers of γ a factor is a shift of the index, so the comparison is exact.
 */
import type { QuantileSettings } from '../types.ts';
import { betOnOrder, noOrderBets, type OrderTolerance } from './order.ts';
import { betOnPlain, isPlainQuantile, noPlainBets, type PlainBets } from './plain-bets.ts';
import { byChannel, noClaims, raisedBy, worseEvidence } from './ratio-claims.ts';
import {
  addBlock,
  type DenseCounts,
  nearestSlot,
  noDenseCounts,
  quantileSlot,
  type SparseCounts,
  shareFrom,
  slotEdge,
  slotMiddle,
} from './slots.ts';
import { betOn, type SymmetricBets } from './symmetric.ts';

/**
 * Values beyond a quantile that must have been seen before it counts as known, and anything is bet on it.
 */
const KNOWN_BEYOND = 1;

/** Values of each side in one block. */
export interface BlockPair {
  readonly baseline: SparseCounts;
  readonly candidate: SparseCounts;
}

export interface DistributionState {
  readonly baseline: DenseCounts;
  readonly candidate: DenseCounts;
  /** One for each quantile. */
  readonly claims: readonly SymmetricBets[];
  /** One for each quantile: bets on a plain slowdown, beside the claims'. */
  readonly plain: readonly PlainBets[];
  /** Bets on the whole distribution; null where it is not judged. */
  readonly order: SymmetricBets | null;
}

/** At what a distribution is compared. */
export interface Compared {
  readonly quantiles: readonly QuantileSettings[];
  /** Of the whole distribution; null: not judged. */
  readonly order: OrderTolerance | null;
}

export function noDistribution({ quantiles, order }: Compared): DistributionState {
  return {
    baseline: noDenseCounts(),
    candidate: noDenseCounts(),
    claims: quantiles.map(({ quantile: at }) => noClaims(!isPlainQuantile(at))),
    plain: quantiles.map(noPlainBets),
    order: order === null ? null : noOrderBets(),
  };
}

/**
 * The state after one block; `at` is what the state was made with. `compared` is what the claims are tested
 * on where that is not all of the block: parts with as many values of either side.
 */
export function observeBlock(
  state: DistributionState,
  block: BlockPair,
  { quantiles, order }: Compared,
  compared: readonly BlockPair[] = [block],
): DistributionState {
  const comparable = compared.every(({ baseline, candidate }) => baseline.total > 0 && candidate.total > 0);
  const history = Math.min(state.baseline.total, state.candidate.total);
  const isKnown = ({ quantile: at }: QuantileSettings) => history * Math.min(at, 1 - at) >= KNOWN_BEYOND;
  const claims = state.claims.map((bets, i) => {
    const settings = quantiles[i] as QuantileSettings;
    return comparable && isKnown(settings)
      ? betOn(bets, ...compared.map((pair) => differences(state, pair, settings)))
      : bets;
  });
  return {
    baseline: addBlock(state.baseline, block.baseline),
    candidate: addBlock(state.candidate, block.candidate),
    claims,
    plain: state.plain.map((bets, i) => {
      const settings = quantiles[i] as QuantileSettings;
      return comparable && isKnown(settings) && isPlainQuantile(settings.quantile)
        ? plainRound(bets, state, block, settings, worseEvidence(claims[i] as SymmetricBets))
        : bets;
    }),
    order:
      state.order === null || order === null || !comparable
        ? state.order
        : betOnOrder(state.order, state, compared, order),
  };
}

/** The slot above the baseline's quantile so far, and the one above it raised by what is tolerated. */
function thresholds({ baseline }: DistributionState, settings: QuantileSettings): readonly [number, number] {
  const above = quantileSlot(baseline, settings.quantile) + 1;
  return [above, nearestSlot(raisedBy(slotEdge(above), settings.tolerance, settings))];
}

function plainRound(
  bets: PlainBets,
  state: DistributionState,
  { baseline, candidate }: BlockPair,
  settings: QuantileSettings,
  symmetric: number,
): PlainBets {
  const [above, raised] = thresholds(state, settings);
  return betOnPlain(bets, { counts: baseline, from: above }, { counts: candidate, from: raised }, symmetric);
}

function differences(state: DistributionState, block: BlockPair, settings: QuantileSettings): Float64Array {
  const { baseline, candidate } = block;
  // Where values pile up in one slot, "above the quantile" and "at least the quantile" differ much: each
  // claim takes the side that can show it.
  const atLeast = quantileSlot(state.baseline, settings.quantile);
  const above = atLeast + 1;
  const aboveCandidate = quantileSlot(state.candidate, settings.quantile) + 1;
  const shareAbove = shareFrom(baseline, above);
  const shareAtLeast = shareFrom(baseline, atLeast);
  const raised = (slot: number, ratio: number) => nearestSlot(raisedBy(slotEdge(slot), ratio, settings));
  return byChannel({
    worse: shareFrom(candidate, raised(above, settings.tolerance)) - shareAbove,
    noWorse: shareAtLeast - shareFrom(candidate, raised(atLeast, settings.margin)),
    lower:
      shareFrom(baseline, raised(aboveCandidate, settings.tolerance)) - shareFrom(candidate, aboveCandidate),
    above: (shift) => shareFrom(candidate, above + shift) - shareAbove,
    below: (shift) => shareAtLeast - shareFrom(candidate, atLeast + shift),
  });
}

/** The quantile of what was seen, in the histogram's unit; null without values. */
export function quantileOf(dense: DenseCounts, quantile: number): number | null {
  return dense.total === 0 ? null : slotMiddle(quantileSlot(dense, quantile));
}

/**
 * How two distributions differ as wholes: the largest distance of their distribution functions, and its error
 * bound.
 */
interface Distance {
  /** sup |F_candidate − F_baseline|. */
  readonly distance: number;
  /** Half width of its anytime-valid interval. */
  readonly uncertainty: number;
  /** Where the distance is largest, the candidate's values are the higher ones. */
  readonly candidateHigher: boolean;
}

/**
 * Howard & Ramdas 2022, theorem 2 (arXiv:1906.09712): each side's distribution function lies within w(t) =
 * 0.85·√((ln(1 + ln t) + C)/t) of the truth for all t at once, with probability 1 − α/2 each; `constant` is
 * the C of that probability. Takes values as independent.
 */
export function distance({ baseline, candidate }: DistributionState, constant: number): Distance | null {
  if (baseline.total === 0 || candidate.total === 0) return null;
  let largest = 0;
  let difference = 0;
  for (let slot = 0; slot < baseline.counts.length; slot++) {
    difference +=
      (baseline.counts[slot] as number) / baseline.total -
      (candidate.counts[slot] as number) / candidate.total;
    if (Math.abs(difference) > Math.abs(largest)) largest = difference;
  }
  const width = (t: number) => 0.85 * Math.sqrt((Math.log(1 + Math.log(Math.max(1, t))) + constant) / t);
  return {
    distance: Math.abs(largest),
    uncertainty: width(baseline.total) + width(candidate.total),
    candidateHigher: largest > 0,
  };
}
