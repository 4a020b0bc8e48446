/** What the hub answers over HTTP. Everything but sign-in and the page's own files needs a user. */
import { gzipSync } from 'node:zlib';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import * as z from 'zod';
import { type Env, type Request, signIn } from '../access/sign-in.ts';
import { visitors } from '../access/visitor.ts';
import type { Overview } from '../api-types.ts';
import type { Live } from '../charts/live.ts';
import {
  history,
  type Range,
  releaseWindows,
  restarts,
  routes,
  type Source,
  type Subject,
} from '../charts/queries.ts';
import { hostDetail, unitList } from '../charts/view.ts';
import { pageOfAlerts } from '../events/alert-log.ts';
import { pageOfRuns, readRun } from '../events/canaries.ts';
import { eventSchema, pageOfEvents, recordEvent } from '../events/events.ts';
import { pageOfRollouts, readRollout } from '../events/rollouts.ts';
import type { Ingest } from '../intake/ingest.ts';
import { type Asset, pageAssets } from './page.ts';

export interface HttpOptions {
  readonly source: Source;
  readonly ingest: Ingest;
  readonly live: Live;
  readonly overview: () => Overview;
  /** Text for Prometheus. */
  readonly metrics: () => string;
  /** Served over https: cookies are for https alone. */
  readonly secure: boolean;
  /** Proxies in front that may speak for visitors: addresses or networks. */
  readonly trustedProxies: readonly string[];
  readonly log: (line: string) => void;
}

const CSP = [
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

const LONGEST_MS = 91 * 86_400_000;
/** How long one stream lives. */
const STREAM_MS = 10 * 60_000;
const FULL = 'event: full\ndata: {}\n\n';

export function createHttp(options: HttpOptions): Hono<Env> {
  const { source, ingest, live, overview, metrics, secure } = options;
  const app = new Hono<Env>();
  const page = pageAssets();
  const visitorOf = visitors(options.trustedProxies);
  const visitor = (c: Request) =>
    visitorOf({
      remote: c.env.incoming.socket.remoteAddress ?? '',
      header: (name) => c.req.header(name),
    });
  const { enter, leave, required } = signIn({ redis: source.redis, secure, visitor, log: options.log });

  app.use(async (c, next) => {
    await next();
    c.res.headers.set('content-security-policy', CSP);
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
  });
  app.onError((error, c) => {
    options.log(`${c.req.method} ${c.req.path}: ${error.message}`);
    return c.json(
      { error: 'The hub cannot answer now. Its journal says why: journalctl -u pipeline-hub' },
      503,
    );
  });
  app.notFound((c) => c.json({ error: 'There is no such page.' }, 404));

  app.get('/', (c) => c.redirect('/dashboard'));
  app.get('/dashboard', (c) => serve(c, page.html, false));
  for (const [path, asset] of page.files) app.get(path, (c) => serve(c, asset, true));
  app.get('/api/health', (c) =>
    ingest.trouble === '' ? c.json({ ok: true }) : c.json({ ok: false, trouble: ingest.trouble }, 503),
  );

  // A page of another origin cannot set this type without asking first, and says where it comes from.
  app.use('/api/*', async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    const site = c.req.header('sec-fetch-site');
    const origin = c.req.header('origin');
    const foreign =
      (site !== undefined && site !== 'same-origin') ||
      (origin !== undefined && hostOf(origin) !== visitor(c).host);
    if (foreign || !(c.req.header('content-type') ?? '').startsWith('application/json'))
      return c.json({ error: 'This request does not come from the dashboard.' }, 403);
    return next();
  });
  const tooLarge = (c: Context) => c.json({ error: 'The request is too large.' }, 413);
  app.use('/api/*', bodyLimit({ maxSize: 16 * 1024, onError: tooLarge }));
  app.use('/api/*', compress({ encoding: 'gzip' }));
  app.use('/metrics', compress({ encoding: 'gzip' }));

  app.post('/api/sign-in', enter);
  app.use('/api/*', required);
  app.use('/metrics', async (c, next) => {
    const answer = await required(c, next);
    if (answer !== undefined) c.header('www-authenticate', 'Basic realm="pipeline monitor"');
    return answer;
  });

  app.post('/api/sign-out', leave);
  app.get('/api/session', (c) => c.json(c.get('user')));
  app.get('/api/overview', (c) => c.json(overview()));
  app.get('/api/history', async (c) => {
    const subject = subjectOf(c, source);
    const range = rangeOf(c);
    if (subject === undefined || range === undefined) return wrongQuery(c);
    return c.json(await history(source, subject, range, Date.now()));
  });
  app.get('/api/routes', async (c) => {
    const range = rangeOf(c);
    const name = c.req.query('app');
    if (range === undefined || name === undefined) return wrongQuery(c);
    const { baseline, candidate } = c.req.query();
    const compare = baseline !== undefined && candidate !== undefined ? { baseline, candidate } : undefined;
    return c.json(await routes(source, name, range, Date.now(), compare));
  });
  app.get('/api/release', async (c) => {
    const range = rangeOf(c);
    const { app: name, release } = c.req.query();
    if (range === undefined || name === undefined || release === undefined) return wrongQuery(c);
    return c.json({ windows: await releaseWindows(source, name, release, range, Date.now()) });
  });
  app.get('/api/host/:name', async (c) => {
    const host = ingest.fleet.get(c.req.param('name'));
    if (host === undefined) return c.json({ error: 'There is no such host.' }, 404);
    const now = Date.now();
    const day = { from: now - 86_400_000, to: now };
    return c.json(hostDetail(host.latest, await restarts(source, host.name, day, now)));
  });
  app.get('/api/events', async (c) => {
    const range = rangeOf(c);
    if (range === undefined) return wrongQuery(c);
    const { app: name, host, kind, before } = c.req.query();
    const kinds = kind === undefined ? [] : kind.split(',');
    const query = { ...range, kinds, app: name, host, before, limit: limitOf(c) };
    return c.json(await pageOfEvents(source.redis, query));
  });
  app.post('/api/events', async (c) => {
    if (c.get('user').role !== 'admin') return c.json({ error: 'Only an admin records events.' }, 403);
    const event = eventSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!event.success) return c.json({ error: z.prettifyError(event.error) }, 400);
    return c.json(await recordEvent(source.redis, event.data, Date.now()));
  });
  app.get('/api/alert-log', async (c) => {
    const { before, subject: about } = c.req.query();
    if (before !== undefined && !/^\d+-\d+$/.test(before)) return wrongQuery(c);
    return c.json(await pageOfAlerts(source.redis, { before, subject: about, limit: limitOf(c) }));
  });
  app.get('/api/canaries', async (c) => {
    const { app: name, before } = c.req.query();
    return c.json(await pageOfRuns(source.redis, { app: name, before, limit: limitOf(c) }));
  });
  app.get('/api/canaries/:id', async (c) => {
    const run = await readRun(source.redis, c.req.param('id'));
    return run === undefined ? c.json({ error: 'There is no such canary run.' }, 404) : c.json(run);
  });
  app.get('/api/rollouts', async (c) => {
    const { app: name, before } = c.req.query();
    return c.json(await pageOfRollouts(source.redis, { app: name, before, limit: limitOf(c) }));
  });
  app.get('/api/rollouts/:id', async (c) => {
    const found = await readRollout(source.redis, c.req.param('id'));
    return found === undefined ? c.json({ error: 'There is no such rollout.' }, 404) : c.json(found);
  });
  app.get('/api/units', (c) => {
    const { state, host } = c.req.query();
    return c.json(unitList(ingest.fleet.values(), { state, host }));
  });
  app.get('/api/stream', (c) => {
    const { outgoing } = c.env;
    const subject = subjectOf(c, source);
    outgoing.setHeader('content-security-policy', CSP);
    const compressed = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '');
    outgoing.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      ...(compressed ? { 'content-encoding': 'gzip' } : {}),
    });
    const sink = live.add(outgoing, subject, c.get('user').name, compressed);
    if (sink === undefined) {
      outgoing.end(compressed ? gzipSync(FULL) : FULL);
      return RESPONSE_ALREADY_SENT;
    }
    // Pages connect again by themselves: whoever may no longer sign in ends here.
    const end = setTimeout(() => outgoing.destroy(), STREAM_MS);
    outgoing.once('close', () => clearTimeout(end));
    sink.write(`event: overview\ndata: ${JSON.stringify(overview())}\n\n`);
    const since = Number(c.req.header('last-event-id'));
    // What was missed: the page reads it as history.
    if (since > 0) sink.write(`event: missed\ndata: ${JSON.stringify({ since })}\n\n`);
    return RESPONSE_ALREADY_SENT;
  });
  app.get('/metrics', (c) => {
    c.header('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    return c.body(metrics());
  });
  return app;
}

