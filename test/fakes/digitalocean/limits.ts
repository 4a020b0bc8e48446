/**
 * The API's limits: 5000 calls an hour, 250 a minute, and 10 lists of keys in 60 seconds. Every call counts
 * for one whole window.
 */

export interface RateLimits {
  hourly: number;
  perMinute: number;
  keyLists: number;
}

export const API_LIMITS: RateLimits = { hourly: 5_000, perMinute: 250, keyLists: 10 };

export interface Verdict {
  readonly allowed: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * Decides about one call after another; a call that is turned down does not count. Milliseconds since 1970.
 */
export function createLimiter(limits: RateLimits): (now: number, isKeyList: boolean) => Verdict {
  let calls: number[] = [];
  let keyLists: number[] = [];
  return (now, isKeyList) => {
    calls = calls.filter((at) => at > now - HOUR);
    keyLists = keyLists.filter((at) => at > now - MINUTE);
    const lastMinute = calls.filter((at) => at > now - MINUTE);
    const burst = lastMinute.length >= limits.perMinute ? lastMinute[0] : undefined;
    const keys = isKeyList && keyLists.length >= limits.keyLists ? keyLists[0] : undefined;
    const hourly = calls.length >= limits.hourly;
    const oldest = calls[0] ?? now;
    const waitFor = burst ?? keys;
    const allowed = waitFor === undefined && !hourly;
    if (allowed) {
      calls.push(now);
      if (isKeyList) keyLists.push(now);
    }
    const remaining = allowed ? limits.hourly - calls.length : 0;
    return {
      allowed,
      headers: {
        'ratelimit-limit': String(limits.hourly),
        'ratelimit-remaining': String(remaining),
        'ratelimit-reset': String(Math.ceil((oldest + HOUR) / 1_000)),
        ...(waitFor === undefined
          ? {}
          : { 'retry-after': String(Math.max(1, Math.ceil((waitFor + MINUTE - now) / 1_000))) }),
      },
    };
  };
}
