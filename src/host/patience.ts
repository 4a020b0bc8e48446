/** How long a host may take, by how long it took before: what is slow once is slow again. Pure. */

/** Seconds that the confirmation of new firewall rules may take on any host. */
const CONFIRM_LEAST = 20;
/** Nobody waits longer for a host that may be locked. */
const CONFIRM_MOST = 180;
/** A second connection and the confirmation, against the first connection and a look at the host. */
const TIMES = 5;

/**
 * Seconds until a host takes new firewall rules back. `tookMs`: what its first connection and the first look
 * at it took.
 */
export function confirmWithin(tookMs: number): number {
  return Math.min(CONFIRM_MOST, Math.max(CONFIRM_LEAST, Math.ceil((tookMs / 1000) * TIMES)));
}

/**
 * Milliseconds for each of two tries of a second connection, so that the confirmation still comes in time.
 */
export function tryLimit(confirmSeconds: number): number {
  return confirmSeconds * 400;
}
