/**
 * Gauges (CPU for each request, memory) and events without a denominator (restarts, error lines), block by
 * block.
 *
 * Gauges are autocorrelated, so no test of single readings holds. Blocks longer than the swings of a gauge,
 * one difference a block and a tolerance wider than what two runs of one version differ by make false alarms
 * rare; how rare is measured by bench/judge, not proved.
 */
import { HISTOGRAM_GAMMA, type MetricSettings, type PerSide } from '../types.ts';
import { NONE, plus } from './pairs.ts';
import { byChannel, noClaims, raisedBy } from './ratio-claims.ts';
import { betOn, noSymmetricBets, type SymmetricBets } from './symmetric.ts';

export interface GaugeState {
  readonly claims: SymmetricBets;
  /** Sums of the blocks' values, for the means. */
  readonly baselineSum: number;
  readonly candidateSum: number;
  readonly blocks: number;
}

export const noGauge = (): GaugeState => ({ claims: noClaims(), baselineSum: 0, candidateSum: 0, blocks: 0 });

/** The state after a block in which the gauge's means were `baseline` and `candidate`; both above 0. */
export function observeGauge(
  state: GaugeState,
  baseline: number,
  candidate: number,
  settings: MetricSettings,
): GaugeState {
  const ratio = Math.log(candidate / baseline);
  const step = Math.log(HISTOGRAM_GAMMA);
  const differences = byChannel({
    worse: Math.log(candidate / raisedBy(baseline, settings.tolerance, settings)),
    noWorse: Math.log(raisedBy(baseline, settings.margin, settings) / candidate),
    lower: Math.log(baseline / raisedBy(candidate, settings.tolerance, settings)),
    above: (shift) => ratio - shift * step,
    below: (shift) => shift * step - ratio,
  });
  return {
    claims: betOn(state.claims, differences),
    baselineSum: state.baselineSum + baseline,
    candidateSum: state.candidateSum + candidate,
    blocks: state.blocks + 1,
  };
}

/** Events of each side; one channel each for "the candidate has more" and "fewer". */
export interface EventState {
  readonly bets: SymmetricBets;
  readonly baseline: number;
  readonly candidate: number;
  readonly seconds: number;
  /** Seconds in which each side's events were counted. */
  readonly counted: PerSide<number>;
  /** Blocks that were bet on. */
  readonly tested: number;
}

export const noEvents = (): EventState => ({
  bets: noSymmetricBets(2),
  baseline: 0,
  candidate: 0,
  seconds: 0,
  counted: NONE,
  tested: 0,
});

/** Events of a block, and the seconds in which they were counted. */
export interface EventBlock {
  readonly events: PerSide<number>;
  readonly counted: PerSide<number>;
}

/** The state after a block of `seconds`; `comparable`: both sides had about equal traffic. */
export function observeEvents(
  state: EventState,
  { events: { baseline, candidate }, counted }: EventBlock,
  seconds: number,
  comparable: boolean,
): EventState {
  const difference = candidate - baseline;
  return {
    bets: comparable ? betOn(state.bets, Float64Array.of(difference, -difference)) : state.bets,
    baseline: state.baseline + baseline,
    candidate: state.candidate + candidate,
    seconds: state.seconds + seconds,
    counted: plus(state.counted, counted),
    tested: state.tested + (comparable ? 1 : 0),
  };
}
