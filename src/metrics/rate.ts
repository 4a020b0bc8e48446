/** From counters that only grow to what happened in between. */

/**
 * What a counter grew by. A counter that is lower than before began again at zero (restart, interface
 * replaced): then all of it is new. Undefined where there is nothing to compare with, so that a first look
 * never shows as a burst.
 */
export function increase(before: number | undefined, now: number | undefined): number | undefined {
  if (before === undefined || now === undefined) return undefined;
  return now >= before ? now - before : now;
}

/** Growth per second; null where it is unknown. */
export function perSecond(
  before: number | undefined,
  now: number | undefined,
  seconds: number,
): number | null {
  const grown = increase(before, now);
  return grown === undefined || !(seconds > 0) ? null : grown / seconds;
}

/** What part of the whole grew: `share(10, 40)` is 0.25; null where nothing grew at all. */
export function share(part: number | undefined, whole: number | undefined): number | null {
  return part === undefined || whole === undefined || whole <= 0 ? null : Math.min(1, part / whole);
}
