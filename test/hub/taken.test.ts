import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlertState } from '../../src/alerts/types.ts';
import { giveBackTroubles, listTaken, takeTroubles } from '../../src/hub/events/taken.ts';
import { ALERTS } from '../../src/hub/store/keys.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { redisUnavailable, TestRedis } from '../agent/redis-server.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/taken.test.ts skipped: ${missing}\n`);

describe.skipIf(missing !== undefined)('troubles that somebody has taken', () => {
  let server: TestRedis;
  let redis: Redis;
  const trouble = (subject: string) =>
    ({
      key: `check|${subject}|shop`,
      rule: 'check',
      severity: 'critical',
      state: 'firing',
      subject,
      kind: 'host',
      since: 1,
      message: 'check shop fails',
    }) as unknown as AlertState;
  const all = ['web', 'db'].map(trouble);

  beforeAll(async () => {
    server = await TestRedis.start();
    redis = redisClient({ socket: server.socket }, () => {});
    await redis.connect();
    for (const one of all) await redis.hSet(ALERTS, one.key, JSON.stringify(one));
  });
  afterAll(async () => {
    redis?.destroy();
    await server?.remove();
  });

  const taken = async () => (await listTaken(redis, all)).map(({ key }) => key).toSorted();

  it('stay taken when another is given back', async () => {
    await takeTroubles(redis, 'all', { by: 'ann', at: 2 });
    expect(await taken()).toEqual(['check|db|shop', 'check|web|shop']);
    expect((await giveBackTroubles(redis, 'web')).map(({ subject }) => subject)).toEqual(['web']);
    expect(await taken()).toEqual(['check|db|shop']);
  });
});
