/** Where lines come from: the journal of a host, or its request log. */
import type { Colour } from '../../contract/places.ts';
import type { Connection } from '../../ssh/connection.ts';
import type { Level } from '../level.ts';
import type { LogLine } from '../line.ts';
import type { StatusRange } from '../request.ts';
import type { Wanted } from '../wanted.ts';

/** What is asked for, of every host. */
export interface LogQuestion {
  /** Absent: everything that the host logs. */
  readonly app?: string | undefined;
  /** One unit, of the whole journal alone. */
  readonly unit?: string | undefined;
  readonly level?: Level | undefined;
  readonly release?: string | undefined;
  readonly colour?: Colour | undefined;
  /** ms since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** As a regular expression. */
  readonly grep?: string | undefined;
  readonly statuses?: readonly StatusRange[] | undefined;
}

/** What a source works with. */
export interface Reading {
  readonly connection: Connection;
  readonly question: LogQuestion;
  readonly wanted: Wanted;
  /** What hides secrets in the lines of a source. @throws Failure where the host cannot say them */
  readonly hiding: () => Promise<(source: string) => (text: string) => string>;
  readonly signal: AbortSignal;
}

export type Hide = Awaited<ReturnType<Reading['hiding']>>;

/**
 * What hides secrets is asked for at once, and waited for when the first line is there: one wait instead of
 * two.
 */
export function hidingMeanwhile({ hiding }: Pick<Reading, 'hiding'>): () => Promise<Hide> {
  const asked = hiding();
  // Where no line comes, the reading itself says why.
  asked.catch(() => {});
  return () => asked;
}

/**
 * One log of one host. It knows how far it was read: what `follow` gives comes after what `newest` or
 * `oldest` gave. All three throw the Failure of the connection, and the signal's reason.
 */
export interface LogSource {
  readonly host: string;
  /** The latest first. @param count how many are needed at most */
  newest(count: number): AsyncGenerator<LogLine>;
  /** All since the question's beginning, in order. */
  oldest(): AsyncGenerator<LogLine>;
  /** From there on, until the signal. @param onBegun called once the host is being read */
  follow(signal: AbortSignal, onBegun: () => void): AsyncGenerator<LogLine>;
}

/** Seconds since 1970 with six decimals, as journalctl takes them after `@`; empty: none. */
export function seconds(ms: number | undefined): string {
  return ms === undefined ? '' : (ms / 1000).toFixed(6);
}
