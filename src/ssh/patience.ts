/** How long a host may take, by how long its first connection took: what is slow once is slow again. Pure. */

/** How long a host may take, in seconds. */
export interface Patience {
  /** For reaching it and hearing its greeting. */
  readonly connectTimeoutSeconds: number;
  /** For signing in, after the greeting: PAM and name services can be slow. */
  readonly signInSeconds: number;
  /** Silence after which the connection counts as lost; long enough for a small host that swaps. */
  readonly silenceSeconds: number;
}

const USUAL: Patience = { connectTimeoutSeconds: 10, signInSeconds: 20, silenceSeconds: 30 };

/** Milliseconds in which a host signs us in, also one on another continent. */
const USUAL_OPENING_MS = 1_000;
/** Nobody waits longer than so many times the usual. */
const SLOWEST = 8;

/**
 * How many times slower than usual a host is, from 1 to 8; `openedMs`: its slowest opening, if there was one.
 */
export function slowness(openedMs: number | undefined): number {
  return Math.min(SLOWEST, Math.max(1, (openedMs ?? 0) / USUAL_OPENING_MS));
}

/** A host's patience. `wanted`: what the caller says instead of the usual, which then stays. */
export function patienceWith(openedMs: number | undefined, wanted: Partial<Patience> = {}): Patience {
  const times = slowness(openedMs);
  const scaled = (seconds: number) => Math.ceil(seconds * times);
  return {
    connectTimeoutSeconds: wanted.connectTimeoutSeconds ?? scaled(USUAL.connectTimeoutSeconds),
    signInSeconds: wanted.signInSeconds ?? scaled(USUAL.signInSeconds),
    silenceSeconds: wanted.silenceSeconds ?? scaled(USUAL.silenceSeconds),
  };
}

/** For a host that took the connection and said nothing in the usual time. */
export const LONGEST_OPENING_MS = SLOWEST * USUAL_OPENING_MS;
