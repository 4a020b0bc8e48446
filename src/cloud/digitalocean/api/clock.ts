/** Time and chance, handed in so that tests can scale and repeat them. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds that only ever grow; the wall clock of this machine may be wrong or jump. */
  now(): number;
  /** @throws `signal.reason` where it is aborted meanwhile. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
}

export function systemClock(): Clock {
  return { now: () => performance.now(), sleep: pause, random: Math.random };
}

/** Milliseconds on this machine's clock; ends early, with the signal's own reason, where it is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** A clock that runs `factor` times faster than the machine's: for tests and benchmarks. */
export function fastClock(factor: number, random: () => number = Math.random): Clock {
  return {
    now: () => performance.now() * factor,
    sleep: (ms, signal) => pause(ms / factor, signal),
    random,
  };
}
