/** What happened between two readings of a counter that only grows. */

/**
 * What a counter grew by. If it is lower than before, it began again at zero (a restart, another interface),
 * and all of it is new. Undefined without a reading before, so that the first never looks like a burst.
 */
export function increase(before: number | undefined, now: number | undefined): number | undefined {
  if (before === undefined || now === undefined) return undefined;
  return now >= before ? now - before : now;
}

/** Growth per second; null if unknown. */
export function perSecond(
  before: number | undefined,
  now: number | undefined,
  seconds: number,
): number | null {
  const grown = increase(before, now);
  return grown === undefined || !(seconds > 0) ? null : grown / seconds;
}

/** The part's share of the growth: `share(10, 40)` is 0.25; null if nothing grew. */
export function share(part: number | undefined, whole: number | undefined): number | null {
  return part === undefined || whole === undefined || whole <= 0 ? null : Math.min(1, part / whole);
}
