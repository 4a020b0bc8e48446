/** Host patterns: names and addresses with a port and ranges, `web[01:10]:2222`, as Ansible expands them. */
import { isIPv6 } from 'node:net';

const NUMBERS = String.raw`\[[0-9]+:[0-9]+(?::[0-9]+)?\]`;
const LETTERS_OR_NUMBERS = String.raw`(?:${NUMBERS}|\[[a-z]:[a-z](?::[0-9]+)?\])`;
const HEXTETS = /\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\]/gi;

const WORD = String.raw`[\p{L}\p{N}_]`;
const LABEL = `(?:${WORD}|${LETTERS_OR_NUMBERS})(?:${WORD}|-|${LETTERS_OR_NUMBERS})*(?<![_-])`;
/** Also an IPv4 address: its parts are labels. */
const HOST_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'iu');

/** With a range in place of any part. */
function isIpv6Pattern(text: string): boolean {
  return isIPv6(text.replace(HEXTETS, '0'));
}

/**
 * A pattern without its port, and the port where it names one. What is no address or name is taken whole, as
 * Ansible does.
 */
export function splitPort(pattern: string): { readonly host: string; readonly port?: number } {
  let host = pattern;
  let port: number | undefined;
  for (const shape of [/^\[(.+)\]:([0-9]+)$/, /^((?:[^:[\]]|\[[^\]]*\])*):([0-9]+)$/]) {
    const match = shape.exec(host);
    if (match?.[1] === undefined) continue;
    host = match[1];
    port = Number(match[2]);
  }
  if (!HOST_NAME.test(host) && !isIpv6Pattern(host)) return { host: pattern };
  return port === undefined ? { host } : { host, port };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** More than any fleet has: a slip of a digit must not fill the memory. */
const MOST_HOSTS = 100_000;

/**
 * The host names that a pattern stands for; a pattern without a range stands for itself. An upward numeric
 * range that runs backwards stands for none.
 * @throws RangeError with a sentence about what is wrong with a range.
 */
export function expandRanges(pattern: string): readonly string[] {
  const start = pattern.indexOf('[');
  if (start === -1) return [pattern];
  const end = pattern.indexOf(']');
  if (end < start) throw new RangeError('a range needs "[" before "]", like web[1:3]');
  const [head, range, tail] = [
    pattern.slice(0, start),
    pattern.slice(start + 1, end),
    pattern.slice(end + 1),
  ];
  const bounds = range.split(':');
  const [from = '', to = '', step = '1'] = bounds;
  if (bounds.length !== 2 && bounds.length !== 3) {
    throw new RangeError(`the range [${range}] must be begin:end or begin:end:step`);
  }
  if (to === '') throw new RangeError(`the range [${range}] has no end`);
  const every = /^\+?[0-9]+$/.test(step) ? Number(step) : 0;
  if (every < 1) throw new RangeError(`the step of the range [${range}] must be a number from 1`);
  const tails = expandRanges(tail);
  const names = rangeItems(range, from || '0', to, every).flatMap((item) =>
    tails.map((rest) => head + item + rest),
  );
  if (names.length > MOST_HOSTS)
    throw new RangeError(`the range [${range}] stands for more than ${MOST_HOSTS} hosts`);
  return names;
}

function rangeItems(range: string, from: string, to: string, step: number): string[] {
  const width = from.startsWith('0') && from.length > 1 ? from.length : 0;
  if (width > 0 && width !== to.length) {
    throw new RangeError(`begin and end of the range [${range}] must have the same number of digits`);
  }
  const [first, last] = [LETTERS.indexOf(from), LETTERS.indexOf(to)];
  if (first !== -1 && last !== -1) {
    if (first > last) throw new RangeError(`the range [${range}] runs backwards`);
    return [...LETTERS.slice(first, last + 1)].filter((_, i) => i % step === 0);
  }
  if (!/^[0-9]+$/.test(from) || !/^[0-9]+$/.test(to)) {
    throw new RangeError(`the range [${range}] must run from number to number or from letter to letter`);
  }
  const items: string[] = [];
  for (let i = Number(from); i <= Number(to); i += step) {
    if (items.length > MOST_HOSTS) break;
    items.push(String(i).padStart(width, '0'));
  }
  return items;
}
