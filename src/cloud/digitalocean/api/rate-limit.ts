/** How long the API asks to wait: pure. */

/** The longest wait that a limit of the API can need: its window is an hour. */
const LONGEST_MS = 3_600_000;
const SHORTEST_MS = 1_000;

/**
 * Milliseconds to wait after an answer 429: `retry-after` (seconds; burst limit) where it is given, else
 * until `ratelimit-reset` (Unix seconds; hourly limit), counted from the answer's own `date`, since this
 * machine's clock may be wrong.
 * @param localNow Unix milliseconds, used where the answer has no `date`
 */
export function rateLimitWait(headers: { get(name: string): string | null }, localNow: number): number {
  const date = Date.parse(headers.get('date') ?? '');
  const now = Number.isNaN(date) ? localNow : date;
  const after = headers.get('retry-after');
  const reset = headers.get('ratelimit-reset');
  const wait =
    after !== null ? retryAfter(after, now) : reset !== null ? Number(reset) * 1_000 - now : Number.NaN;
  if (!Number.isFinite(wait)) return SHORTEST_MS * 10;
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, wait));
}

/** Seconds, or a date (RFC 9110, section 10.2.3). */
function retryAfter(value: string, now: number): number {
  return /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - now;
}
