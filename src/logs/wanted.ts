/** Which lines are asked for. Pure. */
import type { Colour } from '../contract/places.ts';
import { isAtLeast, type Level } from './level.ts';
import type { LogLine } from './line.ts';
import { colourOfSource } from './placed.ts';
import type { StatusRange } from './request.ts';

export interface Wanted {
  /** That bad, or worse. */
  readonly level?: Level | undefined;
  /** The name, or its end: the short commit. */
  readonly release?: string | undefined;
  readonly colour?: Colour | undefined;
  /** ms since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Of requests alone. */
  readonly grep?: Pick<RegExp, 'test'> | undefined;
  readonly statuses?: readonly StatusRange[] | undefined;
}

/** Whether a line is what was asked for. Lines of the journal were searched where they are. */
export function isWanted(line: LogLine, wanted: Wanted): boolean {
  const { level, release, colour, since, until, grep, statuses } = wanted;
  if (level !== undefined && !isAtLeast(line.level, level)) return false;
  if (release !== undefined && !isRelease(line.release, release)) return false;
  if (colour !== undefined && (line.fields.colour ?? colourOfSource(line.source)) !== colour) return false;
  if (since !== undefined && line.at < since) return false;
  if (until !== undefined && line.at > until) return false;
  if (!line.isRequest) return true;
  return (grep?.test(line.message) ?? true) && (statuses === undefined || hasStatus(line, statuses));
}

/** Releases are named by their full name, their time, or the commit at their end. */
function isRelease(release: string, asked: string): boolean {
  return release !== '' && (release === asked || release.endsWith(`-${asked.slice(0, 7)}`));
}

const STATUS = / (\d{3})(?: \d+ ms)?$/;

function hasStatus({ message }: LogLine, statuses: readonly StatusRange[]): boolean {
  const status = Number(STATUS.exec(message)?.[1]);
  return statuses.some(({ from, to }) => status >= from && status <= to);
}

/** As journalctl searches: a pattern without capitals finds both. @throws SyntaxError */
export function searching(pattern: string): RegExp {
  return new RegExp(pattern, /\p{Lu}/u.test(pattern) ? '' : 'i');
}
