/**
 * What the hub asks an agent about logs, and what it answers. A question lies in a list of the host's own,
 * the answer for some seconds under a key that only this host may write.
 */
import { number, object, oneOf, optional, type Read, text } from './shape.ts';

/** List of questions (JSON `LogsAsked`) to the agent of a host. */
export const questionsKey = (host: string): string => `ask:${host}`;
/** Where the agent puts its answer (JSON `LogsAnswered`). */
export const answerKey = (host: string, id: string): string => `answer:${host}:${id}`;
/** How long an answer waits to be taken. */
export const ANSWER_SECONDS = 30;
/** A question that nobody took by then is forgotten. */
export const QUESTION_SECONDS = 15;

/** The most that an agent answers with: lines, characters, and milliseconds spent on it. */
const MOST_LINES = 2_000;
export const MOST_CHARACTERS = 700_000;
export const MOST_MS = 8_000;

const logsAsked = object({
  id: text({ pattern: /^[\w-]{8,64}$/, what: 'letters and digits' }),
  /** Absent: what the host's declared units log. */
  app: optional(text({ pattern: /^[A-Za-z][A-Za-z0-9._-]{0,40}$/, what: 'the name of an application' })),
  /** ms since 1970. */
  from: number(0, 1e14),
  to: number(0, 1e14),
  /** What a line must contain, capitals or not. */
  text: optional(text({ pattern: /^.{1,200}$/, what: 'at most 200 characters' })),
  level: optional(oneOf('critical', 'error', 'warning', 'info', 'debug')),
  release: optional(text({ pattern: /^[\w.-]{1,100}$/, what: 'the name of a release' })),
  /** Also the requests that nginx answered. */
  requests: oneOf('yes', 'no'),
  lines: number(1, MOST_LINES),
});
export type LogsAsked = Read<typeof logsAsked>;

/** Checks a question. @param report gets every mistake */
export function readLogsAsked(document: unknown, report: (problem: string) => void): LogsAsked {
  return logsAsked(document, '', report);
}

/** A line, as `src/logs/line.ts` makes it, without its host. */
export interface AnsweredLine {
  readonly at: number;
  readonly source: string;
  readonly isRequest: boolean;
  readonly level: 'critical' | 'error' | 'warning' | 'info' | 'debug';
  readonly release: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly isCut: boolean;
}

export interface LogsAnswered {
  /** The latest that were found, oldest first. */
  readonly lines: readonly AnsweredLine[];
  /** Why there may be older ones: there were too many, they were too long, or it took too long. */
  readonly more: '' | 'lines' | 'size' | 'time';
  /** Why nothing was read; empty: it was. */
  readonly trouble: string;
}
