import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setUser } from '../../src/hub/access/users.ts';
import { createHttp } from '../../src/hub/api/http.ts';
import { Live } from '../../src/hub/charts/live.ts';
import { AppSparks } from '../../src/hub/charts/sparks.ts';
import { overview } from '../../src/hub/charts/view.ts';
import { admit, NOWHERE, type Position } from '../../src/hub/intake/admit.ts';
import { Ingest } from '../../src/hub/intake/ingest.ts';
import { LogReader } from '../../src/hub/logs/ask.ts';
import { inbox } from '../../src/hub/store/keys.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { nothingOpen, readWindows, take } from '../../src/hub/store/windows.ts';
import type { Window } from '../../src/metrics/catalogue.ts';
import { TIERS } from '../../src/metrics/tiers.ts';
import { encodeSample } from '../../src/metrics/wire.ts';
import { redisUnavailable, TestRedis } from '../agent/redis-server.ts';
import { window } from '../metrics/windows.ts';

const NOW = 1_800_000_000_000;
const sample = (sequence: number, at: number, extra: Partial<Window> = {}, sentAt = at) =>
  encodeSample({
    window: window({ host: 'web', at, seconds: 2, ...extra }),
    instance: 'one',
    sequence,
    sentAt,
  });
const route = (requests: number) => ({
  server: 'nginx',
  app: 'shop',
  colour: 'blue',
  release: 'r1',
  method: 'GET',
  route: '/<script>alert(1)</script>',
  requests,
  status_2xx: requests,
  status_3xx: 0,
  status_4xx: 0,
  status_5xx: 0,
  retries: 0,
  bytes: 0,
  latency: { sum: 10, zero: 0, counts: { 100: requests } },
  size: { sum: 10, zero: 0, counts: { 100: requests } },
});

describe('a sample is', () => {
  const honest = sample(0, NOW);
  const cases: [string, string, Record<string, string>, Position, string][] = [
    ['admitted where it is honest', `${NOW}-0`, honest, NOWHERE, 'window'],
    ['refused under another host’s name', `${NOW}-0`, { ...honest, h: 'db' }, NOWHERE, 'refused'],
    ['refused with a number that is none', `${NOW}-0`, { ...honest, s: 'NaN' }, NOWHERE, 'refused'],
    ['refused with a negative number', `${NOW}-0`, { ...honest, s: '-1' }, NOWHERE, 'refused'],
    ['refused with a huge number', `${NOW}-0`, { ...honest, t: '9e99' }, NOWHERE, 'refused'],
    ['refused where it is malformed', `${NOW}-0`, { ...honest, system: '[[' }, NOWHERE, 'refused'],
    ['refused with 1 MB in a field', `${NOW}-0`, { ...honest, system: '['.repeat(1e6) }, NOWHERE, 'refused'],
    [
      'known where it was sent again',
      `${NOW}-0`,
      honest,
      { ...NOWHERE, instance: 'one', sequence: 0 },
      'duplicate',
    ],
    [
      'no longer let through where its id blocks the inbox',
      '18446744073709551615-1',
      honest,
      NOWHERE,
      'blocked',
    ],
  ];
  it.each(cases)('%s', (_title, id, message, last, kind) =>
    expect(admit('web', { id, message }, last, NOW).kind).toBe(kind),
  );

  it.each([-3_600_000, 3_600_000])('stamped by the hub’s clock where its own is %s ms off', (off) => {
    const admitted = admit('web', { id: `${NOW}-0`, message: sample(0, NOW + off) }, NOWHERE, NOW);
    expect(admitted).toMatchObject({ kind: 'window', window: { at: NOW }, position: { aheadMs: off } });
  });
});

it('roll-ups keep every request', () => {
  const open = nothingOpen();
  const written = new Map<string, number>();
  for (let i = 0; i < 700; i++) {
    const step = take(window({ host: 'web', at: NOW + i * 2000, seconds: 2, routes: [route(3)] }), open);
    for (const { key, fields } of step.entries)
      if (key.includes(':routes:'))
        written.set(key, (written.get(key) ?? 0) + Number(JSON.parse(fields.routes ?? '[]')[0][7]));
  }
  const openRequests = open.map((one) => one.window()?.routes[0]?.requests ?? 0);
  expect(written.get('w:raw:routes:web')).toBe(2100);
  expect((written.get('w:minute:routes:web') ?? 0) + (openRequests[0] ?? 0)).toBe(2100);
  expect(
    (written.get('w:ten-minutes:routes:web') ?? 0) + (openRequests[0] ?? 0) + (openRequests[1] ?? 0),
  ).toBe(2100);
});

const missing = redisUnavailable();
if (missing !== undefined)
  process.stderr.write(`test/hub/ingest.test.ts, hub on Redis, skipped: ${missing}\n`);

