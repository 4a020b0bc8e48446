/**
 * A virtual visitor: cookies, what earlier answers said, and so what is sent next. Pure but for its state.
 */

import { replaceNames } from '../../config/variables.ts';
import { atJsonPath } from '../../contract/json-path.ts';
import type { Capture, LoadRequest } from './step.ts';

/** What a visitor sees of an answer. */
export interface SeenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** The name of each visitor's own word, which no earlier step gives. */
const OWN_WORD = 'visitor';

interface Cookie {
  readonly value: string;
  readonly path: string;
}

export class Visitor {
  /** By which the proxy assigns it to a side, and keeps it there. */
  readonly id: string;
  readonly #cookies = new Map<string, Cookie>();
  readonly #values = new Map<string, string>();

  constructor(id: string) {
    this.id = id;
    this.#values.set(OWN_WORD, id.replaceAll('-', '').slice(0, 12));
  }

  /** The step with the visitor's values and cookies. */
  fill(step: LoadRequest): LoadRequest {
    const replaced = (text: string) => replaceNames(text, (name) => this.#values.get(name) ?? '');
    const path = sendablePath(replaced(step.path));
    const headers = Object.entries(step.headers).map(
      ([name, text]) => [name, oneLine(replaced(text))] as const,
    );
    const cookie = this.#cookiesFor(path.replace(/[?#].*$/, ''));
    return {
      ...step,
      path,
      headers: { ...Object.fromEntries(headers), ...(cookie === '' ? {} : { cookie: oneLine(cookie) }) },
      body: step.body === null ? null : Buffer.from(replaced(step.body.toString('utf8'))),
    };
  }

  /** Keeps what an answer gives. @returns whether the visitor can go on */
  take(step: LoadRequest, answer: SeenAnswer, now: number = Date.now()): boolean {
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) this.#keep(line, now);
    const { status } = answer;
    const expected = step.status ?? [];
    if (expected.length > 0 ? !expected.includes(status) : status >= 400) return false;
    for (const [name, capture] of Object.entries(step.capture ?? {})) {
      const value = captured(capture, answer);
      if (value === undefined) return false;
      this.#values.set(name, value);
    }
    return true;
  }

  #keep(line: string, now: number): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const equals = pair.indexOf('=');
    if (equals <= 0) return;
    const name = pair.slice(0, equals);
    const attribute = (wanted: string) =>
      attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const age = attribute('max-age');
    const expires = Date.parse(attribute('expires') ?? '');
    const gone = age === undefined ? expires <= now : Number(age) <= 0;
    const path = attribute('path');
    if (gone) this.#cookies.delete(name);
    else this.#cookies.set(name, { value: pair.slice(equals + 1), path: path?.startsWith('/') ? path : '/' });
  }

  #cookiesFor(path: string): string {
    return [...this.#cookies]
      .filter(([, cookie]) => path === cookie.path || path.startsWith(cookie.path.replace(/\/?$/, '/')))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
  }
}

/** The path of what may be an address, e.g. a captured `Location`, with nothing that HTTP does not carry. */
function sendablePath(text: string): string {
  const path = text.replace(/^https?:\/\/[^/]*/, '').replace(/[^\x21-\x7e]+/g, encodeURIComponent);
  return path.startsWith('/') ? path : `/${path}`;
}

/** What a header can carry. */
function oneLine(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]+/g, ' ');
}

/** undefined: the answer does not have it. */
export function captured(capture: Capture, { headers, body }: SeenAnswer): string | undefined {
  if (capture.header !== undefined) return [headers[capture.header.toLowerCase()]].flat()[0];
  const text = body.toString('utf8');
  if (capture.regex !== undefined) {
    const found = new RegExp(capture.regex).exec(text);
    return found === null ? undefined : (found[1] ?? found[0]);
  }
  return capture.json === undefined ? undefined : inJson(text, capture.json);
}

/** undefined: there is none. */
function inJson(text: string, path: string): string | undefined {
  const value = atJsonPath(text, path);
  if (value === null || value === undefined) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
