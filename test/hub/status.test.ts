/** The status page of a hub on a real Redis: counted, kept over restarts, told by people, put elsewhere. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AlertState } from '../../src/alerts/types.ts';
import { createHttp } from '../../src/hub/api/http.ts';
import { newHost, remember } from '../../src/hub/intake/fleet.ts';
import { goingOn, tellIncident } from '../../src/hub/status/people.ts';
import { StatusPage } from '../../src/hub/status/status.ts';
import { readDays } from '../../src/hub/status/store.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { redisUnavailable, TestRedis } from '../agent/redis-server.ts';
import { window } from '../metrics/windows.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/status.test.ts skipped: ${missing}\n`);

const NOON = Date.parse('2026-11-29T12:00:00Z');

describe.skipIf(missing !== undefined)('the status page', () => {
  let server: TestRedis;
  let redis: Redis;
  let place: Server;
  const put: { method: string; authorization: string; type: string; body: string }[] = [];
  let answer = 201;
  beforeAll(async () => {
    server = await TestRedis.start();
    redis = redisClient({ socket: server.socket }, () => {});
    await redis.connect();
    place = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const { authorization = '', 'content-type': type = '' } = request.headers;
      put.push({ method: request.method ?? '', authorization, type, body: Buffer.concat(parts).toString() });
      response.writeHead(answer).end();
    }).listen(0, '127.0.0.1');
    await once(place, 'listening');
  });
  afterAll(async () => {
    place?.close();
    redis?.destroy();
    await server?.remove();
  });
  beforeEach(async () => {
    await server.admin('FLUSHALL');
    put.length = 0;
  });

  function hub(clock: { now: number }, push?: string, folder?: string) {
    const host = newHost('secret-host-7');
    const states: AlertState[] = [];
    /** Whether the alerts are still to be read. */
    const known = { yet: false };
    const ingest = { fleet: new Map([[host.name, host]]), trouble: '', standby: false };
    const lines: string[] = [];
    const stop = new AbortController();
    const page = new StatusPage({
      page: { title: 'Example', apps: { shop: 'Web shop' }, push, folder },
      redis,
      ingest,
      states: () => (known.yet ? undefined : states),
      signal: stop.signal,
      log: (line) => lines.push(line),
      now: () => clock.now,
    });
    const check = { check: 'shop', target: 'http://10.1.2.3/', up: 1, duration: 1, error: '' };
    const look = async (seconds: number) => {
      for (let i = 0; i < seconds; i += 5) {
        clock.now += 5000;
        remember(host, window({ host: host.name, at: clock.now, checks: [check] }), clock.now);
        await page.look();
      }
    };
    const fire = () => {
      const key = `check|${host.name}|shop`;
      const about = {
        key,
        rule: 'check',
        subject: host.name,
        kind: 'host' as const,
        severity: 'critical' as const,
      };
      const message = `check shop from ${host.name} fails: connect ECONNREFUSED 10.1.2.3:80`;
      states.push({ ...about, message, state: 'firing', since: clock.now, seenAt: clock.now, fires: 1 });
    };
    return { page, known, ingest, look, fire, heal: () => states.splice(0), lines, stop };
  }

  it('counts what was seen, opens an incident with an alert, closes it, over restarts', async () => {
    const clock = { now: NOON };
    const one = hub(clock);
    await one.look(60);
    expect(one.page.html).toContain('All works.');
    one.fire();
    await one.look(30);
    expect(one.page.html).toContain('Web shop. It does not answer.');
    // Ten minutes without a hub count as nothing.
    clock.now += 600_000;
    const second = hub(clock);
    // Until it has read the alerts, nothing is over.
    second.known.yet = true;
    await second.look(5);
    expect(second.page.html).toContain('goes on');
    second.known.yet = false;
    second.fire();
    await second.look(30);
    second.heal();
    await second.look(30);
    expect(await goingOn(redis, clock.now)).toEqual([]);
    expect(second.page.html).toContain('All works.');
    expect(second.page.html.match(/<article>/g)).toHaveLength(1);
    const day = (await readDays(redis, clock.now)).get('shop')?.get('2026-11-29');
    expect(day).toEqual({ seen: 55_000 + 30_000 + 55_000, look: 0, broken: 30_000 + 25_000 });
    // No name, no address.
    for (const { html } of [one.page, second.page]) expect(html).not.toMatch(/secret-host|10\.1\.2\.3|ECONN/);
  });

  it('does not take its own blindness for an outage', async () => {
    const clock = { now: NOON };
    const one = hub(clock);
    await one.look(20);
    one.ingest.trouble = 'Redis is full';
    await one.look(60);
    expect(one.page.html).toContain('Not known');
    const day = (await readDays(redis, clock.now)).get('shop')?.get('2026-11-29');
    expect(day).toMatchObject({ seen: 15_000, broken: 0 });
  });

  it('has the words of people: to an incident of alerts, or to one that they open and close', async () => {
    const clock = { now: NOON };
    const one = hub(clock);
    const said = { app: 'shop', isEnd: false };
    await one.look(10);
    one.fire();
    await one.look(10);
    const added = await tellIncident(redis, { ...said, text: 'We are on it.', now: clock.now });
    expect(added.isNew).toBe(false);
    await expect(tellIncident(redis, { ...said, text: '', isEnd: true, now: clock.now })).rejects.toThrow(
      'Alerts opened',
    );
    const opened = await tellIncident(redis, { app: '', isEnd: false, text: 'We move.', now: clock.now });
    expect(opened.isNew).toBe(true);
    await one.look(5);
    expect(one.page.html).toContain('We are on it.');
    expect(one.page.html).toContain('We move.');
    await tellIncident(redis, { app: '', isEnd: true, text: 'Moved.', now: clock.now });
    await one.look(5);
    expect(one.page.html).toContain('Moved.');
    expect((await goingOn(redis, clock.now)).map(({ app }) => app)).toEqual(['shop']);
    await expect(tellIncident(redis, { app: '', isEnd: true, text: '', now: clock.now })).rejects.toThrow(
      'No incident goes on',
    );
  });

  it('forgets what is older than 90 days', async () => {
    const clock = { now: NOON - 100 * 86_400_000 };
    await hub(clock).look(30);
    await tellIncident(redis, { app: 'shop', isEnd: false, text: 'old', now: clock.now });
    await tellIncident(redis, { app: 'shop', isEnd: true, text: '', now: clock.now });
    clock.now = NOON;
    const one = hub(clock);
    await one.look(10);
    expect([...((await readDays(redis, NOON)).get('shop')?.keys() ?? [])]).toEqual(['2026-11-29']);
    expect(one.page.html).not.toContain('old');
    expect(await redis.exists(['hub:incidents', 'hub:incident-words'])).toBe(0);
  });

  it('is put elsewhere with a password in a header, and says once that it is not taken', async () => {
    const { port } = place.address() as AddressInfo;
    const clock = { now: NOON };
    answer = 201;
    const one = hub(clock, `http://ann:p%40ss@127.0.0.1:${port}/status/index.html`);
    const running = one.page.run();
    await expect.poll(() => put).toHaveLength(1);
    expect(put[0]).toMatchObject({
      method: 'PUT',
      authorization: `Basic ${Buffer.from('ann:p@ss').toString('base64')}`,
      type: 'text/html; charset=utf-8',
      body: one.page.html,
    });
    one.stop.abort();
    await running;
    answer = 403;
    const second = hub(clock, `http://ann:p%40ss@127.0.0.1:${port}/status/index.html`);
    const again = second.page.run();
    await expect
      .poll(() => second.lines)
      .toEqual([`The status page is not taken at 127.0.0.1:${port}: it answered 403.`]);
    second.stop.abort();
    await again;
  });

  it('is written to a folder, for everybody to read, and says that it cannot be', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'status-'));
    const one = hub({ now: NOON }, undefined, folder);
    const running = one.page.run();
    await expect.poll(() => readdirSync(folder)).toEqual(['index.html']);
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toBe(one.page.html);
    expect(statSync(join(folder, 'index.html')).mode & 0o777).toBe(0o644);
    one.stop.abort();
    await running;
    rmSync(folder, { recursive: true });
    const second = hub({ now: NOON }, undefined, folder);
    const again = second.page.run();
    await expect.poll(() => second.lines).toEqual([expect.stringMatching(/cannot be written: ENOENT/)]);
    second.stop.abort();
    await again;
  });

  it('is served to everybody, under a policy that lets nothing run, and only where it is wanted', async () => {
    const clock = { now: NOON };
    const { page, look } = hub(clock);
    await look(10);
    const served = (status: () => string | undefined) =>
      createHttp({
        status,
        trustedProxies: [],
        source: { redis },
        acting: {},
        secure: false,
      } as never).request('http://hub/status', {}, { incoming: { socket: { remoteAddress: '192.0.2.1' } } });
    const seen = await served(() => page.html);
    expect([seen.status, await seen.text()]).toEqual([200, page.html]);
    expect(seen.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(seen.headers.get('set-cookie')).toBeNull();
    expect((await served(() => undefined)).status).toBe(404);
  });
});