describe.skipIf(missing !== undefined)('the hub on a real Redis', () => {
  let server: TestRedis;
  let redis: Redis;
  let reader: Redis;
  beforeAll(async () => {
    server = await TestRedis.start();
    [redis, reader] = [
      redisClient({ socket: server.socket }, () => {}),
      redisClient({ socket: server.socket }, () => {}),
    ];
    await Promise.all([redis.connect(), reader.connect()]);
  });
  afterAll(async () => {
    redis?.destroy();
    reader?.destroy();
    await server?.remove();
  });

  /** A hub that runs until `done`. */
  async function hub(done: (ingest: Ingest) => Promise<boolean>): Promise<Ingest> {
    const stop = new AbortController();
    const ingest = new Ingest({ hosts: ['web', 'db'], redis, reader, signal: stop.signal, log: () => {} });
    const running = ingest.run();
    for (let i = 0; i < 200 && !(await done(ingest)); i++) await sleep(50);
    stop.abort();
    await running;
    return ingest;
  }
  const raw = () =>
    readWindows(
      redis,
      TIERS[0] as (typeof TIERS)[number],
      'host',
      'web',
      { from: 0, to: Number.MAX_SAFE_INTEGER },
      ['system'],
    );

  it('takes each sample once over restarts, refuses forged ones, and empties a blocked inbox', async () => {
    const at = Date.now() - 60_000;
    for (let i = 0; i < 10; i++) await redis.xAdd(inbox('web'), '*', sample(i, at + i * 2000));
    await redis.xAdd(inbox('web'), '*', { h: 'db', evil: 'yes' });
    const first = await hub(async ({ fleet }) => fleet.get('web')?.refused === 1);
    expect(first.fleet.get('web')?.refusal).not.toBe('');
    expect(await raw()).toHaveLength(10);
    for (let i = 8; i < 15; i++) await redis.xAdd(inbox('web'), '*', sample(i, at + i * 2000));
    await hub(async () => (await raw()).length === 15);
    await redis.xAdd(inbox('web'), '18446744073709551615-1', sample(15, at + 30_000));
    await hub(async ({ fleet }) => fleet.get('web')?.refused === 1);
    await redis.xAdd(inbox('web'), '*', sample(16, at + 32_000));
    await hub(async () => (await raw()).length === 16);
    expect((await raw()).map(({ at: time }) => time)).toEqual([
      ...new Set((await raw()).map(({ at: time }) => time)),
    ]);
  });

  it('tells listeners of a window with its routes by application, and apart', async () => {
    const routes = [route(3), { ...route(4), route: '/other' }];
    await redis.xAdd(inbox('db'), '*', sample(0, Date.now(), { host: 'db', routes }));
    const heard: number[][] = [];
    await hub(async (ingest) => {
      if (heard.length === 0)
        ingest.listen(({ name }, summed, whole) => {
          if (name === 'db') heard.push([summed, whole].map((one) => one.routes.length));
        });
      return heard.length > 0;
    });
    expect(heard[0]).toEqual([1, 2]);
  });

  it('lets nobody in without a password, and nothing be done from another origin', async () => {
    const stop = new AbortController();
    const ingest = new Ingest({ hosts: ['web'], redis, reader, signal: stop.signal, log: () => {} });
    const password = await setUser(redis, 'ann', 'viewer');
    const app = createHttp({
      trustedProxies: [],
      source: { redis, hosts: ['web'], hostsOf: (app) => ingest.hostsOf(app), intervalSeconds: 2 },
      ingest,
      live: new Live(ingest),
      logs: new LogReader(redis),
      acting: { redis, audit: async () => {}, subjects: () => new Set() },
      overview: () =>
        overview(
          {
            fleet: ingest.fleet.values(),
            sparks: new AppSparks(),
            states: [],
            silences: [],
            taken: [],
            rules: [],
            canaries: [],
            rollouts: [],
            storage: null,
            remoteWrite: null,
            trouble: '',
          },
          Date.now(),
        ),
      metrics: () => '',
      status: () => undefined,
      secure: true,
      log: () => {},
    });
    const env = { incoming: { socket: { remoteAddress: '192.0.2.1' } } };
    const ask = (path: string, init: RequestInit = {}) => app.request(`http://hub${path}`, init, env);
    const signIn = (word: string, headers: Record<string, string> = {}) =>
      ask('/api/sign-in', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ user: 'ann', password: word }),
      });
    for (const path of [
      '/api/overview',
      '/api/history?host=web&from=0',
      '/metrics',
      '/api/stream',
      '/api/alert-log',
    ])
      expect((await ask(path)).status, path).toBe(401);
    expect((await signIn(password, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await signIn(password, { 'content-type': 'text/plain' })).status).toBe(403);
    const entered = await signIn(password, { cookie: '__Host-pipeline=fixed-by-somebody' });
    const cookie = entered.headers.get('set-cookie') ?? '';
    expect(entered.status).toBe(200);
    expect(cookie).toMatch(/^__Host-pipeline=(?!fixed).*HttpOnly; Secure; SameSite=Strict/);
    const session = { cookie: cookie.split(';')[0] ?? '', 'content-type': 'application/json' };
    const page = await ask('/api/overview', { headers: session });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect((await ask('/api/events', { method: 'POST', headers: session, body: '{}' })).status).toBe(403);
    await ask('/api/sign-out', { method: 'POST', headers: session, body: '{}' });
    expect((await ask('/api/overview', { headers: session })).status).toBe(401);
    const answers: number[] = [];
    for (let i = 0; i < 10; i++) answers.push((await signIn('wrong')).status);
    expect(answers.slice(0, 8)).toEqual(Array(8).fill(401));
    expect((await signIn(password)).status).toBe(429);
  });
});
