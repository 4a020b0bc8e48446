/**
 * Who asks: sign-in, sessions in cookies, HTTP Basic for programs; and what keeps strangers from trying
 * passwords for ever.
 */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Context, Next } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import * as z from 'zod';
import { duration } from '../../format.ts';
import type { Redis } from '../store/redis.ts';
import { RateLimit } from './rate-limit.ts';
import { closeSession, openSession, readSession, SESSION_SECONDS } from './sessions.ts';
import { checkPassword, findUser, type SignedIn, type User } from './users.ts';
import type { Visitor } from './visitor.ts';

export type Env = {
  Bindings: { incoming: IncomingMessage; outgoing: ServerResponse };
  Variables: { user: User };
};
export type Request = Context<Env>;

export interface SignInOptions {
  readonly redis: Redis;
  /** Served over https: cookies are sent over https only. */
  readonly secure: boolean;
  /** Who asks, behind proxies or not. */
  readonly visitor: (c: Request) => Visitor;
  readonly log: (line: string) => void;
}

const WINDOW_MS = 10 * 60_000;
/**
 * Wrong passwords for one user from one address. Another address is another matter, so that nobody can shut
 * an admin out from everywhere.
 */
const USER_TRIES = 8;
const ADDRESS_TRIES = 32;
/** Passwords that are looked at side by side: each takes 32 MiB and most of a second. */
const MOST_CHECKS = 8;
/** A program sends its password with each request: scrypt once a minute. */
const BASIC_MS = 60_000;

type Attempt = SignedIn | 'wrong' | { readonly waitSeconds: number };

const credentials = z.object({ user: z.string().max(64), password: z.string().max(256) });

/** The door of the API: handlers for signing in and out, and what every other request passes through. */
export function signIn(options: SignInOptions) {
  const door = new Door(options);
  return {
    /** POST /api/sign-in */
    enter: (c: Request) => door.enter(c),
    /** POST /api/sign-out */
    leave: (c: Request) => door.leave(c),
    /** Lets through who has a session or a password. Without, it is the answer. */
    required: (c: Request, next: Next) => door.required(c, next),
  };
}

class Door {
  readonly #options: SignInOptions;
  readonly #byAddress = new RateLimit(ADDRESS_TRIES, WINDOW_MS);
  readonly #byUser = new RateLimit(USER_TRIES, WINDOW_MS);
  readonly #known = new Map<string, { readonly user: SignedIn; readonly until: number }>();
  #checks = 0;

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  async enter(c: Request) {
    const { redis } = this.#options;
    const body = credentials.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) return c.json({ error: 'User and password are needed.' }, 400);
    const user = await this.#attempt(c, body.data.user, body.data.password);
    if (user === 'wrong') return c.json({ error: 'User or password is wrong.' }, 401);
    if ('waitSeconds' in user) return tooMany(c, user.waitSeconds);
    // Always a new session: one that was there before is worth nothing.
    const old = getCookie(c, this.#cookieOf(c));
    if (old !== undefined) await closeSession(redis, old);
    this.#setSession(c, await openSession(redis, user));
    return c.json({ user: user.name, role: user.role });
  }

  async leave(c: Request) {
    const token = getCookie(c, this.#cookieOf(c));
    if (token !== undefined) await closeSession(this.#options.redis, token);
    deleteCookie(c, this.#cookieOf(c), { path: '/', secure: this.#isSecure(c) });
    return c.json({});
  }

  async required(c: Request, next: Next) {
    const token = getCookie(c, this.#cookieOf(c));
    const session = token === undefined ? undefined : await readSession(this.#options.redis, token);
    if (session?.fresh !== undefined) this.#setSession(c, session.fresh);
    const user = session?.user ?? (await this.#byBasic(c));
    if (user === undefined || user === 'wrong') return c.json({ error: 'Sign in first.' }, 401);
    if ('waitSeconds' in user) return tooMany(c, user.waitSeconds);
    c.set('user', { name: user.name, role: user.role });
    await next();
    return;
  }

  async #attempt(c: Request, name: string, password: string): Promise<Attempt> {
    const { redis, log, visitor } = this.#options;
    const address = network(visitor(c).address);
    const pair = `${address} ${name.slice(0, 64)}`;
    const now = Date.now();
    const wait = Math.max(this.#byAddress.waitSeconds(address, now), this.#byUser.waitSeconds(pair, now));
    if (wait > 0) return { waitSeconds: wait };
    if (this.#checks >= MOST_CHECKS) return { waitSeconds: 1 };
    // Counted before the check, so that many at once are many.
    this.#byAddress.count(address, now);
    this.#byUser.count(pair, now);
    this.#checks++;
    const user = await checkPassword(redis, name, password).finally(() => this.#checks--);
    if (user === undefined) {
      log(`A sign-in as ${JSON.stringify(name.slice(0, 64))} from ${address} failed.`);
      return 'wrong';
    }
    this.#byAddress.uncount(address);
    this.#byUser.forget(pair);
    return user;
  }

  async #byBasic(c: Request): Promise<Attempt | undefined> {
    const header = c.req.header('authorization');
    if (header === undefined || !header.startsWith('Basic ')) return undefined;
    const key = createHash('sha256').update(header).digest('hex');
    const now = Date.now();
    const before = this.#known.get(key);
    if (before !== undefined && before.until > now) {
      // One that was removed or has a new password is asked again at once.
      const user = await findUser(this.#options.redis, before.user.name);
      if (user?.generation === before.user.generation) return user;
    }
    this.#known.delete(key);
    const [name = '', ...password] = Buffer.from(header.slice(6), 'base64').toString().split(':');
    const user = await this.#attempt(c, name, password.join(':'));
    if (user === 'wrong' || 'waitSeconds' in user) return user;
    if (this.#known.size > 100) this.#known.clear();
    this.#known.set(key, { user, until: now + BASIC_MS });
    return user;
  }

  #isSecure(c: Request): boolean {
    return this.#options.secure || this.#options.visitor(c).secure;
  }

  #cookieOf(c: Request): string {
    return this.#isSecure(c) ? '__Host-pipeline' : 'pipeline';
  }

  #setSession(c: Request, token: string): void {
    setCookie(c, this.#cookieOf(c), token, {
      path: '/',
      httpOnly: true,
      sameSite: 'Strict',
      secure: this.#isSecure(c),
      maxAge: SESSION_SECONDS,
    });
  }
}

function tooMany(c: Request, seconds: number) {
  c.header('retry-after', String(seconds));
  return c.json({ error: `Too many attempts. Try again in ${duration(seconds * 1000)}.` }, 429);
}

/** Whose address it is: a household has 2^64 of IPv6's. */
function network(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const parts = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - parts.length - rest.length)).fill('0');
  return `${[...parts, ...zeros, ...rest].slice(0, 4).join(':')}::/64`;
}
