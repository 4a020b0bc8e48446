/** Lines that are objects in JSON, by field. Pure. */
import { type Level, levelOfField } from './level.ts';

export interface Structured {
  readonly message: string;
  readonly level: Level | undefined;
  /** ms since 1970; undefined: it names no time that can be read. */
  readonly at: number | undefined;
  /** Everything else, flat: `err.message`. */
  readonly fields: Readonly<Record<string, string>>;
}

const MESSAGE = ['msg', 'message', '@message', 'event', 'text'];
const LEVEL = ['level', 'severity', 'lvl', 'levelname', 'log.level', '@level', 'loglevel'];
const TIME = ['time', 'timestamp', '@timestamp', 'ts', 't', 'datetime', 'date'];
const DEEPEST = 3;
const MOST_FIELDS = 60;

/** undefined: the line is no object, or one that says neither a message nor a level. */
export function parseStructured(text: string): Structured | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(trimmed);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Readonly<Record<string, unknown>>;
  const first = (names: readonly string[]) => names.find((name) => Object.hasOwn(given, name));
  const [message, level, time] = [first(MESSAGE), first(LEVEL), first(TIME)];
  if (message === undefined && level === undefined) return undefined;
  const known = level === undefined ? undefined : levelOfField(given[level]);
  const at = time === undefined ? undefined : timeOf(given[time]);
  const fields: Record<string, string> = {};
  for (const [name, each] of Object.entries(given)) {
    const isShown =
      name === message || (name === level && known !== undefined) || (name === time && at !== undefined);
    if (!isShown) flatten(name, each, fields, 1);
  }
  return { message: message === undefined ? '' : wordsOf(given[message]), level: known, at, fields };
}

/** Seconds, milliseconds, microseconds or nanoseconds since 1970, or a date. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === 'string' && Number.isNaN(Number(value))) {
    const at = Date.parse(value);
    return Number.isNaN(at) ? undefined : at;
  }
  const number = Number(value);
  if (!(number > 1e9) || (typeof value !== 'number' && typeof value !== 'string')) return undefined;
  if (number < 1e11) return number * 1e3;
  if (number < 1e14) return number;
  return number < 1e17 ? number / 1e3 : number / 1e6;
}

function flatten(name: string, value: unknown, into: Record<string, string>, depth: number): void {
  if (Object.keys(into).length >= MOST_FIELDS) return;
  const isDeeper = typeof value === 'object' && value !== null && !Array.isArray(value) && depth < DEEPEST;
  if (!isDeeper) into[name] = wordsOf(value);
  else for (const [key, each] of Object.entries(value)) flatten(`${name}.${key}`, each, into, depth + 1);
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
