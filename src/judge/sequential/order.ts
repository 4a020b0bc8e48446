/**
 * Stochastic order over the whole distribution: are the candidate's values, but for what is tolerated,
 * nowhere higher than the baseline's?
 *
 * Three quantiles miss what happens between them, e.g. a second mode in 3 % of the baseline's answers that
 * takes 6 % of the candidate's. Here the past chooses where to look: at the value at which the shares above
 * it (the candidate's raised by the tolerance) differed most so far. In the next block their difference is
 * symmetric about 0, or below, if the candidate is no slower there, wherever "there" is: the choice was made
 * before. So these are symmetric bets (symmetric.ts) like those on a quantile, with the same time-uniform
 * error.
 */
import { raisedBy } from './ratio-claims.ts';
import { type DenseCounts, nearestSlot, type SparseCounts, shareFrom, slotEdge } from './slots.ts';
import { betOn, noSymmetricBets, type SymmetricBets } from './symmetric.ts';
import { peakEvidence } from './wealth.ts';

/** Standard errors by which the shares must have differed before anything is bet. */
const SEEN = 1;

/** How much higher does not matter: a ratio, and at least so many of the unit. */
export interface OrderTolerance {
  readonly tolerance: number;
  readonly absolute: number;
}

/** Where the sides differ most: slots from which on a value is above it. */
interface Place {
  readonly baseline: number;
  readonly candidate: number;
}

interface Counts<T> {
  readonly baseline: T;
  readonly candidate: T;
}

export const noOrderBets = (): SymmetricBets => noSymmetricBets(1);

/** Largest log evidence ever that the candidate's values are somewhere higher than tolerated. */
export const orderEvidence = ({ wealth }: SymmetricBets) => peakEvidence(wealth, 0);

/** The bets after blocks (parts of one) that came after what was `seen`. */
export function betOnOrder(
  bets: SymmetricBets,
  seen: Counts<DenseCounts>,
  blocks: readonly Counts<SparseCounts>[],
  tolerance: OrderTolerance,
): SymmetricBets {
  const place = furthestApart(seen, tolerance);
  if (place === null) return bets;
  return betOn(
    bets,
    ...blocks.map(({ baseline, candidate }) =>
      Float64Array.of(shareFrom(candidate, place.candidate) - shareFrom(baseline, place.baseline)),
    ),
  );
}

/** Where the candidate's share above lies highest over the baseline's, in standard errors; null: nowhere. */
export function furthestApart(
  { baseline, candidate }: Counts<DenseCounts>,
  tolerance: OrderTolerance,
): Place | null {
  if (baseline.total === 0 || candidate.total === 0) return null;
  const tail = tailCounts(candidate);
  let above = baseline.total;
  let best = SEEN;
  let place: Place | null = null;
  for (let slot = 0; slot < baseline.counts.length; slot++) {
    const count = baseline.counts[slot] as number;
    above -= count;
    // The upper edges of slots that hold something: between two of them the baseline's share does not change.
    if (count === 0) continue;
    const raised = nearestSlot(raisedBy(slotEdge(slot), tolerance.tolerance, tolerance)) + 1;
    const beyond = tail[Math.min(raised, tail.length - 1)] as number;
    const score = standardErrors(Math.max(0, above), baseline.total, beyond, candidate.total);
    if (score <= best) continue;
    best = score;
    place = { baseline: slot + 1, candidate: raised };
  }
  return place;
}

/** By slot: values in it or above. */
function tailCounts({ counts }: DenseCounts): Float64Array {
  const tail = new Float64Array(counts.length + 1);
  for (let slot = counts.length - 1; slot >= 0; slot--)
    tail[slot] = (tail[slot + 1] as number) + (counts[slot] as number);
  return tail;
}

/** Difference of two shares in units of its standard error were they the same. */
function standardErrors(a: number, of: number, b: number, ofB: number): number {
  const share = (a + b) / (of + ofB);
  const variance = share * (1 - share) * (1 / of + 1 / ofB);
  return variance > 0 ? (b / ofB - a / of) / Math.sqrt(variance) : 0;
}
