/** What the hub answers over HTTP. Everything but sign-in and the page's own files needs a user. */
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { STATUS_CSP } from '../../alerts/status/page.ts';
import { type Env, type Request, signIn } from '../access/sign-in.ts';
import { visitors } from '../access/visitor.ts';
import type { Overview } from '../api-types.ts';
import type { Live } from '../charts/live.ts';
import type { ChartSource } from '../charts/queries.ts';
import type { Ingest } from '../intake/ingest.ts';
import type { LogReader } from '../logs/ask.ts';
import { type Acting, actRoutes } from './acts.ts';
import { figureRoutes } from './figures.ts';
import { fromDashboard, safeHeaders, smallBodies } from './guard.ts';
import { logRoutes } from './logs.ts';
import { pageAssets, serve } from './page.ts';
import { pastRoutes } from './past.ts';
import { stream } from './stream.ts';

export interface HttpOptions {
  readonly source: ChartSource;
  readonly ingest: Ingest;
  readonly live: Live;
  readonly logs: LogReader;
  readonly acting: Acting;
  readonly overview: () => Overview;
  /** Text for Prometheus. */
  readonly metrics: () => string;
  /** The page for everybody; undefined: there is none. */
  readonly status: () => string | undefined;
  /** Served over https: cookies are sent over https only. */
  readonly secure: boolean;
  /** Proxies in front that may speak for visitors: addresses or networks. */
  readonly trustedProxies: readonly string[];
  readonly log: (line: string) => void;
}

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

  app.use(safeHeaders(secure));
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
  app.get('/status', (c) => {
    const html = options.status();
    if (html === undefined) return c.notFound();
    c.header('content-security-policy', STATUS_CSP);
    c.header('cache-control', 'public, max-age=10');
    return c.html(html);
  });
  app.get('/api/health', (c) =>
    ingest.trouble === '' ? c.json({ ok: true }) : c.json({ ok: false, trouble: ingest.trouble }, 503),
  );

  app.use('/api/*', fromDashboard(visitor));
  app.use('/api/*', smallBodies);
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
  figureRoutes(app, source, ingest);
  pastRoutes(app, source.redis);
  actRoutes(app, options.acting);
  logRoutes(app, ingest, options.logs);
  app.get('/api/stream', stream(source, live, overview));
  app.get('/metrics', (c) => {
    c.header('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    return c.body(metrics());
  });
  return app;
}
