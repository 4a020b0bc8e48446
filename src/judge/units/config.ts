/** Defaults of the judge of units, and the margins of steps. */
import type { UnitConfig, UnitMargins } from './types.ts';

/** Final margins: what is excluded before the candidate gets everybody. */
const FINAL_MARGINS: UnitMargins = { errors: 0.01, latency: 0.2 };
/** No step is taken while so much harm is possible. */
const WIDEST: UnitMargins = { errors: 0.2, latency: 1 };

/**
 * What must be excluded before a step that lets in `next` percent: the harm to everybody together stays about
 * the same, so few visitors allow wide margins.
 */
export function marginsBefore(next: number, final: UnitMargins = FINAL_MARGINS): UnitMargins {
  const share = next / 100;
  return {
    errors: Math.max(final.errors, Math.min(WIDEST.errors, final.errors / share)),
    latency: Math.max(final.latency, Math.min(WIDEST.latency, final.latency / Math.sqrt(share))),
  };
}

/**
 * What it is to wait grossly long: `times` a quantile of the baseline's answers, and `more` ms. Sites whose
 * answers are alike are seen by the first one, those of fast files and slow pages by the second one.
 */
export const SLOW_LIMITS = [
  { quantile: 0.5, times: 3, more: 10 },
  { quantile: 0.9, times: 3, more: 10 },
] as const;

/** Number of these rules; a status says by which ones it was judged, and nothing: by the first ones. */
export const UNIT_RULES = 2;

/** The first rules did not count who waits grossly long, and threw units away. */
export const FIRST_RULES: Pick<UnitConfig, 'weights' | 'parts'> = {
  weights: { errors: 0.45, refused: 0.05, returning: 0.15, missing: 0.05, slow: 0 },
  parts: 1,
};

export const defaultUnitConfig: Omit<UnitConfig, 'margins'> = {
  alpha: 0.01,
  promoteAlpha: 0.05,
  tolerated: 0.1,
  toleratedMs: 1,
  resolutionMs: 1,
  brokenShare: 0.5,
  parts: 10,
  weights: { errors: 0.4, refused: 0.05, returning: 0.1, missing: 0.05, slow: 0.1 },
  quantiles: [
    { quantile: 0.5, weight: 0.1, askedWithin: 1 },
    // At the first steps it would take sixty visitors to show it.
    { quantile: 0.9, weight: 0.1, askedWithin: 0.3 },
    { quantile: 0.99, weight: 0.1, askedWithin: 0 },
  ],
};
