/** Waiting for the cloud: again and again with a pause, within a time. */
import { ApiError } from './api-error.ts';
import type { Clock } from './clock.ts';

export interface Waiting {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  readonly withinMs: number;
}

/** The first value of `look` that is not undefined; undefined where there is none in time. */
export async function until<T>(waiting: Waiting, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const { clock, signal } = waiting;
  const deadline = clock.now() + waiting.withinMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (clock.now() >= deadline) return undefined;
    await clock.sleep(waiting.everyMs * (0.9 + clock.random() / 5), signal);
  }
}

/** Milliseconds for the event that is under way on a droplet: its creation, a power action. */
const EVENT_MS = 5 * 60_000;

/**
 * Acts on a droplet as soon as nothing else is under way on it: the API answers 422 until then.
 * @throws ApiError the last refusal
 */
export async function whenIdle(clock: Clock, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  let refused: ApiError | undefined;
  const done = await until({ clock, signal, everyMs: 3_000, withinMs: EVENT_MS }, async () => {
    try {
      await act();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== 'busy') throw error;
      refused = error;
      return undefined;
    }
  });
  if (done === undefined && refused !== undefined) throw refused;
}

/** How long something that was just made may be unknown to other calls. */
const KNOWN_MS = 30_000;

/**
 * Calls something that refers to a thing which was made a moment ago, again where the API says that it does
 * not know it yet. Refusals have no effect, so this is safe for every call.
 * @throws ApiError the last refusal
 */
export async function onceKnown<T>(clock: Clock, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  const deadline = clock.now() + KNOWN_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const unknown = error instanceof ApiError && error.reason === 'unknown-thing';
      if (!unknown || clock.now() > deadline) throw error;
      await clock.sleep(2_000, signal);
    }
  }
}

/**
 * What all of them give; waits for the others where one fails, so that nothing goes on behind the back of a
 * failure.
 * @throws the first failure in the order of `tasks`
 */
export async function together<T extends readonly unknown[]>(
  tasks: readonly [...{ [K in keyof T]: T[K] | Promise<T[K]> }],
): Promise<T> {
  const results = await Promise.allSettled(tasks);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

/** `work` on every item, `width` of them at a time; ends when all have ended. */
export async function eachOf<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index] as T;
      const [result] = await Promise.allSettled([work(item)]);
      results[index] = result;
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
