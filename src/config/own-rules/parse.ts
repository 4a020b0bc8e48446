/**
 * The words of a rule of one's own:
 *
 *     route latency p99 of /api/pay on shop > 800ms and requests > 1/s for 5m
 *
 * A condition is a quantity, `of` a part of it, `on` a host or an application, a comparison and a value;
 * `and` joins several of the same kind of subject. Pure.
 */
import { closest } from '../../errors.ts';
import { RuleMistake } from './mistake.ts';
import { hasQuantile, QUANTITY_NAMES, type Quantity, type QuantityName, quantityOf } from './quantities.ts';
import { type Token, tokens } from './tokens.ts';
import { durationOf, readValue } from './values.ts';

export const OPERATORS = ['>', '>=', '<', '<='] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Condition {
  readonly quantity: QuantityName;
  /** 0.99 of `latency p99`. */
  readonly quantile?: number | undefined;
  /** A mount, a unit, a route; absent: each. `*` stands for anything. */
  readonly part?: string | undefined;
  /** A host or an application; absent: each. */
  readonly subject?: string | undefined;
  readonly operator: Operator;
  /** Shares are 0 to 1, times milliseconds. */
  readonly value: number;
}

export interface RuleExpression {
  /** As it was written. */
  readonly text: string;
  readonly about: Quantity['about'];
  readonly conditions: readonly [Condition, ...Condition[]];
  readonly forMs: number;
}

const LONGEST = 500;

/** @throws RuleMistake at the first mistake */
export function parseRule(text: string): RuleExpression {
  if (text.length > LONGEST) throw new RuleMistake(LONGEST, `a rule has at most ${LONGEST} characters`);
  const reader = new Reader(text);
  const conditions: [Condition, ...Condition[]] = [condition(reader)];
  const { about } = quantityOf(conditions[0].quantity);
  while (reader.take('and')) {
    const { at } = reader.next();
    const one = condition(reader);
    if (quantityOf(one.quantity).about !== about)
      throw new RuleMistake(at, `one rule is about hosts or about applications: "${one.quantity}" is not`);
    conditions.push(one);
  }
  const forMs = reader.take('for') ? durationOf(reader.value('a duration like 5m')) : 0;
  const rest = reader.next();
  if (rest.text !== '')
    throw reader.unexpected(forMs > 0 ? 'the end' : '"and", "for" with a duration, or the end');
  return { text: text.trim(), about, conditions, forMs };
}

/** The words of a rule, one after the other. */
class Reader {
  readonly #tokens: readonly Token[];
  readonly #end: Token;
  #index = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
    this.#end = { at: text.trimEnd().length + 1, text: '', quoted: false };
  }

  next(ahead = 0): Token {
    return this.#tokens[this.#index + ahead] ?? this.#end;
  }

  skip(count = 1): void {
    this.#index += count;
  }

  take(word: string): boolean {
    const { text, quoted } = this.next();
    if (quoted || text !== word) return false;
    this.skip();
    return true;
  }

  /** A number with its unit, `90 %` too. */
  value(expected: string): Token {
    const { at, text, quoted } = this.next();
    if (quoted || !/^[\d.+-]/.test(text)) throw this.unexpected(expected);
    this.skip();
    const unit = this.next();
    if (!/^[\d.]+$/.test(text) || unit.quoted || !/^(%|\/?[A-Za-z]+(\/[a-z]+)?)$/.test(unit.text))
      return { at, text, quoted };
    if (['and', 'for'].includes(unit.text)) return { at, text, quoted };
    this.skip();
    return { at, text: `${text}${unit.text}`, quoted };
  }

  unexpected(expected: string): RuleMistake {
    const { at, text } = this.next();
    return new RuleMistake(at, `expected ${expected}, found ${text === '' ? 'the end' : `"${text}"`}`);
  }
}

function condition(reader: Reader): Condition {
  const quantity = quantityName(reader);
  const quantile = hasQuantile(quantity) ? quantileOf(reader, quantity) : undefined;
  const { part, subject } = whereOf(reader, quantity);
  const operator = OPERATORS.find((one) => one === reader.next().text);
  if (operator === undefined) throw reader.unexpected('>, >=, < or <=');
  reader.skip();
  const { dimension } = quantityOf(quantity);
  const value = readValue(reader.value(`a value for ${quantity}`), dimension);
  return { quantity, quantile, part, subject, operator, value };
}

/** As many words as name something. */
function quantityName(reader: Reader): QuantityName {
  for (const count of [2, 1]) {
    const words = Array.from({ length: count }, (_, i) => reader.next(i).text).join(' ');
    const name = QUANTITY_NAMES.find((one) => one === words);
    if (name === undefined) continue;
    reader.skip(count);
    return name;
  }
  const first = reader.next();
  if (first.text === '') throw reader.unexpected('what is measured, e.g. cpu or latency p99');
  const two = `${first.text} ${reader.next(1).text}`;
  const guess = closest(two, QUANTITY_NAMES) ?? closest(first.text, QUANTITY_NAMES);
  const known = guess === undefined ? `known are ${QUANTITY_NAMES.join(', ')}` : `did you mean "${guess}"?`;
  throw new RuleMistake(first.at, `"${first.text}" is nothing that is measured: ${known}`);
}

function quantileOf(reader: Reader, quantity: QuantityName): number {
  const { text } = reader.next();
  const percent = /^p(\d{1,2}(?:\.\d{1,2})?)$/.exec(text)?.[1];
  if (percent === undefined || Number(percent) === 0)
    throw reader.unexpected(`p50, p90, p99 or p99.9 after ${quantity}`);
  reader.skip();
  return Number((Number(percent) / 100).toFixed(6));
}

const METHOD = /^[A-Z]{3,7}$/;

/** `of` a part, or of the subject where it has no parts; `on` a subject. */
function whereOf(reader: Reader, quantity: QuantityName): Pick<Condition, 'part' | 'subject'> {
  const { part: kind, about } = quantityOf(quantity);
  const found: { part?: string; subject?: string } = {};
  for (;;) {
    const { at, text: word } = reader.next();
    if (!reader.take('of') && !reader.take('on')) return found;
    const goes = word === 'of' && kind !== undefined ? 'part' : 'subject';
    if (found[goes] !== undefined) throw new RuleMistake(at, `"${word}" says again what was said already`);
    const name = reader.next();
    const what = goes === 'part' ? `a ${kind}` : about === 'app' ? 'an application' : 'a host';
    if (name.text === '' || (!name.quoted && /^[<>]/.test(name.text)))
      throw reader.unexpected(`${what} after "${word}"`);
    if (goes === 'subject' && name.text.startsWith('/'))
      throw new RuleMistake(name.at, wrongSubject(quantity, name.text, what));
    reader.skip();
    const path = reader.next();
    const hasMethod =
      kind === 'route' && goes === 'part' && METHOD.test(name.text) && path.text.startsWith('/');
    if (hasMethod) reader.skip();
    found[goes] = hasMethod ? `${name.text} ${path.text}` : name.text;
  }
}

function wrongSubject(quantity: QuantityName, name: string, what: string): string {
  const of = `route ${quantity}`;
  const knows = QUANTITY_NAMES.some((one) => one === of);
  return `${name} is not ${what}${knows ? `: a route has "${of}"` : ''}`;
}
