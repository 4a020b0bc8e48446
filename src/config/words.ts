/** What is wrong with a value, in words: pure. */
import type { z } from 'zod';
import type { Path } from './positions.ts';

type RawIssue = z.core.$ZodRawIssue;

/** The article and the YAML name of each kind of value that the schema asks for. */
const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
};

/**
 * A sentence part for an issue whose schema has no words of its own: what was expected. Empty for a union,
 * whose words come from its forms.
 */
export function expectedWords(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${EXPECTED[issue.expected as string] ?? issue.expected}`;
    case 'invalid_value':
      return `expected ${alternatives(issue.values.map(String))}`;
    case 'too_small':
      return tooSmall(issue.origin, Number(issue.minimum), issue.inclusive !== false);
    case 'too_big':
      return (
        `expected ${issue.origin === 'string' || issue.origin === 'array' ? 'no more than' : 'at most'} ` +
        `${issue.maximum}`
      );
    case 'invalid_format':
      if (issue.format === 'starts_with') return `expected text that begins with "${issue.prefix}"`;
      return issue.format === 'regex' ? `expected text like ${issue.pattern}` : `expected ${issue.format}`;
    case 'invalid_union':
      return '';
    default:
      return undefined;
  }
}

function tooSmall(origin: string, minimum: number, inclusive: boolean): string {
  if (origin === 'array')
    return minimum === 1 ? 'expected at least one entry' : `expected at least ${minimum} entries`;
  return `expected ${inclusive ? 'at least' : 'more than'} ${minimum}`;
}

/** `a, b or c` */
export function alternatives(words: readonly string[]): string {
  return words.length <= 1 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** Keys under which what stands there by mistake may be a secret itself. */
const HIDDEN = ['secrets', 'password', 'credentials'];

/** What stands at a path instead. What stands among secrets may be one, and is not repeated. */
export function gotWords(path: Path, value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping (key: value)';
  if (path.some((key) => HIDDEN.includes(String(key))))
    return typeof value === 'string' ? 'text' : `a ${typeof value}`;
  if (typeof value === 'string') return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  return typeof value === 'number' ? `the number ${value}` : String(value);
}

/**
 * The usual slips: YAML takes `20` for a number and `"20"` for text, and a key with nothing after it for
 * nothing. `fitsInQuotes`: whether the value as text would do there.
 */
export function hint(issue: z.core.$ZodIssue, value: unknown, fitsInQuotes: () => boolean): string {
  if (issue.code !== 'invalid_type') return '';
  if (value === null && ['object', 'record'].includes(issue.expected))
    return ': write {} where nothing is to be said';
  const isUnquoted = typeof value === 'number' || typeof value === 'boolean';
  if (issue.expected === 'string' && isUnquoted && fitsInQuotes()) return ': put it in quotes';
  const isQuoted = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
  return isQuoted && issue.expected === 'number' ? ': remove the quotes' : '';
}
