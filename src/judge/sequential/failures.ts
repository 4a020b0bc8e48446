/** Shares of failed requests. */
import type { PerVariant } from '../types.ts';
import type { Trials } from './counts.ts';

/** Share of requests that failed on each variant; null where one of them had no request. */
export function failureShares(totals: Trials): PerVariant<number> | null {
  const { baselineTrials, baselineEvents, candidateTrials, candidateEvents } = totals;
  if (baselineTrials === 0 || candidateTrials === 0) return null;
  return { baseline: baselineEvents / baselineTrials, candidate: candidateEvents / candidateTrials };
}
