/**
 * What people do on the dashboard, over real connections to a hub on a real Redis: silences, troubles that
 * somebody takes, who may, what another site can make a browser do, and what the audit log says.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { alertsSchema } from '../../src/config/schema.ts';
import { setUser } from '../../src/hub/access/users.ts';
import type { Overview } from '../../src/hub/api-types.ts';
import { runHub } from '../../src/hub/hub.ts';
import { ALERTS, SILENCES, TAKEN } from '../../src/hub/store/keys.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { freePort, redisUnavailable, TestRedis } from '../agent/redis-server.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/acts.test.ts skipped: ${missing}\n`);

describe.skipIf(missing !== undefined)('on the dashboard', () => {
  const folder = mkdtempSync(join(tmpdir(), 'acts-'));
  const log = join(folder, 'audit.jsonl');
  const stop = new AbortController();
  let server: TestRedis;
  let redis: Redis;
  let base = '';
  let running: Promise<void>;
  const cookies: Record<string, string> = {};
  const key = 'check|web|shop';

  beforeAll(async () => {
    server = await TestRedis.start();
    redis = redisClient({ socket: server.socket }, () => {});
    await redis.connect();
    // A trouble that a hub before this one has told of.
    const now = Date.now();
    const trouble = { key, rule: 'check', severity: 'critical', subject: 'web', kind: 'host' };
    const state = { state: 'firing', since: now, seenAt: now, firedAt: now, fires: 5, told: 'critical' };
    await redis.hSet(ALERTS, key, JSON.stringify({ ...trouble, ...state, message: 'check shop fails' }));
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const { rules, own } = alertsSchema.parse({ own: { slow: 'cpu > 90%' } });
    const listen = { address: '127.0.0.1', port };
    const hub = {
      hosts: ['web'],
      intervalSeconds: 2,
      redis: { socket: server.socket },
      listen,
      auditLog: log,
    };
    running = runHub({ ...hub, rules, own, quiet: undefined, targets: [] }, stop.signal, () => {});
    while (
      !(await fetch(`${base}/dashboard`).then(
        ({ ok }) => ok,
        () => false,
      ))
    )
      await sleep(20);
    for (const [name, role] of [
      ['ann', 'admin'],
      ['vic', 'viewer'],
    ] as const) {
      const password = await setUser(redis, name, role);
      const answer = await post('/api/sign-in', { user: name, password });
      cookies[name] = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    }
  });
  afterAll(async () => {
    stop.abort();
    await running;
    redis?.destroy();
    await server?.remove();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => redis.del([SILENCES, TAKEN]));

  const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${base}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...headers },
      body: JSON.stringify(body),
    });
  const as = (name: string, path: string, body: unknown, headers = {}) =>
    post(path, body, { cookie: cookies[name] ?? '', ...headers });
  const see = async () => {
    const answer = await fetch(`${base}/api/overview`, { headers: { cookie: cookies.vic ?? '' } });
    return (await answer.json()) as Overview;
  };
  const audited = () =>
    readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
  const silence = { subject: 'web', ms: 3_600_000, why: 'new disk' };

  it('an admin silences, everybody sees it, and the audit log and the events say who and why', async () => {
    expect((await as('ann', '/api/silences', silence)).status).toBe(200);
    await expect.poll(async () => (await see()).silences).toHaveLength(1);
    expect((await see()).silences[0]).toMatchObject({ subject: 'web', why: 'new disk', by: 'ann' });
    expect(audited().at(-1)).toMatchObject({
      by: 'ann',
      action: 'silence',
      subject: 'web',
      message: 'for 1 h: new disk',
    });
    const events = await fetch(`${base}/api/events?from=0`, { headers: { cookie: cookies.ann ?? '' } });
    expect(await events.json()).toMatchObject({
      events: [{ kind: 'change', by: 'ann', hosts: ['web'], text: 'silence web: for 1 h: new disk' }],
    });
    expect((await as('ann', '/api/silences/end', { subject: 'web' })).status).toBe(200);
    await expect.poll(async () => (await see()).silences).toEqual([]);
    expect(audited().at(-1)).toMatchObject({ action: 'unsilence', subject: 'web' });
    expect((await as('ann', '/api/silences/end', { subject: 'web' })).status).toBe(404);
  });

  it('an admin takes a trouble and gives it back', async () => {
    expect((await as('ann', '/api/taken', { key })).status).toBe(200);
    const taken = async () => (await see()).alerts.find((alert) => alert.key === key)?.taken?.by;
    await expect.poll(taken).toBe('ann');
    expect(audited().at(-1)).toMatchObject({
      action: 'acknowledge',
      subject: 'web',
      message: 'check shop fails',
    });
    expect((await as('ann', '/api/taken', { key, end: true })).status).toBe(200);
    await expect.poll(taken).toBeUndefined();
    expect((await as('ann', '/api/taken', { key: 'check|web|other' })).status).toBe(404);
    // What a command takes is one trouble by its key, and no host's whole list.
    expect((await as('ann', '/api/taken', { key: 'web' })).status).toBe(404);
  });

  it('a viewer and a stranger do nothing', async () => {
    const acts = [
      ['/api/silences', silence],
      ['/api/silences/end', { subject: 'web' }],
      ['/api/taken', { key }],
    ] as const;
    for (const [path, body] of acts) {
      expect((await as('vic', path, body)).status, path).toBe(403);
      expect((await post(path, body)).status, path).toBe(401);
    }
    expect(await redis.exists([SILENCES, TAKEN])).toBe(0);
  });

  it('another site does nothing with the session of an admin', async () => {
    const foreign: Readonly<Record<string, string>>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      // What a form of another site can send without being asked first.
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
    ];
    for (const headers of foreign)
      for (const [path, body] of [
        ['/api/silences', silence],
        ['/api/taken', { key }],
      ] as const)
        expect((await as('ann', path, body, headers)).status, JSON.stringify(headers)).toBe(403);
    expect(await redis.exists([SILENCES, TAKEN])).toBe(0);
  });

  it.each([
    ['nothing', {}],
    ['no reason', { ...silence, why: '  ' }],
    ['no time', { ...silence, ms: 0 }],
    ['a time without end', { ...silence, ms: 31 * 86_400_000 }],
    ['a number that is none', { ...silence, ms: 'long' }],
    ['what no alert is about', { ...silence, subject: 'nobody' }],
    ['a word of the program', { ...silence, subject: 'constructor' }],
    ['more than is asked', { ...silence, extra: 1 }],
  ])('refuses a silence with %s', async (_title, body) => {
    expect((await as('ann', '/api/silences', body)).status).toBe(400);
    expect(await redis.exists(SILENCES)).toBe(0);
  });

  it.each(['all', 'latency', 'slow'])('takes a silence of %s', async (subject) => {
    expect((await as('ann', '/api/silences', { ...silence, subject })).status).toBe(200);
  });
});
