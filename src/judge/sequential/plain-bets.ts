/**
 * Bets on a slowdown so plain that each answer counts, and not just each second.
 *
 * Symmetric bets (symmetric.ts) take a second as one event, and at most double their wealth with it, so they
 * need a dozen seconds however slow the candidate is. Here the answers beyond a quantile are dealt to the
 * sides as errors are (counts.ts): given how many there are in all, chance alone decides how many are the
 * candidate's. That takes answers within a second as independent. Pauses break it, so three things keep them
 * from being an alarm: the bets are on odds that a pause of a part of a second does not reach; they are on
 * quantiles of many answers, where each ordinary second costs what a pause won; and a block gains no more
 * than `MOST_FROM_A_BLOCK`, so that a plain slowdown must last.
 */
import { logMoments } from './hypergeometric.ts';
import type { SparseCounts } from './slots.ts';
import { shareFrom } from './slots.ts';
import { afterRound, logEvidence, startingWealth, type Wealth } from './wealth.ts';

/** Odds ratios that are bet on. */
const ODDS = [4, 20];
const SLOPES = ODDS.map(Math.log);
/**
 * With 1.2, near saturation, 22 of 2,200 versions were rejected against themselves, instead of 7
 * (docs/measured.md).
 */
const MOST_FROM_A_BLOCK = 0.8;
/** Beyond higher quantiles are too few answers: pauses make most of them. */
const HIGHEST_QUANTILE = 0.9;
/** Share of the capital that these bets have; the symmetric ones have the rest. */
const CAPITAL = 0.4;

export interface PlainBets {
  readonly wealth: Wealth;
  /** Largest log evidence ever of both kinds of bets together. */
  readonly peak: number;
}

export const noPlainBets = (): PlainBets => ({ wealth: startingWealth(1, ODDS.length), peak: 0 });

export const isPlainQuantile = (quantile: number) => quantile <= HIGHEST_QUANTILE;

/** Answers of a side in a block, and the slot from which on they are beyond its threshold. */
interface Beyond {
  readonly counts: SparseCounts;
  readonly from: number;
}

/** The bets after a block; `symmetric`: log evidence of the symmetric bets after the same block. */
export function betOnPlain(
  bets: PlainBets,
  baseline: Beyond,
  candidate: Beyond,
  symmetric: number,
): PlainBets {
  // A clock's whole milliseconds are spread over slots: rounded against the claim.
  const baselineEvents = Math.ceil(beyond(baseline) - ROUNDING);
  const candidateEvents = Math.floor(beyond(candidate) + ROUNDING);
  const [n, m] = [Math.round(candidate.counts.total), Math.round(baseline.counts.total)];
  const moments = logMoments(baselineEvents + candidateEvents, n, m, SLOPES);
  const wealth = afterRound(bets.wealth, (_, gambler) =>
    Math.min(candidateEvents * (SLOPES[gambler] as number) - (moments[gambler] as number), MOST_FROM_A_BLOCK),
  );
  return { wealth, peak: Math.max(bets.peak, together(symmetric, logEvidence(wealth, 0))) };
}

const ROUNDING = 1e-6;

const beyond = ({ counts, from }: Beyond) => shareFrom(counts, from) * counts.total;

function together(symmetric: number, plain: number): number {
  const largest = Math.max(symmetric, plain);
  return (
    largest + Math.log((1 - CAPITAL) * Math.exp(symmetric - largest) + CAPITAL * Math.exp(plain - largest))
  );
}
