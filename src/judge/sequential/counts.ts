/**
 * Rates of events among requests: errors, wrong bodies.
 *
 * The alarm conditions on how many events a stratum (one second of one route) had in all: were the candidate
 * no worse, chance alone would have dealt them to the sides. It needs nothing about the rates, which may
 * change from second to second. The pass and the interval take events within a second as independent.
 */
import { logMoments } from './hypergeometric.ts';
import {
  afterRound,
  logEvidence,
  ordered,
  peakEvidence,
  progress,
  startingWealth,
  type Wealth,
} from './wealth.ts';

/** Odds ratios that the gamblers of an alarm bet on. */
const ODDS = [1.3, 2, 4, 20];
const SLOPES = [...ODDS.map(Math.log), ...ODDS.map((odds) => -Math.log(odds))];
/**
 * Largest gain in log wealth from one second. A burst of failures within a second or two, which may have one
 * cause, is no verdict: an alarm takes at least three seconds. (A bounded return still has expectation at
 * most 1.)
 */
const MOST_FROM_A_SECOND = 2.5;
/** Stakes of the gamblers against "worse by the margin". */
const STAKES = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 0.95];
/** Differences of the rates at which the interval's ends are tested. */
const ENDS = [
  0, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4,
  0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98,
];
const DIFFERENCES = [
  ...ENDS.slice(1)
    .map((end) => -end)
    .reverse(),
  ...ENDS,
];

/** Events among trials of each side, in one stratum or altogether. */
export interface Trials {
  readonly candidateTrials: number;
  readonly candidateEvents: number;
  readonly baselineTrials: number;
  readonly baselineEvents: number;
}

export interface CountState {
  readonly totals: Trials;
  /** Channel 0: the candidate is no worse; channel 1: the candidate is no better. */
  readonly odds: Wealth;
  /**
   * One channel: the candidate is worse by the margin; half of the capital on the difference, half on the
   * ratio.
   */
  readonly margin: Wealth;
  /** Channels d: "candidate − baseline ≥ DIFFERENCES[d]"; then as many: "≤". */
  readonly ends: Wealth;
}

/**
 * What a pass excludes: a rate higher by `difference`, or by the factor 1 + `ratio`, whichever allows more.
 */
interface CountMargin {
  readonly difference: number;
  readonly ratio: number;
}

const NO_TRIALS: Trials = {
  candidateTrials: 0,
  candidateEvents: 0,
  baselineTrials: 0,
  baselineEvents: 0,
};

export function noCounts(): CountState {
  return {
    totals: NO_TRIALS,
    odds: startingWealth(2, ODDS.length),
    margin: startingWealth(1, 2 * STAKES.length),
    ends: startingWealth(2 * DIFFERENCES.length, STAKES.length),
  };
}

/** The state after one more second, given what happened in each stratum (route) of it. */
export function countSecond(state: CountState, strata: readonly Trials[], margin: CountMargin): CountState {
  const second = strata.reduce(addTrials, NO_TRIALS);
  if (second.candidateTrials + second.baselineTrials === 0) return state;
  const swapped = swap(second);
  return {
    totals: addTrials(state.totals, second),
    odds: betOnOdds(state.odds, strata),
    margin: afterRound(state.margin, (_, gambler) => {
      const stake = STAKES[gambler % STAKES.length] as number;
      return gambler < STAKES.length
        ? gainAgainstDifference(second, stake, margin.difference)
        : gainAgainstRatio(second, stake, 1 + margin.ratio);
    }),
    ends: afterRound(state.ends, (channel, gambler) => {
      const stake = STAKES[gambler] as number;
      if (channel < DIFFERENCES.length)
        return gainAgainstDifference(second, stake, DIFFERENCES[channel] as number);
      return gainAgainstDifference(swapped, stake, -(DIFFERENCES[channel - DIFFERENCES.length] as number));
    }),
  };
}

