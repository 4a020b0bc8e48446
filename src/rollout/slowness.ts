/**
 * Who waits grossly long, again and again. A process that stands still for a moment makes many visitors wait
 * at once, though its version is no worse; so a visitor counts only once two of his answers were slow whose
 * requests lie further apart than such a moment lasts. Then he is evidence as a failure is (labels.ts).
 */
import { bucketOf } from '../judge/histogram.ts';
import { SLOW_LIMITS } from '../judge/units/config.ts';
import { quantileOf } from '../judge/units/state.ts';

/** Seconds between two slow requests of a visitor who counts: longer than a process stands still. */
const APART = 4;
/**
 * A process that has just begun may be five times as slow. What it takes longer shrinks to a third with each
 * fifty answers.
 */
const COLD = 4;
const WARMING_ANSWERS = 50;
/** Answers of the candidate before anybody is looked at. */
const FIRST_ANSWERS = 20;
/** Answers of the baseline beyond a quantile that must have been seen before it counts as known. */
const KNOWN_BEYOND = 3;

/** A visitor's first slow answer for each limit: seconds; `counted`: a later one followed. */
export type SlowSince = (number | 'counted' | undefined)[];

export class Slowness {
  readonly #usual: Record<string, number> = {};
  #limits: readonly (number | null)[] = SLOW_LIMITS.map(() => null);
  #stale = true;

  /** An answer of the baseline, in ms. */
  learn(ms: number): void {
    const bucket = String(bucketOf(Math.max(0.1, ms)));
    this.#usual[bucket] = (this.#usual[bucket] ?? 0) + 1;
    this.#stale = true;
  }

  /** From here on, what was learned so far counts: never an answer that is compared with it. */
  update(): void {
    if (!this.#stale) return;
    this.#stale = false;
    this.#limits = SLOW_LIMITS.map(({ quantile, times, more }) => {
      const usual = quantileOf(this.#usual, quantile, KNOWN_BEYOND);
      return usual === null ? null : Math.max(times * usual, usual + more);
    });
  }

  /**
   * @param since changed by it. @param began of the request, seconds. @param tolerated share by which an
   * answer may be slower.
   * @returns indexes of the limits by which this answer makes its visitor count.
   */
  take(since: SlowSince, ms: number, began: number, tolerated: number): readonly number[] {
    return this.#limits.flatMap((limit, index) => {
      const first = since[index];
      if (limit === null || ms <= limit * (1 + tolerated) || first === 'counted') return [];
      if (first === undefined || began < first) since[index] = began;
      else if (began >= first + APART) {
        since[index] = 'counted';
        return [index];
      }
      return [];
    });
  }
}

/** How many times as slow as later the candidate may be after so many answers; null: nothing is said yet. */
export function coldness(answers: number): number | null {
  return answers < FIRST_ANSWERS ? null : 1 + COLD * Math.exp(-answers / WARMING_ANSWERS);
}
