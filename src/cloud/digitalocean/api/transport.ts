/**
 * One call to the API: sent, answered, validated; repeated where that is safe; slowed down where the API
 * asks for it.
 */

import type { z } from 'zod';
import type { Context } from '../../../context.ts';
import { Failure } from '../../../errors.ts';
import { duration } from '../../../format.ts';
import { redactor } from '../../../redact.ts';
import { errorSchema } from './answers.ts';
import { ApiError, answerError, networkError, refusalError, timeoutError } from './api-error.ts';
import type { Clock } from './clock.ts';
import { Gate } from './gate.ts';
import { rateLimitWait } from './rate-limit.ts';

export interface ApiCall<T> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Begins with `/v2/`; parts already encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>> | undefined;
  readonly body?: unknown;
  /** What a successful answer must hold; absent: its body does not matter. */
  readonly answer?: z.ZodType<T> | undefined;
  /**
   * `safe`: sending it twice is the same as sending it once. `look`: repeated only where it certainly had
   * no effect; else the caller must look first (`createOnce`). Default: `look` for POST, `safe` for
   * everything else.
   */
  readonly repeat?: 'safe' | 'look' | undefined;
}

export interface TransportOptions {
  readonly token: string;
  /** Default https://api.digitalocean.com; a trailing `/v2` is dropped. */
  readonly apiUrl?: string | undefined;
  readonly clock: Clock;
  /** Milliseconds of this machine's clock until a call is given up. Default 30 000. */
  readonly timeoutMs?: number | undefined;
}

export interface Transport {
  /** @throws ApiError, or the context's abort reason. */
  send<T>(call: ApiCall<T>): Promise<T>;
  /** Scheme, name and port of the API. */
  readonly origin: string;
  /** Calls sent so far, repetitions included. */
  readonly sent: () => number;
}

const DEFAULT_URL = 'https://api.digitalocean.com';
/**
 * Sendings of one call where it fails for a moment; without a network fewer, so that the user hears of it
 * soon.
 */
const ATTEMPTS = 6;
const ATTEMPTS_NOT_SENT = 3;
/** Answers 429 to one call after which it is given up. */
const RATE_LIMITED = 20;
/**
 * First and longest pause between two sendings, milliseconds (full jitter: AWS Architecture Blog,
 * "Exponential Backoff And Jitter").
 */
const BACKOFF = { first: 500, longest: 10_000 };
const TIMEOUT_MS = 30_000;
/** Milliseconds that an API in trouble may ask to wait. */
const LONGEST_PAUSE = 60_000;
/** A shorter one is no token but a try against a fake, and hiding it would garble every message. */
const SHORTEST_SECRET = 8;

/** @throws Failure `usage` where the token or the address cannot be one. */
export function createTransport(context: Context, options: TransportOptions): Transport {
  const transport = new HttpTransport(context, options);
  return {
    send: (call) => transport.send(call),
    origin: transport.base.origin,
    sent: () => transport.sent,
  };
}

class HttpTransport {
  readonly base: URL;
  /** Calls that were sent, repetitions included. */
  sent = 0;
  private readonly token: string;
  private readonly clock: Clock;
  private readonly timeoutMs: number;
  private readonly hide: (text: string) => string;
  private readonly gate: Gate;
  private readonly context: Context;

  constructor(context: Context, options: TransportOptions) {
    this.context = context;
    this.token = checkedToken(options.token);
    this.base = checkedUrl(options.apiUrl ?? DEFAULT_URL);
    this.clock = options.clock;
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.hide = redactor(this.token.length < SHORTEST_SECRET ? [] : [this.token]);
    this.gate = new Gate(context, options.clock);
  }

  async send<T>(call: ApiCall<T>): Promise<T> {
    const safe = (call.repeat ?? (call.method === 'POST' ? 'look' : 'safe')) === 'safe';
    let failures = 0;
    let limited = 0;
    for (;;) {
      try {
        return await this.gate.run(() => this.exchange(call));
      } catch (error) {
        if (!(error instanceof ApiError) || !error.transient) throw error;
        if (error.status === 429) {
          if (++limited >= RATE_LIMITED) throw error;
          this.gate.pause(error.waitMs ?? BACKOFF.longest, error.said);
          continue;
        }
        if (error.effect === 'unknown' && !safe) throw error;
        if (++failures >= (error.effect === 'none' ? ATTEMPTS_NOT_SENT : ATTEMPTS)) throw error;
        await this.backOff(error, failures);
      }
    }
  }

