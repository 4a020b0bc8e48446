/** What a site does besides passing requests on, by the real nginx. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Site } from '../../src/proxy/proxy.ts';
import { reconcileSite } from '../../src/proxy/scripts.ts';
import { startLoad } from '../support/load.ts';
import { freePort, nginxUnavailable, RealNginx } from './real-nginx.ts';

const unavailable = nginxUnavailable();

describe.skipIf(unavailable !== undefined)(`the site of an application (${unavailable ?? 'nginx'})`, () => {
  const nginx = new RealNginx();
  let port = 0;
  let behind = 0;
  let answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    response.end('service');
  const service = createServer((incoming, response) => answer(incoming, response));

  const site = (more: Partial<Site> = {}): Site => ({
    app: 'shop',
    domains: [],
    port,
    routes: ['/api'],
    static: 'public',
    root: '/srv/shop',
    maxBodyBytes: 1_000_000,
    readTimeoutMs: 5000,
    headers: {},
    colours: { blue: { servers: [`127.0.0.1:${behind}`] }, green: { servers: [] } },
    fallback: true,
    ...more,
  });
  const put = (of: Site) => nginx.shell(reconcileSite(of));
  const ask = (path: string, options: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...options });

  function file(path: string, text: string): void {
    const at = join(nginx.folder, 'srv/shop/releases/r1/app', path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
  }

  beforeAll(async () => {
    port = await freePort();
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', () => resolve()));
    behind = (service.address() as AddressInfo).port;
    for (const path of ['index.html', 'assets/index-BxY3k_9a.js', 'assets/photo.js', 'main.0123abcd.css.map'])
      file(`public/${path}`, path);
    file('public/_next/static/x/page.js', 'x');
    file('pages/404.html', 'none of ours');
    file('pages/502.html', 'gone fishing');
    symlinkSync('releases/r1', join(nginx.folder, 'srv/shop/blue'));
    await nginx.start();
  }, 60_000);
  afterAll(async () => {
    service.closeAllConnections();
    service.close();
    await nginx.stop();
  });

  test('leads elsewhere, with the query, and never decodes what visitors send', async () => {
    const redirects = [
      { from: '/old', to: '/new', status: 301 },
      { from: '/blog/*', to: 'https://blog.example/*', status: 308 },
      { from: '/blog/about/*', to: '/about', status: 308 },
      { from: '/q', to: '/find?a=1', status: 302 },
    ] as const;
    await put(site({ redirects }));
    const leads = async (path: string, method = 'GET') => {
      const { status, headers } = await ask(path, { method });
      return `${status} ${headers.get('location')}`;
    };
    expect(await leads('/old?x=1&y=%20')).toBe('301 /new?x=1&y=%20');
    expect(await leads('/older')).toBe('404 null');
    expect(await leads('/blog/2026/a%0d%0aSet-Cookie:%20x?p=2', 'POST')).toBe(
      '308 https://blog.example/2026/a%0d%0aSet-Cookie:%20x?p=2',
    );
    expect(await leads('/blog/about/us')).toBe('308 /about');
    expect(await leads('/q?b=2')).toBe('302 /find?a=1');
  }, 60_000);

  test('lets browsers keep files whose name changes with them, and asks anew for pages', async () => {
    await put(site());
    const kept = async (path: string) => (await ask(path)).headers.get('cache-control');
    const forever = 'public, max-age=31536000, immutable';
    expect(await kept('/')).toBe('no-cache');
    expect(await kept('/assets/index-BxY3k_9a.js')).toBe(forever);
    expect(await kept('/main.0123abcd.css.map')).toBe(forever);
    expect(await kept('/_next/static/x/page.js')).toBe(forever);
    expect(await kept('/assets/photo.js')).toBe('max-age=300');
    expect(await kept('/assets/gone-BxY3k_9a.js')).toBeNull();
    expect((await ask('/assets/photo.js')).headers.get('x-frame-options')).toBe('SAMEORIGIN');
  }, 60_000);

  test('adds headers by path; elsewhere they are what they were', async () => {
    answer = (_, response) => {
      response.setHeader('X-Robots-Tag', 'service');
      response.end();
    };
    const pathHeaders = {
      '/assets/': { 'Cache-Control': 'max-age=7' },
      '/api/in': { 'X-Robots-Tag': 'none', 'X-Frame-Options': 'DENY', 'Cache-Control': 'no-store' },
      '/api/': { 'X-Robots-Tag': 'all' },
    };
    await put(site({ pathHeaders, headers: { 'X-Note': 'a "b"' } }));
    const said = async (path: string, ...names: string[]) => {
      const { headers } = await ask(path);
      return names.map((name) => headers.get(name));
    };
    const names = ['x-robots-tag', 'x-frame-options', 'cache-control'];
    expect(await said('/api/in/x', ...names)).toEqual(['none', 'DENY', 'no-store']);
    expect(await said('/api/x', ...names)).toEqual(['all', 'SAMEORIGIN', null]);
    expect(await said('/api', ...names)).toEqual(['service', 'SAMEORIGIN', null]);
    expect(await said('/assets/index-BxY3k_9a.js', ...names)).toEqual([null, 'SAMEORIGIN', 'max-age=7']);
    expect(await said('/', ...names)).toEqual([null, 'SAMEORIGIN', 'no-cache']);
  }, 60_000);

  test('has pages of its own for what nginx answers itself', async () => {
    answer = (_, response) => {
      response.statusCode = 404;
      response.end('not here');
    };
    await put(
      site({
        errors: { 404: 'pages/404.html', 502: 'pages/502.html', 413: 'pages/none.html' },
        routes: ['/api', '/gone'],
        maxBodyBytes: 10,
      }),
    );
    const said = async (path: string, options?: RequestInit) => {
      const given = await ask(path, options);
      return `${given.status} ${(await given.text()).split('\n')[0]}`;
    };
    expect(await said('/nothing')).toBe('404 none of ours');
    expect(await said('/api/nothing')).toBe('404 not here');
    expect(await said('/api', { method: 'POST', body: 'x'.repeat(11) })).toContain('413 <html>');
    answer = (incoming) => incoming.socket.destroy();
    expect(await said('/gone')).toBe('502 gone fishing');
    expect(await said('/gone', { method: 'POST' })).toBe('502 gone fishing');
    expect(await said('/.pipeline-error-502')).toContain('404');
  }, 60_000);

  test('asks for a password, which the service never sees', async () => {
    let seen: string | undefined = 'none';
    answer = (incoming, response) => {
      seen = incoming.headers.authorization;
      response.end('in');
    };
    const auth = join(nginx.folder, 'auth');
    writeFileSync(auth, 'ann:{PLAIN}secret\n');
    await put(site({ auth: { path: auth, text: null } }));
    const as = (word: string) => ({ headers: { authorization: `Basic ${btoa(word)}` } });
    expect((await ask('/')).status).toBe(401);
    expect((await ask('/api', as('ann:wrong'))).status).toBe(401);
    expect((await ask('/api', as('ann:secret'))).status).toBe(200);
    expect(seen).toBeUndefined();
    expect((await ask('/', as('ann:secret'))).status).toBe(200);
  }, 60_000);

  test('closes for maintenance with a page, and opens again, without a reload', async () => {
    answer = (_, response) => response.end('in');
    await put(site({ challenges: true }));
    const workers = nginx.workers();
    await nginx.shell('site_close shop "Sun, 29 Nov 2026 13:00:00 GMT" "{}"', '<h1>Back for $5</h1>');
    for (const options of [{}, { method: 'POST', body: 'x' }, { method: 'PUT', body: 'x' }]) {
      const closed = await ask('/api/x', options);
      expect(closed.status).toBe(503);
      expect(await closed.text()).toBe('<h1>Back for $5</h1>');
      expect(closed.headers.get('retry-after')).toBe('Sun, 29 Nov 2026 13:00:00 GMT');
      expect(closed.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(closed.headers.get('x-pipeline-maintenance')).toBe('on');
    }
    expect((await ask('/.well-known/acme-challenge/x')).status).not.toBe(503);
    await nginx.shell('site_close shop 300 "{}"', 'soon');
    expect((await ask('/')).headers.get('retry-after')).toBe('300');
    expect((await nginx.shell('ls $proxy_live/shop $proxy_state/shop')).match(/closed.300/g)).toHaveLength(2);
    await nginx.shell('site_open shop; site_open shop');
    expect(await (await ask('/api')).text()).toBe('in');
    expect((await nginx.shell('ls $proxy_live/shop $proxy_state/shop')).includes('closed')).toBe(false);
    expect(nginx.workers()).toEqual(workers);
    await delay(400);
    expect(nginx.log('/var/log/nginx/pipeline/shop.json.log')).not.toContain('"status":503');
  }, 60_000);

  test('passes events on as they come, and answers with 31 KB of headers', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-large': 'x'.repeat(31_000) });
      response.write('data: first\n\n');
    };
    await put(site());
    const first = await new Promise<string>((resolve, reject) => {
      const headers = { accept: 'text/event-stream' };
      const asked = request(
        { port, path: '/api/events', headers, maxHeaderSize: 40_000, timeout: 3000 },
        (events) => {
          events.once('data', (data) => {
            resolve(String(data));
            asked.destroy();
          });
        },
      );
      asked.on('timeout', () => asked.destroy(new Error('no event came')));
      asked.on('error', reject);
      asked.end();
    });
    expect(first).toBe('data: first\n\n');
  }, 60_000);

  test('streams what is sent, where it shall', async () => {
    let came: () => void = () => {};
    const first = new Promise<void>((resolve) => {
      came = resolve;
    });
    answer = (incoming, response) => {
      incoming.once('data', came);
      incoming.on('end', () => response.end('all'));
    };
    await put(site({ unbuffered: true }));
    const asked = request({ port, path: '/api/upload', method: 'POST' });
    asked.on('error', () => {});
    asked.write('a part');
    await first;
    asked.destroy();
  }, 60_000);

  test.each([
    { keepAlive: true, routes: ['/api'] },
    { keepAlive: false, routes: ['/api'] },
    // Where there is no file, the service answers.
    { keepAlive: true, routes: ['/'] },
  ])(
    'loses no request where its file changes: %j',
    async ({ keepAlive, routes }) => {
      answer = (incoming, response) => {
        incoming.resume();
        incoming.on('end', () => setTimeout(() => response.end('in'), 2));
      };
      await put(site({ routes }));
      const url = `http://127.0.0.1:${port}/api`;
      const load = startLoad({ url, rate: 500, keepAlive, method: 'POST', body: 'five!' });
      await delay(300);
      for (let turn = 0; turn < 3; turn++) await put(site({ routes, maxBodyBytes: 1000 + turn }));
      await delay(300);
      const { others, ok, sent } = await load.stop();
      expect(others).toEqual({});
      expect(ok).toBe(sent);
      expect(existsSync(join(nginx.folder, 'live/.leaving'))).toBe(false);
    },
    60_000,
  );
});
