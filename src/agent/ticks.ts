/** When to look. */

/** A timer may fire slightly early; the rest of the interval must not count as another one. */
const EARLY = 0.02;

/** The next whole multiple of the interval: since 1970, all hosts look at the same moments. Both in seconds. */
export function nextTick(now: number, intervalSeconds: number): number {
  return (Math.floor(now / intervalSeconds + EARLY) + 1) * intervalSeconds;
}

/** Waits until a moment, seconds since 1970, or until the signal comes. */
export function sleepUntil(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.max(0, Math.ceil(seconds * 1000 - Date.now())));
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
