/** Troubles that somebody has taken: people are not told again while they last. Pure. */
import type { AlertState } from './types.ts';

/** Kept in Redis, by the trouble's key. */
export interface Taken {
  readonly key: string;
  /** When the trouble was first found: another of the same key is another trouble. */
  readonly since: number;
  /** Who takes care of it. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Who has taken it; undefined: nobody. */
export function takenBy(
  taken: readonly Taken[],
  { key, since }: Pick<AlertState, 'key' | 'since'>,
): Taken | undefined {
  return taken.find((one) => one.key === key && one.since === since);
}
