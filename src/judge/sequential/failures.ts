/** Shares of failed requests. */
import type { PerSide } from '../types.ts';
import type { Trials } from './counts.ts';

/** Share of requests that failed on each side; null if one side had none. */
export function failureShares(totals: Trials): PerSide<number> | null {
  const { baselineTrials, baselineEvents, candidateTrials, candidateEvents } = totals;
  if (baselineTrials === 0 || candidateTrials === 0) return null;
  return { baseline: baselineEvents / baselineTrials, candidate: candidateEvents / candidateTrials };
}