const LONGEST_NAME = 512;

function subjectOf(c: Request, { hosts }: Source): Subject | undefined {
  const query = c.req.query();
  if (Object.values(query).some((text) => text.length > LONGEST_NAME)) return undefined;
  const { host, app, method, route, release, baseline, candidate } = query;
  if (host !== undefined) return hosts.includes(host) ? { kind: 'host', name: host } : undefined;
  if (app === undefined || app === '') return undefined;
  const releases = release === undefined ? [baseline, candidate] : [release];
  return {
    kind: 'app',
    name: app,
    route: method !== undefined && route !== undefined ? { method, route } : undefined,
    releases: releases.filter((one) => one !== undefined),
  };
}

function rangeOf(c: Request): Range | undefined {
  const now = Date.now();
  const to = Math.min(Number(c.req.query('to') ?? now), now);
  const from = Math.max(Number(c.req.query('from')), now - LONGEST_MS);
  return from < to ? { from: Math.floor(from), to: Math.floor(to) } : undefined;
}

/** Entries of a page. */
function limitOf(c: Request): number {
  const limit = Math.floor(Number(c.req.query('limit') ?? 50));
  return limit >= 1 && limit <= 500 ? limit : 50;
}

function wrongQuery(c: Request) {
  return c.json({ error: 'Give host or app, and from and to in milliseconds since 1970.' }, 400);
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function serve(c: Request, asset: Asset, forever: boolean) {
  const accepts = c.req.header('accept-encoding') ?? '';
  const encoding = accepts.includes('br') ? 'br' : accepts.includes('gzip') ? 'gzip' : undefined;
  const body = encoding === 'br' ? asset.brotli : encoding === 'gzip' ? asset.gzip : asset.plain;
  c.header('content-type', asset.type);
  c.header('vary', 'accept-encoding');
  c.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (encoding !== undefined) c.header('content-encoding', encoding);
  return c.body(new Uint8Array(body));
}
