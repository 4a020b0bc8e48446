/**
 * The door of the dashboard, over real connections to a hub on a real Redis: who gets in, and what strangers
 * can do.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertsSchema } from '../../src/config/schema.ts';
import { hashPassword } from '../../src/hub/access/passwords.ts';
import { findUser, removeUser, setUser, type UserRole } from '../../src/hub/access/users.ts';
import { runHub } from '../../src/hub/hub.ts';
import { session as sessionKey, USERS } from '../../src/hub/store/keys.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { freePort, redisUnavailable, TestRedis } from '../agent/redis-server.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/sign-in.test.ts skipped: ${missing}\n`);

describe.skipIf(missing !== undefined)('the door of the dashboard', () => {
  let server: TestRedis;
  let redis: Redis;
  let port = 0;
  let base = '';
  let stop = new AbortController();
  let running: Promise<void>;
  let admin = '';
  let viewer = '';
  const lines: string[] = [];

  async function startHub(trustedProxies: string[] = []) {
    stop = new AbortController();
    const { rules, own } = alertsSchema.parse({});
    const config = {
      hosts: ['web'],
      intervalSeconds: 2,
      redis: { socket: server.socket },
      listen: { address: '127.0.0.1', port, trustedProxies },
      rules,
      own,
      quiet: undefined,
      targets: [],
    };
    running = runHub(config, stop.signal, (line) => lines.push(line));
    const answers = () =>
      fetch(`${base}/dashboard`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await answers())) await sleep(20);
  }

  beforeAll(async () => {
    server = await TestRedis.start();
    redis = redisClient({ socket: server.socket }, () => {});
    await redis.connect();
    port = await freePort();
    base = `http://127.0.0.1:${port}`;
    await startHub();
    [admin, viewer] = [await user('admin', 'admin'), await user('ann', 'viewer')];
  });
  /** As `setUser`, with a hash that is quick to check. */
  async function user(name: string, role: UserRole): Promise<string> {
    const password = await setUser(redis, name, role);
    const stored = await findUser(redis, name);
    const hash = await hashPassword(password, 2);
    await redis.hSet(USERS, name, JSON.stringify({ role, hash, generation: stored?.generation }));
    return password;
  }
  /** Tries are counted by a hub: a new one has seen none. */
  async function restart(trustedProxies?: string[]) {
    stop.abort();
    await running;
    await startHub(trustedProxies);
  }
  afterAll(async () => {
    stop.abort();
    await running;
    redis?.destroy();
    await server?.remove();
  });

  const json = { 'content-type': 'application/json' };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${base}${path}`, {
      method: 'POST',
      headers: { ...json, ...headers },
      body: JSON.stringify(body),
    });
  const enter = (user: string, password: string, headers?: Record<string, string>) =>
    post('/api/sign-in', { user, password }, headers);
  const cookieOf = (answer: Response) => (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const see = (headers: Record<string, string>, path = '/api/overview') =>
    fetch(`${base}${path}`, { headers }).then(({ status }) => status);
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });
  /** Sends bytes as they are. @returns the status line */
  async function raw(request: string): Promise<string> {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write(request);
    let answer = '';
    socket.on('data', (data) => (answer += data));
    await once(socket, 'close');
    return answer;
  }

  it('shows nothing but the empty page to whom it does not know', async () => {
    for (const path of [
      '/api/overview',
      '/api/session',
      '/api/alert-log',
      '/api/stream',
      '/metrics',
      '/api/nothing',
    ])
      expect(await see({}, path), path).toBe(401);
    expect(await see({ cookie: 'pipeline=made-up' })).toBe(401);
    const page = await fetch(`${base}/dashboard`);
    expect(page.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*script-src 'self';.*frame-ancestors 'none'/,
    );
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('knows visitors apart, and the host they asked for, behind a proxy that is trusted only', async () => {
    const through = (address: string) => ({
      origin: 'https://monitor.example',
      'x-forwarded-for': address,
      'x-forwarded-host': 'monitor.example',
      'x-forwarded-proto': 'https',
    });
    expect((await enter('ann', viewer, through('203.0.113.1'))).status).toBe(403);
    await restart(['127.0.0.1']);
    try {
      for (let tries = 0; tries < 8; tries++) await enter('ann', 'wrong', through('203.0.113.1'));
      expect((await enter('ann', viewer, through('203.0.113.1'))).status).toBe(429);
      const answer = await enter('ann', viewer, through('203.0.113.2'));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('set-cookie')).toMatch(/^__Host-pipeline=.*; Secure/);
    } finally {
      await restart();
      await server.admin('DEL', ...((await server.admin('KEYS', sessionKey('*'))) as string[]));
    }
  });

  it('says the same of a wrong password, an unknown user, and a name that cannot be one', async () => {
    const answers = await Promise.all(
      [
        ['ann', 'x'],
        ['nobody', 'x'],
        ['__proto__', 'x'],
        ["a' OR 1", 'x'],
        ['admin', ''],
      ].map(async ([user = '', password = '']) => {
        const answer = await enter(user, password);
        return [answer.status, await answer.text(), answer.headers.get('set-cookie')];
      }),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.[0]).toBe(401);
    expect(lines.join('\n')).not.toContain(admin);
  });

  it('gives a session that no script reads, no other site sends, and nobody chose before', async () => {
    const answer = await enter('ann', viewer, { cookie: 'pipeline=chosen-by-eve' });
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^pipeline=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(await see({ cookie: 'pipeline=chosen-by-eve' })).toBe(401);
    expect(await see({ cookie: cookieOf(answer) })).toBe(200);
    // Redis holds only its hash.
    const keys = (await server.admin('KEYS', sessionKey('*'))) as string[];
    expect(keys).toHaveLength(1);
    expect(keys[0]).not.toContain(cookieOf(answer).split('=')[1]);
  });

  it('ends sessions at sign-out, with a new password, with the user, and after a week', async () => {
    const cookie = async (user: string, password: string) => cookieOf(await enter(user, password));
    const left = await cookie('ann', viewer);
    expect((await post('/api/sign-out', {}, { cookie: left })).status).toBe(200);
    expect(await see({ cookie: left })).toBe(401);

    const old = await cookie('ann', viewer);
    expect(await see(basic('ann', viewer))).toBe(200);
    const before = viewer;
    viewer = await user('ann', 'viewer');
    expect(await see({ cookie: old })).toBe(401);
    expect(await see(basic('ann', before))).toBe(401);
    expect((await enter('ann', before)).status).toBe(401);

    const bob = await user('bob', 'viewer');
    const removed = await cookie('bob', bob);
    await removeUser(redis, 'bob');
    expect(await see({ cookie: removed })).toBe(401);

    const last = await cookie('ann', viewer);
    for (const key of (await server.admin('KEYS', sessionKey('*'))) as string[]) {
      const seconds = Number(await server.admin('TTL', key));
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(604_800);
    }
    expect(await see({ cookie: last })).toBe(200);
  });

  it('shuts after eight wrong passwords for whoever sent them, and not for everybody', async () => {
    await restart();
    const statuses: number[] = [];
    for (let i = 0; i < 9; i++) statuses.push((await enter('admin', `wrong ${i}`)).status);
    expect(statuses).toEqual([...Array<number>(8).fill(401), 429]);
    const shut = await enter('admin', admin);
    expect(shut.status).toBe(429);
    expect(Number(shut.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await see(basic('admin', admin))).toBe(429);
    // The same address as another user, and the same user from another address (127.0.0.2 is one).
    expect((await enter('ann', viewer)).status).toBe(200);
    const body = JSON.stringify({ user: 'admin', password: admin });
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    socket.write(
      'POST /api/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200/);
    socket.destroy();
  });

  it('does not count what was right: programs that ask often are not shut out', async () => {
    await restart();
    for (let i = 0; i < 40; i++) expect((await enter('ann', viewer)).status).toBe(200);
    expect(await see(basic('ann', viewer), '/metrics')).toBe(200);
  });

  it('looks at so many passwords side by side and no more', async () => {
    await restart();
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => (await enter(`user${i}`, 'x')).status),
    );
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect((await enter('ann', viewer)).status).toBe(200);
  });

  describe('changes nothing for a page of another site:', () => {
    beforeAll(() => restart());
    const changes = ['/api/sign-in', '/api/sign-out', '/api/events'];
    it.each<[string, Record<string, string>]>([
      ['another origin', { origin: 'http://evil.example' }],
      ['an origin that is none', { origin: 'null' }],
      ['another port', { origin: 'http://127.0.0.1:1' }],
      ['what the browser says', { 'sec-fetch-site': 'cross-site' }],
      ['a neighbour', { 'sec-fetch-site': 'same-site' }],
      ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['text', { 'content-type': 'text/plain' }],
    ])('%s', async (_title, headers) => {
      const cookie = cookieOf(await enter('admin', admin));
      for (const path of changes)
        expect((await post(path, {}, { cookie, ...headers })).status, path).toBe(403);
      expect(await see({ cookie })).toBe(200);
    });
    it('a GET changes nothing', async () => {
      const cookie = cookieOf(await enter('admin', admin));
      for (const path of changes) expect(await see({ cookie }, path), path).not.toBe(500);
      expect(await see({ cookie })).toBe(200);
    });
  });

  it('lets a viewer read and record nothing', async () => {
    const cookie = cookieOf(await enter('ann', viewer));
    const event = { kind: 'deploy', app: 'shop', text: 'shop is live' };
    expect((await post('/api/events', event, { cookie })).status).toBe(403);
    const chief = cookieOf(await enter('admin', admin));
    expect((await post('/api/events', event, { cookie: chief })).status).toBe(200);
  });

  it.each<[string, string, RegExp]>([
    ['a huge header', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431/],
    [
      'a body that is said to be huge',
      'POST /api/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        'Content-Length: 99999999\r\nConnection: close\r\n\r\n{',
      /^HTTP\/1\.1 413/,
    ],
    [
      'a path out of the folder',
      'GET /dashboard/../../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 404(?!.*root:)/s,
    ],
    [
      'an encoded path out of the folder',
      'GET /dashboard/%2e%2e%2f%2e%2e%2fetc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 404(?!.*root:)/s,
    ],
    [
      'a host that it is not',
      'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 302 (?!.*evil)/s,
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', /^HTTP\/1\.1 400/],
  ])('answers %s, and goes on', async (_title, request, status) => {
    expect(await raw(request)).toMatch(status);
    expect((await enter('ann', viewer)).status).toBe(200);
  });

  it('serves others while hundreds send their requests a byte at a time', async () => {
    const slow = Array.from({ length: 300 }, () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.write('GET /dashboard HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      return socket;
    });
    await sleep(50);
    expect((await enter('ann', viewer)).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });
});
