/** What every answer carries, and which requests are let through before anybody is asked who he is. */
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Env, Request } from '../access/sign-in.ts';
import type { Visitor } from '../access/visitor.ts';

export const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  // Charts set styles by script, property by property, which is allowed; no page has an inline style.
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers that keep a browser from doing more with an answer than the page does. */
export function safeHeaders(secure: boolean): MiddlewareHandler<Env> {
  return async (c, next) => {
    await next();
    if (!c.res.headers.has('content-security-policy')) c.res.headers.set('content-security-policy', CSP);
    c.res.headers.set('x-content-type-options', 'nosniff');
    c.res.headers.set('x-frame-options', 'DENY');
    c.res.headers.set('referrer-policy', 'no-referrer');
    c.res.headers.set('cross-origin-resource-policy', 'same-origin');
    // Browsers take these over https alone.
    if (secure) {
      c.res.headers.set('strict-transport-security', 'max-age=31536000');
      c.res.headers.set('cross-origin-opener-policy', 'same-origin');
    }
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
  };
}

/**
 * Refuses what changes something and does not come from the dashboard. A page of another origin cannot set
 * this type of content without asking first, and says where it comes from.
 */
export function fromDashboard(visitor: (c: Request) => Visitor): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    const site = c.req.header('sec-fetch-site');
    const origin = c.req.header('origin');
    const foreign =
      (site !== undefined && site !== 'same-origin') ||
      (origin !== undefined && hostOf(origin) !== visitor(c).host);
    if (foreign || !(c.req.header('content-type') ?? '').startsWith('application/json'))
      return c.json({ error: 'This request does not come from the dashboard.' }, 403);
    return next();
  };
}

/** No request is larger: a sign-in, or an event. */
export const smallBodies = bodyLimit({
  maxSize: 16 * 1024,
  onError: (c: Context) => c.json({ error: 'The request is too large.' }, 413),
});

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
