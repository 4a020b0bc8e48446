/** What the hub does not lose: on a real Redis that is killed, runs full or is used by two hubs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Sender } from '../../src/agent/sender/sender.ts';
import { Ingest } from '../../src/hub/intake/ingest.ts';
import { inbox, LEADER, windows } from '../../src/hub/store/keys.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { makeRoom, nextCut } from '../../src/hub/store/space.ts';
import { readWindows } from '../../src/hub/store/windows.ts';
import type { Window } from '../../src/metrics/catalogue.ts';
import { TIERS } from '../../src/metrics/tiers.ts';
import { encodeSample } from '../../src/metrics/wire.ts';
import { redisUnavailable, TestRedis } from '../agent/redis-server.ts';
import { window } from '../metrics/windows.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/losses.test.ts skipped: ${missing}\n`);

const [RAW, MINUTE, TEN_MINUTES] = TIERS as [(typeof TIERS)[0], (typeof TIERS)[0], (typeof TIERS)[0]];
const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER };
const HOUR = 3_600_000;

describe.skipIf(missing !== undefined)('the hub', () => {
  let server: TestRedis;
  let redis: Redis;
  const ends: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    server = await TestRedis.start();
    redis = redisClient({ socket: server.socket }, () => {});
    await redis.connect();
  });
  beforeEach(async () => {
    await server.admin('CONFIG', 'SET', 'maxmemory', '0');
    await server.admin('FLUSHALL');
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  afterAll(async () => {
    redis?.destroy();
    await server?.remove();
  });

  async function hub(now?: () => number) {
    const reader = redisClient({ socket: server.socket }, () => {});
    await reader.connect();
    const stop = new AbortController();
    const log: string[] = [];
    const ingest = new Ingest({
      hosts: ['web'],
      redis,
      reader,
      signal: stop.signal,
      log: (line) => log.push(line),
      ...(now === undefined ? {} : { now }),
    });
    const running = ingest.run();
    const end = async () => {
      stop.abort();
      await running;
      if (reader.isOpen) reader.destroy();
    };
    ends.push(end);
    return { ingest, log, end, reader };
  }
  const stored = async (tier = RAW) => readWindows(redis, tier, 'host', 'web', EVER, ['units']);
  /** Each sample has a number of its own in it. */
  const numbered = (n: number): Partial<Window> => ({
    units: [{ unit: 'x', state: String(n), sub: '', restarts: 0, cpu: null, memory: null }],
  });
  const numbers = async () => (await stored()).map(({ units }) => Number(units[0]?.state));
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

  it('stores each sample once, in order, though Redis is killed again and again under load', async () => {
    await hub();
    const sender = new Sender({
      redis: { host: '', port: 0, path: server.socket },
      stream: inbox('web'),
      instance: 'one',
      maxBufferBytes: 8 * 2 ** 20,
      maxInboxLength: 20_000,
      log: () => {},
      delays: { first: 20, longest: 100, refused: 100 },
    });
    sender.start();
    ends.push(async () => void (await sender.close(0)));
    let count = 0;
    const push = async (times: number) => {
      for (let i = 0; i < times; i++) {
        sender.push(window({ host: 'web', at: Date.now(), seconds: 0.01, ...numbered(count++) }));
        if (i % 5 === 0) await sleep(5);
      }
    };
    for (let kill = 0; kill < 3; kill++) {
      await push(60);
      await server.kill();
      await push(60);
      await server.resume();
    }
    await push(20);
    await expect.poll(() => sender.buffered, { timeout: 20_000 }).toBe(0);
    await expect.poll(async () => (await numbers()).length, { timeout: 20_000 }).toBe(count);
    expect(await numbers()).toEqual(upTo(count));
  });

  it('stores each sample once though its own connection breaks half-way, and the next goes on', async () => {
    const add = async (from: number, to: number) => {
      const multi = redis.multi();
      for (let n = from; n < to; n++) multi.xAdd(inbox('web'), '*', sample(n));
      await multi.exec();
    };
    const base = Date.now() - HOUR;
    const sample = (n: number) =>
      encodeSample({
        window: window({ host: 'web', at: base + n * 100, seconds: 0.1, ...numbered(n) }),
        instance: 'one',
        sequence: n,
        sentAt: base + n * 100,
      });
    for (let round = 0; round < 5; round++) {
      await add(round * 400, (round + 1) * 400);
      const { reader, end } = await hub();
      const before = (await stored()).length;
      await expect.poll(async () => (await stored()).length, { timeout: 20_000 }).toBeGreaterThan(before);
      reader.destroy();
      await end();
      await redis.del(LEADER);
    }
    await hub();
    await expect.poll(async () => (await numbers()).length, { timeout: 20_000 }).toBe(2000);
    expect(await numbers()).toEqual(upTo(2000));
  });

  it('writes nothing after another hub took over, and goes on when that is gone', async () => {
    const { ingest } = await hub();
    await expect.poll(() => redis.get(LEADER)).not.toBeNull();
    await redis.set(LEADER, 'another hub');
    await redis.xAdd(
      inbox('web'),
      '*',
      encodeSample({
        window: window({ host: 'web', at: Date.now() }),
        instance: 'one',
        sequence: 0,
        sentAt: Date.now(),
      }),
    );
    await expect.poll(() => ingest.standby, { timeout: 10_000 }).toBe(true);
    expect(ingest.trouble).toBe('another hub takes the samples in');
    expect(await stored()).toEqual([]);
    await redis.del(LEADER);
    await expect.poll(async () => (await stored()).length, { timeout: 10_000 }).toBe(1);
  });

  it('says that Redis is full, serves on, makes room of the oldest samples, takes in again', async () => {
    const now = Date.now();
    const filler = 'x'.repeat(2000);
    const old = redis.multi();
    for (let i = 0; i < 3000; i++) {
      const at = now - 20 * HOUR + i * 1000;
      const fields = {
        v: '1',
        h: 'web',
        t: String(at),
        s: '1',
        problems: JSON.stringify([[0, `p${i}`, '']]),
        filler,
      };
      old.xAdd(windows('raw', 'routes', 'web'), `${at}-0`, fields);
      old.xAdd(windows('raw', 'host', 'web'), `${at}-0`, { v: '1', h: 'web', t: String(at), s: '1' });
    }
    old.xAdd(windows('minute', 'host', 'web'), `${now - 50 * HOUR}-0`, {
      v: '1',
      h: 'web',
      t: String(now - 50 * HOUR),
      s: '60',
    });
    await old.exec();
    await redis.xAdd(
      inbox('web'),
      '*',
      encodeSample({
        window: window({ host: 'web', at: now, ...numbered(7) }),
        instance: 'one',
        sequence: 0,
        sentAt: now,
      }),
    );
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await server.admin('CONFIG', 'SET', 'maxmemory', String(used - 100_000));
    const { ingest, log } = await hub();
    await expect.poll(() => ingest.trouble).toBe('Redis is full');
    expect(log).toContain('No samples are taken in: Redis is full.');
    expect((await stored(MINUTE)).length).toBe(1);
    const said: string[] = [];
    expect(await makeRoom(redis, ['web'], now, (line) => said.push(line))).toBe(true);
    expect(said.join()).toContain('windows of the tier raw before');
    await expect.poll(() => ingest.trouble, { timeout: 10_000 }).toBe('');
    await expect.poll(async () => (await numbers()).at(-1), { timeout: 10_000 }).toBe(7);
    expect((await stored(MINUTE)).length).toBe(1);
    expect((await stored())[0]?.at).toBeGreaterThan(now - 20 * HOUR);
  });

  it('keeps samples for 24 hours, minutes for 7 days and ten minutes for 90', async () => {
    const begin = 1_700_000_000_000;
    const every = 10 * 60_000;
    const count = (92 * 24 * HOUR) / every;
    const end = begin + count * every;
    for (let n = 0; n < count; ) {
      const multi = redis.multi();
      for (const last = Math.min(count, n + 1000); n < last; n++) {
        const at = begin + (n + 1) * every;
        const fields = encodeSample({
          window: window({ host: 'web', at, seconds: 2, ...numbered(n) }),
          instance: 'one',
          sequence: n,
          sentAt: at,
        });
        multi.xAdd(inbox('web'), `${at}-0`, fields);
      }
      await multi.exec();
    }
    await hub(() => end + HOUR);
    await expect.poll(() => redis.xLen(inbox('web')), { timeout: 60_000, interval: 100 }).toBe(0);
    for (const tier of [RAW, MINUTE, TEN_MINUTES]) {
      const kept = await stored(tier);
      const first = kept[0]?.at ?? 0;
      const keep = tier.keepSeconds * 1000;
      expect(first, tier.name).toBeLessThanOrEqual(end - keep + 2 * every + tier.seconds * 1000);
      // Redis trims by whole nodes of a hundred.
      expect(first, tier.name).toBeGreaterThanOrEqual(end - keep - 102 * every);
    }
  }, 120_000);
});

describe('what goes first', () => {
  const now = 1_000 * 24 * HOUR;
  const day = 24 * HOUR;
  it.each([
    ['the oldest quarter of the samples', { raw: now - day, minute: now - 7 * day }, 'raw', day * 0.75],
    [
      'minutes where of samples an hour is left',
      { raw: now - HOUR, minute: now - 4 * day },
      'minute',
      3 * day,
    ],
    ['never more than the floor', { raw: now - 1.1 * HOUR }, 'raw', 1.1 * HOUR * 0.75],
    [
      'nothing where all is at its floor',
      { raw: now - HOUR, minute: now - day, 'ten-minutes': now - day },
      undefined,
      0,
    ],
  ] as const)('is %s', (_title, oldest, tier, left) => {
    const cut = nextCut(oldest, now);
    expect(cut?.tier.name).toBe(tier);
    if (cut !== undefined) expect(now - cut.before).toBeCloseTo(Math.max(left, HOUR), 0);
  });
});