  private async backOff(error: ApiError, failures: number): Promise<void> {
    const ceiling = Math.min(BACKOFF.longest, BACKOFF.first * 2 ** (failures - 1));
    const wait = Math.min(error.waitMs ?? 0, LONGEST_PAUSE) + ceiling * (0.5 + this.clock.random() / 2);
    this.context.progress({
      stage: 'DigitalOcean API',
      state: 'running',
      detail: `${error.message}; again in ${duration(wait)}`,
    });
    await this.clock.sleep(wait, this.context.signal);
  }

  /** Sends once. Only ever throws ApiError or the abort reason. */
  private async exchange<T>(call: ApiCall<T>): Promise<T> {
    const { context, base } = this;
    const url = new URL(`${base.pathname.replace(/\/$/, '')}${call.path}`, base);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, String(value));
    const trace = (outcome: string) =>
      context.trace(this.hide(`${call.method} ${url.pathname}${url.search} → ${outcome}`));
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.timeoutMs);
    const stop = () => limit.abort();
    context.signal.addEventListener('abort', stop);
    const begun = this.clock.now();
    this.sent++;
    try {
      const response = await fetch(url, this.request(call, limit.signal));
      const text = await response.text();
      const took = Math.round(this.clock.now() - begun);
      const requestId = response.headers.get('x-request-id') ?? undefined;
      trace(`${response.status} in ${took} ms${requestId === undefined ? '' : `, request ${requestId}`}`);
      return this.read(call, response, text, requestId);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      context.signal.throwIfAborted();
      const failed = limit.signal.aborted
        ? timeoutError(call, base.origin, this.timeoutMs)
        : networkError(call, base.origin, error);
      trace(failed.message);
      throw failed;
    } finally {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', stop);
    }
  }

  private request<T>(call: ApiCall<T>, signal: AbortSignal): RequestInit {
    return {
      method: call.method,
      redirect: 'manual',
      signal,
      headers: {
        authorization: `Bearer ${this.token}`,
        accept: 'application/json',
        'user-agent': 'pipeline',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    };
  }

  private read<T>(call: ApiCall<T>, response: Response, text: string, headerId: string | undefined): T {
    const { status } = response;
    if (status >= 200 && status < 300) {
      if (call.answer === undefined) return undefined as T;
      const parsed = call.answer.safeParse(parseJson(text));
      if (parsed.success) return parsed.data;
      throw answerError(call, status, this.hide(mismatch(response, text, parsed.error)), headerId);
    }
    if (status < 400) throw answerError(call, status, `it leads elsewhere (${status})`, headerId);
    const body = errorSchema.safeParse(parseJson(text)).data;
    const said = body?.message ?? [body?.error, ...(body?.root_causes ?? [])].filter(Boolean).join(': ');
    throw refusalError({
      call,
      status,
      said: this.hide(said).slice(0, 300),
      requestId: body?.request_id ?? headerId,
      waitMs:
        status === 429 || (status === 503 && response.headers.has('retry-after'))
          ? rateLimitWait(response.headers, Date.now())
          : undefined,
      tokenName: tokenName(this.context.env, this.token),
    });
  }
}

/** The variable whose value this token is, as messages name it. */
function tokenName(env: Context['env'], token: string): string {
  const name = Object.keys(env).find((key) => /TOKEN/.test(key) && env[key]?.trim() === token);
  return name === undefined ? 'the token' : `the token in ${name}`;
}

/** A token that can stand in a header. Node's own error for one that cannot would show it. */
function checkedToken(text: string): string {
  const token = text.trim();
  if (token === '') {
    throw new Failure('usage', 'DigitalOcean needs an API token, and none was given', {
      next: 'Make one at https://cloud.digitalocean.com/account/api/tokens, then: export DOTOKEN=…',
    });
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Failure(
    'usage',
    'The DigitalOcean token holds a character that no token has ' +
      '(a space, a line break, a letter with an accent)',
    {
      next: 'Copy it again, whole and alone, from where it was shown: export DOTOKEN=…',
    },
  );
}

function checkedUrl(text: string): URL {
  const mistake = (why: string) =>
    new Failure('usage', `DIGITALOCEAN_API_URL is ${why}`, {
      next: `Give it like ${DEFAULT_URL} or http://127.0.0.1:8080, or unset it.`,
    });
  if (!URL.canParse(text)) throw mistake('no address');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw mistake('an address with a user or password in it');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw mistake('neither http nor https');
  url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/v2$/, '');
  return url;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where an answer differs from what it should be; shows none of its values. */
function mismatch(response: Response, text: string, error: z.ZodError): string {
  if (parseJson(text) === undefined) {
    const type = response.headers.get('content-type') ?? 'no type';
    return `it is not JSON (${text.length} characters of ${type})`;
  }
  const issue = error.issues[0];
  return `${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'unknown'}`;
}
