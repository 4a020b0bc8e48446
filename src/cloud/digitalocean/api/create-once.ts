/**
 * How a thing is made exactly once through an API without idempotency keys: look before a creation is
 * repeated.
 */
import { ApiError, isStatus } from './api-error.ts';
import type { Clock } from './clock.ts';

export interface CreateOnce<T> {
  readonly create: () => Promise<T>;
  /** Finds what `create` makes, whoever made it; undefined where it does not exist (yet). */
  readonly look: () => Promise<T | undefined>;
  /** Answers that can also mean that it exists already. Default 409 and 422. */
  readonly existsStatus?: readonly number[] | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Pauses between looks after a creation whose answer was lost: the thing may appear late. Milliseconds;
 * about 11 s in all.
 */
const LOOKS = [0, 500, 1_500, 3_000, 6_000] as const;
const ATTEMPTS = 3;

/**
 * Makes a thing, or finds it where an earlier attempt (of this run or another) made it and its answer was
 * lost.
 * @throws ApiError where the API refuses it, or where it neither answers nor has made it after three
 * attempts.
 */
export async function createOnce<T>(options: CreateOnce<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await options.create();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const exists = isStatus(error, ...(options.existsStatus ?? [409, 422]));
      if (error.effect === 'none' && !exists) throw error;
      const found = await lookLater(options, exists ? LOOKS.slice(0, 3) : LOOKS);
      if (found !== undefined) return found;
      if (exists || attempt >= ATTEMPTS) throw error;
    }
  }
}

async function lookLater<T>(options: CreateOnce<T>, pauses: readonly number[]): Promise<T | undefined> {
  for (const pause of pauses) {
    if (pause > 0) await options.clock.sleep(pause, options.signal);
    const found = await options.look();
    if (found !== undefined) return found;
  }
  return undefined;
}
