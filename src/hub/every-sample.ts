/** When the page gets its points. */

/** Samples arrive within this after they were taken. */
const ARRIVAL_MS = 600;

/**
 * Once an interval, a second at least, just after the samples of all hosts have come: agents sample when the
 * clock shows a multiple of the interval. At any other phase a request would be on the page up to an interval
 * later.
 */
export function everySample(intervalSeconds: number, work: () => void): { stop(): void } {
  const ms = Math.max(1000, intervalSeconds * 1000);
  let timer: NodeJS.Timeout;
  const plan = () => {
    timer = setTimeout(
      () => {
        plan();
        work();
      },
      ms - ((Date.now() - ARRIVAL_MS) % ms),
    );
  };
  plan();
  return { stop: () => clearTimeout(timer) };
}
