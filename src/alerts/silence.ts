/** Times in which nobody is told of something. Pure. */

/** Kept in Redis, by its subject. */
export interface Silence {
  /** A host, an application, a rule, or EVERYTHING. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  readonly why: string;
  /** `user@machine`. */
  readonly by: string;
}

/** The subject of a silence over all alerts. */
export const EVERYTHING = 'all';

/** The longest that nobody is told: what is silenced for good is a rule that is off. */
export const LONGEST_SILENCE_MS = 30 * 86_400_000;

/** Those that go on. */
export function current(silences: readonly Silence[], now: number): readonly Silence[] {
  return silences.filter(({ until }) => until > now);
}

/** Whether nobody is told of it now. */
export function isSilenced(
  silences: readonly Silence[],
  { subject, rule }: { readonly subject: string; readonly rule: string },
  now: number,
): boolean {
  return current(silences, now).some((one) => [EVERYTHING, subject, rule].includes(one.subject));
}