/** Largest evidence that the candidate's rate is higher. */
export const worseCount = (state: CountState) => peakEvidence(state.odds, 0);
/** Largest evidence that the candidate's rate is lower. */
export const lowerCount = (state: CountState) => peakEvidence(state.odds, 1);
/** Evidence that the candidate's rate is not higher by the margin. */
export const noWorseCount = (state: CountState) => progress(state.margin, 0);

/** Anytime-valid interval of candidate rate − baseline rate; null where an end is not known. */
export function differenceInterval(
  state: CountState,
  level: number,
): readonly [number | null, number | null] {
  const threshold = Math.log(2 / (1 - level));
  // The present evidence, not the largest ever: where rates changed in time, the interval follows.
  const excluded = (channel: number) => logEvidence(state.ends, channel) >= threshold;
  const count = DIFFERENCES.length;
  const above = DIFFERENCES.findIndex((_, index) => excluded(index));
  const below = DIFFERENCES.findLastIndex((_, index) => excluded(count + index));
  return ordered(DIFFERENCES[below] ?? null, DIFFERENCES[above] ?? null);
}

function betOnOdds(odds: Wealth, strata: readonly Trials[]): Wealth {
  const gains = new Float64Array(SLOPES.length);
  for (const { candidateTrials, candidateEvents, baselineTrials, baselineEvents } of strata) {
    const events = candidateEvents + baselineEvents;
    // Nothing could have come out otherwise: no event, nothing but events, or one side alone.
    if (events === 0 || events === candidateTrials + baselineTrials) continue;
    if (candidateTrials === 0 || baselineTrials === 0) continue;
    const moments = logMoments(events, candidateTrials, baselineTrials, SLOPES);
    for (const [i, slope] of SLOPES.entries()) {
      gains[i] = (gains[i] as number) + candidateEvents * slope - (moments[i] as number);
    }
  }
  return afterRound(odds, (channel, gambler) =>
    Math.min(gains[channel * ODDS.length + gambler] as number, MOST_FROM_A_SECOND),
  );
}

/**
 * Log return of a bet against "candidate rate ≥ baseline rate + δ" with stake u: each candidate event costs
 * the share u, each baseline event pays. With p ≥ q + δ for the rates, (1 − u·p) ≤ (1 − uδ)(1 − u′q), u′ =
 * u/(1 − uδ), and the product over n candidate and m baseline requests of (1 − u·p)ⁿ(1 + u′q·n/m)ᵐ is at most
 * (1 − uδ)ⁿ: dividing by it gives an expectation of at most 1.
 */
function gainAgainstDifference(stratum: Trials, stake: number, difference: number): number {
  const { candidateTrials: n, candidateEvents, baselineTrials: m, baselineEvents } = stratum;
  const left = 1 - stake * difference;
  const payoff = baselineEvents === 0 ? 0 : baselineEvents * Math.log1p(((stake / left) * n) / m);
  const cost = candidateEvents === 0 ? 0 : candidateEvents * Math.log1p(-stake);
  return payoff + cost - n * Math.log(left);
}

/** Log return of a bet against "candidate rate ≥ r · baseline rate": (1 − u·r·q)ⁿ(1 + u·r·q·n/m)ᵐ ≤ 1. */
function gainAgainstRatio(stratum: Trials, stake: number, ratio: number): number {
  const { candidateTrials: n, candidateEvents, baselineTrials: m, baselineEvents } = stratum;
  const payoff = baselineEvents === 0 ? 0 : baselineEvents * Math.log1p((stake * ratio * n) / m);
  return payoff + (candidateEvents === 0 ? 0 : candidateEvents * Math.log1p(-stake));
}

function addTrials(a: Trials, b: Trials): Trials {
  return {
    candidateTrials: a.candidateTrials + b.candidateTrials,
    candidateEvents: a.candidateEvents + b.candidateEvents,
    baselineTrials: a.baselineTrials + b.baselineTrials,
    baselineEvents: a.baselineEvents + b.baselineEvents,
  };
}

function swap(trials: Trials): Trials {
  return {
    candidateTrials: trials.baselineTrials,
    candidateEvents: trials.baselineEvents,
    baselineTrials: trials.candidateTrials,
    baselineEvents: trials.candidateEvents,
  };
}
