/** Entries of the journal, as `journalctl --output=json` prints them. Pure. */

export interface JournalEntry {
  readonly cursor: string;
  /** ms since 1970, to the microsecond. */
  readonly at: number;
  /** 0 (emergency) to 7 (debug). */
  readonly priority: number;
  /** The unit that it is of, or about; empty: none. */
  readonly unit: string;
  readonly identifier: string;
  readonly pid: string;
  readonly message: string;
  /** The line was longer than the journal takes: the next entry of the same process continues it. */
  readonly goesOn: boolean;
  /** systemd says here that it started a unit. */
  readonly starts: boolean;
}

/** Fields that are asked for; others cost time and tell nothing. */
export const FIELDS = [
  ...['MESSAGE', 'PRIORITY', '_SYSTEMD_UNIT', 'UNIT', 'SYSLOG_IDENTIFIER', '_PID', '_LINE_BREAK', 'JOB_TYPE'],
] as const;

/** @param isCut the line is only the beginning of one that is too long. @returns undefined: no entry */
export function parseEntry(line: string, isCut = false): JournalEntry | undefined {
  const fields = isCut ? beginningOf(line) : objectOf(line);
  if (fields === undefined) return undefined;
  const text = (name: string) => textOf(fields[name]);
  const cursor = text('__CURSOR');
  const at = Number(text('__REALTIME_TIMESTAMP'));
  if (cursor === '' || !(at > 0)) return undefined;
  const priority = text('PRIORITY');
  // What systemd says of a unit comes from its own; anybody else may claim to be about one.
  const isManager = text('_PID') === '1' && text('UNIT') !== '';
  const unit = isManager ? text('UNIT') : text('_SYSTEMD_UNIT');
  return {
    cursor,
    at: at / 1000,
    priority: /^[0-7]$/.test(priority) ? Number(priority) : 6,
    unit,
    identifier: text('SYSLOG_IDENTIFIER'),
    pid: text('_PID'),
    message: text('MESSAGE'),
    goesOn: isCut || text('_LINE_BREAK') === 'line-max',
    starts: isManager && text('JOB_TYPE') === 'start',
  };
}

function objectOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A value that is not text comes as an array of bytes; a field that occurs twice as an array of values. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  return value.every((each) => typeof each === 'number')
    ? Buffer.from(value as number[]).toString('utf8')
    : value.map(textOf).join('\n');
}

/** What can be read of an entry whose end is missing. */
function beginningOf(line: string): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  for (const [, name = '', value = ''] of line.matchAll(/"(\w+)":"((?:[^"\\]|\\.)*)(?:"|$)/g))
    fields[name] = unescaped(value);
  const bytes = /"MESSAGE":\[([\d,]*)/.exec(line)?.[1];
  if (bytes !== undefined) fields.MESSAGE = bytes.split(',').slice(0, -1).map(Number);
  return fields;
}

function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, '')}"`) as string;
  } catch {
    return text;
  }
}

/**
 * Of a line that the journal split, only the first entry is shown: it says itself that the line goes on.
 * One for each stream of entries in order.
 */
export class SplitLines {
  readonly #going = new Set<string>();

  /** Whether the entry continues one that came before. */
  continues({ unit, pid, goesOn }: Pick<JournalEntry, 'unit' | 'pid' | 'goesOn'>): boolean {
    const key = `${pid} ${unit}`;
    const was = this.#going.delete(key);
    if (goesOn) this.#going.add(key);
    // A process that died in the middle of a line says nothing more.
    if (this.#going.size > 1000) this.#going.clear();
    return was;
  }
}

/** Entries of other processes that may stand between two parts of a line. */
const BETWEEN = 32;

/**
 * The same for entries that come the latest first: the rest of a line comes before its beginning, so some are
 * held back.
 */
export async function* beginningsAlone(
  latestFirst: AsyncIterable<JournalEntry>,
): AsyncGenerator<JournalEntry> {
  const held: JournalEntry[] = [];
  for await (const entry of latestFirst) {
    const rest = held.findLastIndex(({ pid, unit }) => pid === entry.pid && unit === entry.unit);
    if (entry.goesOn && rest >= 0) held.splice(rest, 1);
    held.push(entry);
    const first = held.length > BETWEEN ? held.shift() : undefined;
    if (first !== undefined) yield first;
  }
  yield* held;
}
