/** A preview of rules on what a hub has kept in a real Redis. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertsSchema } from '../../src/config/schema.ts';
import { previewRules } from '../../src/hub/preview.ts';
import { SERVED } from '../../src/hub/store/keys.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { nothingOpen, take } from '../../src/hub/store/windows.ts';
import { columnsOf, type Row } from '../../src/metrics/catalogue.ts';
import { Histogram } from '../../src/metrics/histogram.ts';
import { redisUnavailable, TestRedis } from '../agent/redis-server.ts';
import { window } from '../metrics/windows.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/preview.test.ts skipped: ${missing}\n`);

const MINUTE = 60_000;
const NOW = 1_800_000_000_000 - (1_800_000_000_000 % MINUTE);
const DAY = 86_400_000;
const LONG = 240 * MINUTE;
const NOTHING = Object.fromEntries(
  columnsOf('system').map(([name]) => [name, null]),
) as unknown as Row<'system'>;

describe.skipIf(missing !== undefined)('a preview', () => {
  let server: TestRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await TestRedis.start();
    redis = redisClient({ socket: server.socket }, () => {});
    await redis.connect();
    await redis.sAdd(SERVED, ['shop web', 'shop gone']);
    const open = nothingOpen();
    const multi = redis.multi();
    // Four hours in samples of 30 s: /api/pay is slow for ten minutes, three times.
    for (let at = NOW - LONG; at < NOW; at += 30_000) {
      const minutes = Math.floor((at - (NOW - LONG)) / MINUTE);
      const slow = [60, 120, 200].some((begin) => minutes >= begin && minutes < begin + 10);
      const sample = window({
        host: 'web',
        at: at + 30_000,
        seconds: 30,
        system: [{ ...NOTHING, cpu: slow ? 0.5 : 0.1 }],
        routes: [pay(slow ? 1200 : 20)],
      });
      for (const { key, at: id, fields } of take(sample, open).entries) multi.xAdd(key, `${id}-0`, fields);
    }
    await multi.exec();
  }, 60_000);
  afterAll(async () => {
    redis?.destroy();
    await server?.remove();
  });

  const ask = (own: Readonly<Record<string, string>>, ms: number) =>
    previewRules(redis, ['web'], alertsSchema.parse({ own }).own, ms, NOW);

  it('says how often each rule would have told, when, for how long, and since when it knows', async () => {
    const { since, rules } = await ask(
      {
        pay: 'route latency p99 of /api/pay > 800ms for 5m',
        cpu: 'cpu > 40% for 20m',
        all: 'latency p50 on shop > 800ms',
        elsewhere: 'route latency p99 of /api/elsewhere > 800ms',
      },
      7 * DAY,
    );
    const begun = NOW - LONG;
    expect(since).toBe(begun + MINUTE);
    expect(rules.map(({ name, count }) => [name, count])).toEqual([
      ['pay', 3],
      ['cpu', 0],
      ['all', 3],
      ['elsewhere', 0],
    ]);
    const [first] = rules[0]?.firings ?? [];
    // Slow from the 61st minute on, told after five, over with the first good minute.
    expect(first).toMatchObject({ subject: 'shop', part: '/api/pay', from: begun + 66 * MINUTE });
    expect(first?.until).toBe(begun + 71 * MINUTE);
    expect(first?.message).toMatch(/^route latency p99 of \/api\/pay on shop is 1\.2\d? s, above 800 ms$/);
  });

  it('looks back no further than it is asked', async () => {
    const { rules } = await ask({ pay: 'route latency p99 of /api/pay > 800ms for 5m' }, 100 * MINUTE);
    expect(rules[0]?.count).toBe(1);
    expect((await ask({ cpu: 'cpu > 40%' }, 30 * MINUTE)).since).toBeGreaterThanOrEqual(NOW - 30 * MINUTE);
  });

  it('knows nothing where nothing was kept', async () => {
    const { own } = alertsSchema.parse({ own: { cpu: 'cpu > 40%' } });
    expect((await previewRules(redis, ['other'], own, DAY, NOW)).since).toBeNull();
  });
});

function pay(ms: number): Row<'routes'> {
  const latency = new Histogram();
  for (let i = 0; i < 10; i++) latency.record(ms);
  return {
    server: 'nginx',
    app: 'shop',
    colour: 'blue',
    release: 'r1',
    method: 'POST',
    route: '/api/pay',
    requests: 10,
    status_2xx: 10,
    status_3xx: 0,
    status_4xx: 0,
    status_5xx: 0,
    retries: 0,
    bytes: 1000,
    latency: latency.data(),
    size: latency.data(),
  };
}
