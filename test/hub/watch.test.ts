/** Alerts of a hub on a real Redis: over restarts of the hub, and while Redis is away. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { alertsSchema } from '../../src/config/schema.ts';
import type { HubEvent } from '../../src/hub/api-types.ts';
import { growthOf, Trends } from '../../src/hub/charts/trends.ts';
import type { HubConfig } from '../../src/hub/config.ts';
import { addSilence, beginSilence, endSilence, listSilences } from '../../src/hub/events/silences.ts';
import { newHost, remember } from '../../src/hub/intake/fleet.ts';
import type { Ingest, Listener } from '../../src/hub/intake/ingest.ts';
import { OUTBOX } from '../../src/hub/store/keys.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { nothingOpen, take } from '../../src/hub/store/windows.ts';
import { Watch } from '../../src/hub/watch.ts';
import type { Row, Window } from '../../src/metrics/catalogue.ts';
import { redisUnavailable, TestRedis } from '../agent/redis-server.ts';
import { window } from '../metrics/windows.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/watch.test.ts skipped: ${missing}\n`);

const NOW = 1_800_000_000_000;

describe.skipIf(missing !== undefined)('the watch of a hub', () => {
  let server: TestRedis;
  let redis: Redis;
  let place: Server;
  let beats = 0;
  const got: string[] = [];
  beforeAll(async () => {
    server = await TestRedis.start();
    redis = redisClient({ socket: server.socket }, () => {});
    await redis.connect();
    place = createServer(async (request, response) => {
      if (request.method === 'GET') beats++;
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const text = Buffer.concat(parts).toString();
      if (text !== '') got.push((JSON.parse(text) as { text: string }).text);
      response.end();
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
    got.length = 0;
  });

  /** A hub at a time of the test's own, which sees one host with a check. */
  function hub(clock: { now: number }, wanted: Readonly<Record<string, string>> = {}, after?: number) {
    const host = newHost('web');
    const samples: Listener[] = [];
    const listeners: ((mark: HubEvent) => void)[] = [];
    const ingest: { -readonly [K in 'trouble' | 'standby']: Ingest[K] } & Pick<
      Ingest,
      'fleet' | 'listen' | 'listenToEvents' | 'apps'
    > = {
      fleet: new Map([['web', host]]),
      trouble: '',
      standby: false,
      listen: (listener) => {
        samples.push(listener);
        return () => {};
      },
      apps: () => new Map(),
      listenToEvents: (listener) => listeners.push(listener),
    };
    const url = `http://127.0.0.1:${(place.address() as AddressInfo).port}/`;
    const { rules, own } = alertsSchema.parse({ own: wanted });
    const config: HubConfig = {
      hosts: ['web'],
      intervalSeconds: 2,
      redis: { socket: server.socket },
      listen: { address: '127.0.0.1', port: 0 },
      rules,
      own,
      quiet: undefined,
      repeat: undefined,
      silenceAfterDeploy: after,
      targets: [{ webhook: url }],
      heartbeat: { url, everyMs: 60_000 },
    };
    const lines: string[] = [];
    const watch = new Watch({
      config,
      source: { redis, hosts: ['web'], hostsOf: () => ['web'], intervalSeconds: 2 },
      ingest,
      signal: new AbortController().signal,
      log: (line) => lines.push(line),
      now: () => clock.now,
    });
    const check = (up: number) => ({
      checks: [{ check: 'site', target: 'http://web', up, duration: 1, error: up === 1 ? '' : 'no answer' }],
    });
    /** Looks once a second for so long. */
    const look = async (seconds: number, up: number, more: Partial<Window> = {}) => {
      for (let i = 0; i < seconds; i++) {
        clock.now += 1000;
        const sample = window({ host: 'web', at: clock.now, ...check(up), ...more });
        remember(host, sample, clock.now);
        for (const listener of samples) listener(host, sample, sample);
        await watch.look();
      }
      await Promise.race([watch.settle(), sleep(3000)]);
    };
    const hear = (one: HubEvent) => {
      for (const listener of listeners) listener(one);
    };
    return { watch, ingest, look, lines, hear };
  }

  it('tells once over restarts, and that it is over', async () => {
    const clock = { now: NOW };
    await hub(clock).look(35, 0);
    await expect.poll(() => got).toEqual(['Critical: Check site from web fails: no answer.']);
    await expect.poll(() => redis.hLen(OUTBOX)).toBe(0);
    // Ten minutes without a hub, then one that at first sees nothing of the check.
    clock.now += 600_000;
    const second = hub(clock);
    await second.watch.look();
    await second.look(30, 0);
    const third = hub(clock);
    await third.look(30, 1);
    await expect
      .poll(() => got)
      .toEqual([
        'Critical: Check site from web fails: no answer.',
        'Resolved: Check site from web fails: no answer.',
      ]);
  });

  it('tells also while Redis is away, and keeps that it was told when it is back', async () => {
    const clock = { now: NOW };
    const one = hub(clock);
    await one.look(5, 1);
    await server.kill();
    await one.look(40, 0).finally(() => server.resume());
    await expect.poll(() => got).toEqual(['Critical: Check site from web fails: no answer.']);
    expect(one.lines.filter((line) => line.startsWith('Redis does not')).length).toBeLessThan(6);
    await expect.poll(() => redis.isReady).toBe(true);
    await one.look(2, 0);
    await hub(clock).look(40, 0);
    expect(got).toHaveLength(1);
  });

  it('of two hubs, the one that waits tells nothing', async () => {
    const clock = { now: NOW };
    const waiting = hub(clock);
    waiting.ingest.standby = true;
    await waiting.look(40, 0);
    expect(got).toEqual([]);
  });

  it('tells of a deploy that failed, once, and of none that is old or went well', async () => {
    const clock = { now: NOW };
    const one = hub(clock);
    const failed: HubEvent = {
      id: '1',
      at: NOW,
      kind: 'deploy',
      action: 'deploy',
      app: 'shop',
      hosts: ['web'],
      result: 'failed',
      text: 'deploy shop r2: went back to r1',
    };
    one.hear({ ...failed, id: '2', result: 'live' });
    one.hear({ ...failed, id: '3', at: NOW - 3_600_000 });
    one.hear(failed);
    one.hear({ ...failed, hosts: ['web', 'web-2'] });
    await expect.poll(() => got).toEqual(['Warning: Failed: deploy shop r2: went back to r1.']);
    expect(await redis.xLen('hub:alert-log')).toBe(1);
  });

  it('tells nobody of what is silenced, over restarts, and tells what still lasts afterwards', async () => {
    const clock = { now: NOW };
    const silence = { subject: 'web', from: NOW, until: NOW + 90_000, why: 'new disk', by: 'ann@desk' };
    await addSilence(redis, silence);
    await hub(clock).look(40, 0);
    const second = hub(clock);
    await second.look(40, 0);
    expect(got).toEqual([]);
    expect(second.watch.silences).toEqual([silence]);
    await second.look(20, 0);
    await expect.poll(() => got).toEqual(['Critical: Check site from web fails: no answer.']);
    expect(await listSilences(redis, clock.now)).toEqual([]);
    expect(await redis.hLen('hub:silences')).toBe(0);
  });

  it('keeps one silence for each subject, of at most 30 days, and ends it when it is told to', async () => {
    const silence = { subject: 'web', from: NOW, until: NOW + 1000, why: 'a', by: 'ann@desk' };
    await addSilence(redis, silence);
    await addSilence(redis, { ...silence, until: NOW + 5000, why: 'b' });
    expect((await listSilences(redis, NOW)).map(({ why }) => why)).toEqual(['b']);
    await expect(addSilence(redis, { ...silence, until: NOW + 31 * 86_400_000 })).rejects.toThrow(
      'that long',
    );
    expect(await endSilence(redis, 'web')).toBe(true);
    expect(await endSilence(redis, 'web')).toBe(false);
  });

  it("tells by rules of one's own, also of what a hub before it saw begin", async () => {
    const clock = { now: NOW };
    const busy = (cpu: number) => ({ system: [{ cpu } as Row<'system'>] });
    const own = { busy: 'cpu > 90% for 90s' };
    await hub(clock, own).look(50, 1, busy(0.95));
    const second = hub(clock, own);
    await second.look(30, 1, busy(0.95));
    expect(got).toEqual([]);
    await second.look(15, 1, busy(0.95));
    await expect.poll(() => got).toEqual(['Warning: CPU on web is 95 %, above 90 %.']);
    await second.look(100, 1, busy(0.1));
    await expect
      .poll(() => got.slice(1))
      .toEqual([expect.stringMatching(/^Resolved: CPU on web is 9.* %, above 90 %\.$/)]);
  });

  it('tells nothing of an application after a deploy of it, where that is wanted, and what lasts then', async () => {
    const clock = { now: NOW };
    const one = hub(clock, {}, 60_000);
    await one.look(1, 1);
    const event = { id: '1', at: clock.now, kind: 'deploy', app: 'site', hosts: ['web'], action: 'deploy' };
    one.hear({ ...event, kind: 'deploy', result: 'live', text: 'deploy site r2', by: 'ann@desk' });
    await expect.poll(() => one.watch.silences).toMatchObject([{ subject: 'site', automatic: true }]);
    await one.look(45, 0);
    expect(got).toEqual([]);
    await one.look(20, 0);
    await expect.poll(() => got).toEqual(['Critical: Check site from web fails: no answer.']);
  });

  it('does not shorten with a deploy what somebody has silenced', async () => {
    const mine = { subject: 'site', from: NOW, until: NOW + 90_000, why: 'new disk', by: 'ann@desk' };
    await addSilence(redis, mine);
    const other = { ...mine, by: 'deploy', automatic: true };
    await beginSilence(redis, { ...other, until: NOW + 200_000 });
    expect(await listSilences(redis, NOW)).toEqual([mine]);
    const later = { ...other, from: NOW + 100_000, until: NOW + 200_000 };
    await beginSilence(redis, later);
    expect(await listSilences(redis, NOW)).toEqual([later]);
  });

  it('beats while it is well, and only then', async () => {
    const clock = { now: NOW };
    beats = 0;
    const one = hub(clock);
    await one.look(130, 1);
    await expect.poll(() => beats).toBe(3);
    one.ingest.trouble = 'Redis is away';
    await one.look(130, 1);
    expect(beats).toBe(3);
  });

  it('knows restarts and the growth of disks from before it began', async () => {
    const rows = (at: number, i: number): Window =>
      window({
        host: 'web',
        at,
        seconds: 60,
        units: [
          {
            unit: 'x.service',
            state: 'active',
            sub: '',
            restarts: i >= 115 ? 1 : 0,
            cpu: null,
            memory: null,
          },
        ],
        disks: [
          {
            mount: '/',
            device: 'vda',
            size: 1e6,
            used: 1e5 + i * 600,
            inodes_used: 0,
            read: 0,
            written: 0,
            reads: 0,
            writes: 0,
            busy: 0,
          },
        ],
      });
    const open = nothingOpen();
    for (let i = 0; i < 120; i++) {
      const step = take(rows(NOW - (119 - i) * 60_000 + 1, i), open);
      for (const { key, at, fields } of step.entries) await redis.xAdd(key, `${at}-0`, fields);
    }
    const trends = new Trends();
    await trends.load(redis, ['web'], NOW + 1);
    const { restarts, growth } = trends.of('web', NOW + 1);
    expect(restarts.get('x.service')).toBe(5);
    expect(growth.get('/')).toBeCloseTo(10, 0);
  });
});

it('one large file is no trend', () => {
  const points = (use: (i: number) => number) =>
    Array.from({ length: 36 }, (_, i) => ({ at: i * 600_000, used: use(i) }));
  expect(growthOf(points((i) => (i < 20 ? 100 : 5000)))).toBe(0);
  expect(growthOf(points((i) => (i < 5 ? 100 : 5000)))).toBe(0);
  expect(growthOf(points((i) => i * 6000))).toBeCloseTo(10);
  // A dump every hour.
  expect(growthOf(points((i) => Math.floor(i / 6) * 36_000))).toBeGreaterThan(5);
  expect(growthOf(points((i) => i).slice(0, 5))).toBeUndefined();
});
