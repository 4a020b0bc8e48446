/** Defaults of the judge of units, and the margins of steps. */
import type { UnitConfig, UnitMargins } from './types.ts';

/** Final margins: what is excluded before the candidate gets everybody. */
const FINAL_MARGINS: UnitMargins = { errors: 0.01, latency: 0.25 };
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

export const defaultUnitConfig: Omit<UnitConfig, 'margins'> = {
  alpha: 0.01,
  promoteAlpha: 0.05,
  tolerated: 0.1,
  toleratedMs: 1,
  resolutionMs: 1,
  brokenShare: 0.5,
  weights: { errors: 0.45, refused: 0.05, returning: 0.15, missing: 0.05 },
  quantiles: [
    { quantile: 0.5, weight: 0.1, askedWithin: 1 },
    // Sixty visitors would have to show it before the first step already.
    { quantile: 0.9, weight: 0.1, askedWithin: 0.4 },
    { quantile: 0.99, weight: 0.1, askedWithin: 0 },
  ],
};
