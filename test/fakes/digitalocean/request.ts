/** What a handler gets and gives. */
import type { FakeAccount } from './account.ts';
import type { DropletMachines } from './machines.ts';

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Parts of the path that the route names. */
  readonly params: Readonly<Record<string, string>>;
  readonly account: FakeAccount;
  readonly machines: DropletMachines;
  /** Milliseconds since 1970 of the fake's clock. */
  readonly now: number;
  /** Scheme, name and port under which it is reached. */
  readonly origin: string;
}

export interface FakeAnswer {
  readonly status: number;
  readonly body?: unknown;
}

export type Handler = (request: FakeRequest) => FakeAnswer;

export interface Route {
  readonly method: string;
  /** e.g. `/v2/droplets/:id` */
  readonly path: string;
  readonly handle: Handler;
}

/** A refusal, thrown by handlers. */
export class Refused extends Error {
  readonly answer: FakeAnswer;
  constructor(status: number, id: string, message: string) {
    super(message);
    this.answer = { status, body: { id, message } };
  }
}

export const notFound = () =>
  new Refused(404, 'not_found', 'The resource you were accessing could not be found.');
export const unprocessable = (message: string) => new Refused(422, 'unprocessable_entity', message);
export const forbidden = (message: string) => new Refused(403, 'forbidden', message);

/** One page of a list, 20 items unless asked otherwise, 200 at most. */
export function page(request: FakeRequest, field: string, items: readonly unknown[]): FakeAnswer {
  const size = Math.min(200, positive(request.query.get('per_page'), 20));
  const number = positive(request.query.get('page'), 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (target: number) => {
    const query = new URLSearchParams(request.query);
    query.set('page', String(target));
    return `${request.origin}${request.path}?${query}`;
  };
  const pages = {
    ...(number > 1 ? { first: link(1), prev: link(number - 1) } : {}),
    ...(number < last ? { next: link(number + 1), last: link(last) } : {}),
  };
  return {
    status: 200,
    body: {
      [field]: items.slice((number - 1) * size, number * size),
      // A list of one page says nothing about pages.
      ...(last === 1 ? {} : { links: { pages } }),
      meta: { total: items.length },
    },
  };
}

function positive(text: string | null, otherwise: number): number {
  if (text === null) return otherwise;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw unprocessable('per_page and page must be positive integers.');
  return number;
}

export function object(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Refused(400, 'bad_request', 'The request body is not a JSON object.');
}

export function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw unprocessable(`${name} must be a string.`);
}

export function texts(value: unknown, name: string): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as string[];
  throw unprocessable(`${name} must be an array of strings.`);
}

/** The form in which the API writes times. */
export function isoTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
