/**
 * Python literals: Ansible reads the value of an INI variable with `ast.literal_eval` and takes it as text
 * where that fails.
 */
import type { InventoryValue } from './model.ts';

/**
 * The value of an INI variable: a number, truth value, list … where the text is such a literal, else the text
 * itself.
 */
export function parseValue(text: string): InventoryValue {
  try {
    return new LiteralReader(text).read();
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/** A text for an INI variable that `parseValue` reads back as `value`. */
export function formatValue(value: InventoryValue): string {
  if (typeof value !== 'string') return literal(value);
  const isPlain =
    value === value.trim() && !/\p{Cc}|[\u2028\u2029]/u.test(value) && parseValue(value) === value;
  return isPlain ? value : literal(value);
}

function literal(value: InventoryValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return numberLiteral(value);
  if (typeof value === 'string') return stringLiteral(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${stringLiteral(key)}: ${literal(item)}`)
    .join(', ')}}`;
}

/** Beyond 2^53 whole numbers are not exact: written as what they are, which is floating point. */
function numberLiteral(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '1e999' : '-1e999';
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}

function stringLiteral(text: string): string {
  const escaped = text.replace(/[\\']/g, '\\$&').replace(/\p{Cc}|[\u2028\u2029]/gu, (char) => {
    return `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
  return `'${escaped}'`;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const DIGITS = String.raw`\d(?:_?\d)*`;
const EXPONENT = `(?:[eE][+-]?${DIGITS})?`;
const NUMBER = new RegExp(
  `^(?:${[
    '0[xX](?:_?[0-9a-fA-F])+',
    '0[oO](?:_?[0-7])+',
    '0[bB](?:_?[01])+',
    String.raw`(?:${DIGITS})?\.${DIGITS}${EXPONENT}`,
    String.raw`${DIGITS}\.?${EXPONENT}`,
  ].join('|')})`,
);

/** A recursive reader; a SyntaxError means that the text is no literal. */
class LiteralReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): InventoryValue {
    this.#space();
    const value = this.#value();
    this.#space();
    // Python takes what follows a # for its own comment: `port=8080 # http` is the number.
    const rest = this.#text.slice(this.#at);
    if (rest !== '' && !rest.startsWith('#')) throw new SyntaxError(`unexpected ${rest}`);
    return value;
  }

  #value(): InventoryValue {
    const char = this.#text.charAt(this.#at);
    if (char === '[') return this.#items('[', ']').values;
    if (char === '{') return this.#braces();
    if (char === '(') {
      const { values, commas } = this.#items('(', ')');
      const [only] = values;
      return values.length === 1 && only !== undefined && commas === 0 ? only : values;
    }
    const word = /^(True|False|None)(?![\w])/.exec(this.#text.slice(this.#at));
    if (word !== null) {
      this.#at += word[0].length;
      return word[0] === 'None' ? null : word[0] === 'True';
    }
    if (/^[uUbBrR]{0,2}["']/.test(this.#text.slice(this.#at))) return this.#strings();
    return this.#number();
  }

  #items(open: string, close: string): { values: InventoryValue[]; commas: number } {
    const values: InventoryValue[] = [];
    let commas = 0;
    this.#expect(open);
    while (!this.#takes(close)) {
      if (values.length > commas) throw new SyntaxError('expected a comma');
      values.push(this.#value());
      this.#space();
      if (this.#takes(',')) commas += 1;
    }
    return { values, commas };
  }

  #braces(): InventoryValue {
    const entries: [string, InventoryValue][] = [];
    const members: InventoryValue[] = [];
    let commas = 0;
    this.#expect('{');
    while (!this.#takes('}')) {
      if (entries.length + members.length > commas) throw new SyntaxError('expected a comma');
      const key = this.#value();
      this.#space();
      if (this.#takes(':')) {
        if (typeof key === 'object' && key !== null) throw new SyntaxError('a key must be simple');
        entries.push([String(key), this.#value()]);
      } else {
        members.push(key);
      }
      if (entries.length > 0 && members.length > 0) throw new SyntaxError('neither set nor dictionary');
      this.#space();
      if (this.#takes(',')) commas += 1;
    }
    return members.length > 0 ? members : Object.fromEntries(entries);
  }

  /** Strings side by side are one string. */
  #strings(): string {
    let text = '';
    for (;;) {
      const start = /^([uUbBrR]{0,2})("""|'''|"|')/.exec(this.#text.slice(this.#at));
      if (start === null) return text;
      const [opening, prefix = '', quote = ''] = start;
      if (/u[rb]|[rb]u/i.test(prefix) || /(.)\1/i.test(prefix))
        throw new SyntaxError(`no such prefix: ${prefix}`);
      this.#at += opening.length;
      text += this.#string(quote, /r/i.test(prefix));
      this.#space();
    }
  }

  #string(quote: string, raw: boolean): string {
    let text = '';
    while (!this.#text.startsWith(quote, this.#at)) {
      if (this.#at >= this.#text.length) throw new SyntaxError('no closing quote');
      const char = this.#text.charAt(this.#at);
      this.#at += 1;
      if (char !== '\\') text += char;
      else text += raw ? `\\${this.#text.charAt(this.#at++)}` : this.#escape();
    }
    this.#at += quote.length;
    return text;
  }

  #escape(): string {
    const rest = this.#text.slice(this.#at);
    const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest);
    if (code !== null) {
      this.#at += code[0].length;
      const point = Number.parseInt(code[0].slice(1), 16);
      if (point > 0x10ffff) throw new SyntaxError('no such character');
      return String.fromCodePoint(point);
    }
    if (/^[xuUN]/.test(rest)) throw new SyntaxError('not a character');
    const octal = /^[0-7]{1,3}/.exec(rest);
    if (octal !== null) {
      this.#at += octal[0].length;
      return String.fromCodePoint(Number.parseInt(octal[0], 8));
    }
    this.#at += 1;
    const char = rest.charAt(0);
    return SIMPLE_ESCAPES[char] ?? `\\${char}`;
  }

  #number(): number {
    const sign = /^[+-][ \t]*(?=[\d.])/.exec(this.#text.slice(this.#at));
    if (sign !== null) this.#at += sign[0].length;
    const match = NUMBER.exec(this.#text.slice(this.#at));
    if (match === null) throw new SyntaxError('no literal');
    const text = match[0];
    // Python refuses 010, and 5j or 5px is no number here.
    if (/^0[0-9_]*[1-9]/.test(text) && /^[\d_]+$/.test(text)) throw new SyntaxError('a leading zero');
    this.#at += text.length;
    if (/^[\w.]/.test(this.#text.slice(this.#at))) throw new SyntaxError('no number');
    const value = Number(text.replaceAll('_', ''));
    if (/^[\d_]+$/.test(text) && !Number.isSafeInteger(value))
      throw new SyntaxError('too large to keep its digits');
    return sign?.[0].startsWith('-') ? -value : value;
  }

  #space(): void {
    while (/[ \t\f]/.test(this.#text.charAt(this.#at))) this.#at += 1;
  }

  #takes(char: string): boolean {
    this.#space();
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at += 1;
    this.#space();
    return true;
  }

  #expect(char: string): void {
    if (!this.#takes(char)) throw new SyntaxError(`expected ${char}`);
  }
}
