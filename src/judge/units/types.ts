/**
 * What the judge of units takes and returns. A unit is what is dealt to a side: a visitor, a client, an
 * address, or a single request. Everything is plain JSON: a report holds the events, and the verdict is
 * computed again from them, to the digit.
 *
 * A *deal* is a unit whose side was drawn by a chance that is known and that nothing before depends on: a
 * unit that is seen for the first time, or one of the baseline after the candidate's share has grown. A unit
 * counts once for each deal; one that is known to have the candidate is dealt no more.
 */
import type { PerSide } from '../types.ts';

/** Deals with the same chance of the candidate, and what befell them within one second. */
export interface DealCounts {
  /** Chance of the candidate, above 0 and below 1. */
  readonly chance: number;
  /** Deals that failed (5xx or no answer) for the first time. */
  readonly failed: PerSide<number>;
  /** Deals that were refused (4xx) for the first time. */
  readonly refused: PerSide<number>;
  /** Deals whose episode ended without a second request. */
  readonly alone: PerSide<number>;
  /** Deals whose episode ended with more than one request. */
  readonly returned: PerSide<number>;
  /** Deals that waited grossly long again and again, by limit (`SLOW_LIMITS`); absent in older reports. */
  readonly slow?: readonly PerSide<number>[];
}

export interface UnitSecond {
  readonly kind: 'second';
  /** Seconds since the rollout began. */
  readonly at: number;
  readonly deals: readonly DealCounts[];
}

/** A deal's episode. */
export interface UnitValue {
  readonly requests: number;
  readonly failed: number;
  /** Milliseconds of answers below 500, the first ones of the episode. */
  readonly ms: readonly number[];
}

/** Episodes that began in the same stretch of time, by the chance of their deal; both sides of each. */
export interface UnitStratum {
  readonly chance: number;
  /** How many deals were answered in time; of many, the values of some follow. */
  readonly dealt: PerSide<number>;
  readonly baseline: readonly UnitValue[];
  readonly candidate: readonly UnitValue[];
}

export interface UnitBlock {
  readonly kind: 'block';
  readonly at: number;
  /** The candidate is warm: latency counts. */
  readonly warm: boolean;
  readonly strata: readonly UnitStratum[];
}

export type UnitEvent = UnitSecond | UnitBlock;

/** What must be excluded before a step is taken. */
export interface UnitMargins {
  /** Share of a unit's requests that fail, candidate − baseline. */
  readonly errors: number;
  /**
   * Latency, as a ratio: at 0.25, the candidate is not 25 % slower; beyond the median, not half as many again
   * (twice the margin) of its answers are slower than the baseline's quantile.
   */
  readonly latency: number;
}

/** Metrics that are bets on which side something happened. */
export type LabelMetric = 'errors' | 'refused' | 'returning' | 'missing' | 'slow';

/** A quantile of latency. */
export interface UnitQuantile {
  readonly quantile: number;
  readonly weight: number;
  /** It stands in the way of steps whose margin of latency is at most so wide; 0: of none. */
  readonly askedWithin: number;
}

export interface UnitConfig {
  /** Probability of taking back a candidate that is no worse, over all metrics and the whole rollout. */
  readonly alpha: number;
  /** Probability of taking a step though the candidate is worse by its margin. */
  readonly promoteAlpha: number;
  /** Latency: what does not matter, as a ratio, and at least so many ms. */
  readonly tolerated: number;
  readonly toleratedMs: number;
  /** What the clock of latencies counts in, ms. */
  readonly resolutionMs: number;
  /** Where both sides fail at least this share of requests, both are broken, and no step is taken. */
  readonly brokenShare: number;
  /** Shares of α; with those of `quantiles` they sum to 1. */
  readonly weights: Readonly<Record<LabelMetric, number>>;
  readonly quantiles: readonly UnitQuantile[];
  /** Of a side that has more units, so many parts are compared with the other one; absent: one. */
  readonly parts?: number | undefined;
  /** For each step but the last: what is excluded before it gives way to the next one. */
  readonly margins: readonly UnitMargins[];
}

/** The evidence of harm in one metric. */
export interface Harm {
  readonly metric: string;
  /** Natural logarithm of the largest e-value so far, times the metric's share of α. */
  readonly evidence: number;
}

/** What stands in the way of a step. */
export interface Missing {
  readonly metric: string;
  /** Logarithm of the e-value, and what it must reach. */
  readonly evidence: number;
  readonly threshold: number;
  /** Units of the candidate that are probably still missing; null: unknown. */
  readonly units: number | null;
}
