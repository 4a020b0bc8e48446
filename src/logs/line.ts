/** A line of a log as people and programs see it, whatever it was read from. Pure. */
import { harmless, shorten } from './harmless.ts';
import type { JournalEntry } from './journal.ts';
import { type Level, levelOfPriority, levelOfStatus, levelOfText } from './level.ts';
import type { LoggedRequest } from './request.ts';
import { parseStructured } from './structured.ts';

export interface LogLine {
  /** ms since 1970, to the microsecond. */
  readonly at: number;
  readonly host: string;
  /** Instance (`blue`, `green-2`), unit, or `nginx` for a request. */
  readonly source: string;
  readonly isRequest: boolean;
  readonly level: Level;
  /** Empty: not known. */
  readonly release: string;
  readonly message: string;
  /** Of a structured line, or of a request; empty for other lines. */
  readonly fields: Readonly<Record<string, string>>;
  /** It is longer than what is shown of it. */
  readonly isCut: boolean;
}

/** Characters of a message that are looked at before it is shortened: a secret must not be cut in two. */
const LOOKED_AT = 64_000;
/** A structured line's own time is shown beside the journal's where it differs by more. */
const LATE_MS = 2_000;

/** What is told of where a line stands. */
export interface Standing {
  readonly host: string;
  readonly source: string;
  readonly release: string;
}

/** @param hide hides secrets */
export function lineOfEntry(
  entry: JournalEntry,
  standing: Standing,
  hide: (text: string) => string,
): LogLine {
  const head = shorten(entry.message, LOOKED_AT);
  const structured = head.isCut ? undefined : parseStructured(head.text);
  const clean = (text: string) => shorten(harmless(hide(text)));
  const message = clean(structured?.message ?? head.text);
  const priority = levelOfPriority(entry.priority);
  // systemd gives `info` to whatever a service prints: what the line itself says is better.
  const said = structured?.level ?? (structured === undefined ? levelOfText(message.text) : undefined);
  // systemd's own lines have their level, and may quote a command.
  const isOwn = entry.priority !== 6 || entry.pid === '1' || said === undefined;
  const own = structured?.at;
  const isLate = own !== undefined && Math.abs(own - entry.at) > LATE_MS;
  return {
    at: entry.at,
    ...standing,
    isRequest: false,
    level: isOwn ? priority : said,
    message: message.text,
    fields: {
      ...cleaned(structured?.fields ?? {}, hide),
      ...(isLate ? { time: new Date(own).toISOString() } : {}),
    },
    isCut: head.isCut || message.isCut || entry.goesOn,
  };
}

/** Each field hidden by its name too: `password` among the fields of a line is one. */
function cleaned(fields: Readonly<Record<string, string>>, hide: (text: string) => string) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const told = hide(JSON.stringify({ [name]: value }));
      const isHidden = told === JSON.stringify({ [name]: '***' });
      return [harmless(name).slice(0, 100), isHidden ? '***' : shorten(harmless(hide(value)), 2_000).text];
    }),
  );
}

/** A request as a line: `GET /pay 502 31 ms`. */
export function lineOfRequest(request: LoggedRequest, host: string, hide: (text: string) => string): LogLine {
  const { at, method, uri, status, milliseconds, bytes, upstreamStatus, id } = request;
  const shown = shorten(harmless(hide(uri)));
  const took = milliseconds === undefined ? '' : ` ${Math.round(milliseconds)} ms`;
  return {
    at,
    host,
    source: 'nginx',
    isRequest: true,
    level: levelOfStatus(status),
    release: request.release,
    message: `${harmless(method)} ${shown.text} ${String(status).padStart(3, '0')}${took}`,
    fields: Object.fromEntries(
      Object.entries({
        colour: request.colour,
        bytes: String(bytes),
        upstream: upstreamStatus === String(status) ? '' : upstreamStatus,
        id,
      }).flatMap(([name, value]) => (value === '' ? [] : [[name, harmless(value)]])),
    ),
    isCut: shown.isCut,
  };
}
