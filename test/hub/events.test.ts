import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageOfAlerts } from '../../src/hub/events/alert-log.ts';
import {
  type CanaryStatus,
  pageOfRuns,
  RunningCanaries,
  readRun,
  recordRun,
} from '../../src/hub/events/canaries.ts';
import {
  pageOfEvents,
  readEvents,
  recordAudit,
  recordEvent,
  recordServing,
} from '../../src/hub/events/events.ts';
import { ALERT_LOG } from '../../src/hub/store/keys.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import type { Row } from '../../src/metrics/catalogue.ts';
import { redisUnavailable, TestRedis } from '../agent/redis-server.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/events.test.ts skipped: ${missing}\n`);

const NOW = 1_800_000_000_000;
const line = (at: number, changes: Partial<Row<'audit'>> = {}): Row<'audit'> => ({
  at: new Date(at).toISOString(),
  action: 'deploy',
  app: 'shop',
  release: 'r2',
  result: 'live',
  previous: 'r1',
  commit: 'c0ffee',
  by: 'ann@laptop',
  message: '',
  fresh: 'yes',
  ...changes,
});
const serving = (at: number, release: string, kind: 'deploy' | 'rollback' = 'deploy', host = 'web') => ({
  at,
  kind,
  action: kind,
  app: 'shop',
  host,
  release,
  previous: '',
  commit: '',
  by: '',
  result: '',
  text: '',
});

describe.skipIf(missing !== undefined)('events', () => {
  let server: TestRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await TestRedis.start();
    redis = redisClient({ socket: server.socket }, () => {});
    await redis.connect();
  });
  beforeEach(async () => void (await server.admin('FLUSHALL')));
  afterAll(async () => {
    redis?.destroy();
    await server?.remove();
  });
  const all = () => readEvents(redis, 0, NOW + 1e9);

  it('of a deploy on two hosts are one, however often the agents send their logs', async () => {
    for (let i = 0; i < 3; i++) {
      await recordAudit(redis, 'web1', [line(NOW)], NOW + 500);
      await recordAudit(redis, 'web2', [line(NOW + 4000)], NOW + 5000);
    }
    expect(await all()).toMatchObject([
      {
        at: NOW,
        kind: 'deploy',
        hosts: ['web1', 'web2'],
        commit: 'c0ffee',
        by: 'ann@laptop',
        result: 'live',
      },
    ]);
  });

  it('that the requests show give way to what the audit log says, before it and after it', async () => {
    await recordServing(redis, serving(NOW, 'r2'));
    await recordServing(redis, serving(NOW + 3000, 'r1', 'rollback'));
    expect(await all()).toHaveLength(2);
    await recordAudit(
      redis,
      'web',
      [line(NOW + 4000, { result: 'failed', message: 'not healthy' })],
      NOW + 5000,
    );
    await recordServing(redis, serving(NOW + 6000, 'r1', 'rollback'));
    expect(await all()).toMatchObject([{ result: 'failed', text: 'deploy shop r2: not healthy' }]);
  });

  it('are noticed from the requests where nobody reports them, once for all hosts', async () => {
    for (const host of ['a', 'b', 'a']) await recordServing(redis, serving(NOW, 'r9', 'deploy', host));
    expect(await all()).toMatchObject([{ kind: 'deploy', release: 'r9', hosts: ['a', 'b'] }]);
  });

  it('that happen again are others', async () => {
    await recordAudit(redis, 'web', [line(NOW)], NOW + 1000);
    await recordAudit(
      redis,
      'web',
      [line(NOW + 60_000, { action: 'rollback', release: 'r1' })],
      NOW + 61_000,
    );
    await recordAudit(redis, 'web', [line(NOW + 120_000)], NOW + 121_000);
    expect((await all()).map(({ kind }) => kind)).toEqual(['deploy', 'rollback', 'deploy']);
  });

  it.each([
    ['a laptop whose clock is an hour behind', NOW - 3_600_000, 'yes', NOW],
    ['a laptop whose clock is an hour ahead', NOW + 3_600_000, 'yes', NOW],
    ['a line that was there before the agent', NOW - 3_600_000, '', NOW - 3_600_000],
    ['a forged line of the future', NOW + 3_600_000, '', NOW],
  ])('have the right time with %s', async (_title, said, fresh, at) => {
    await recordAudit(redis, 'web', [line(said, { fresh })], NOW);
    expect(await all()).toMatchObject([{ at }]);
  });

  it('come page by page, filtered', async () => {
    for (let i = 0; i < 1200; i++)
      await recordEvent(
        redis,
        {
          at: NOW - i * 1000,
          kind: i % 2 === 0 ? 'deploy' : 'rollback',
          app: i % 3 === 0 ? 'a' : 'b',
          host: '',
          release: '',
          commit: '',
          by: '',
          result: 'done',
          text: String(i),
        },
        NOW,
      );
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await pageOfEvents(redis, {
        from: 0,
        to: NOW,
        kinds: ['deploy'],
        app: 'a',
        limit: 70,
        before,
      });
      seen.push(...page.events.map(({ text }) => text));
      before = page.next ?? undefined;
    } while (before !== undefined);
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => String(i * 6)));
  });

  it('of alerts come page by page', async () => {
    for (let i = 0; i < 12; i++) {
      const alert = {
        rule: 'disk',
        severity: 'warning',
        subject: i % 2 === 0 ? 'web' : 'db',
        message: String(i),
        since: NOW,
      };
      await redis.xAdd(ALERT_LOG, '*', { notice: JSON.stringify({ state: 'firing', alert, at: NOW + i }) });
    }
    const first = await pageOfAlerts(redis, { limit: 4, subject: 'web' });
    const second = await pageOfAlerts(redis, { limit: 4, subject: 'web', before: first.next ?? '' });
    expect([...first.entries, ...second.entries].map(({ alert }) => alert.message)).toEqual([
      '10',
      '8',
      '6',
      '4',
      '2',
      '0',
    ]);
    expect(second.next).toBeNull();
  });

  it('of a canary: shown while it runs, judged when it ends, lost when nobody tells of it', async () => {
    const side = { ref: 'master', commit: 'abc', subject: '' };
    const telling = (id: string, state: CanaryStatus['state']): CanaryStatus => ({
      id,
      app: 'preview',
      baseline: side,
      candidate: { ...side, ref: 'broken' },
      by: 'ann',
      ageMs: 5000,
      state,
      score: state === 'running' ? null : 12,
      seconds: 5,
      atMostSeconds: 120,
      requests: { baseline: 10, candidate: 10 },
      reason: '',
      judge: 'sequential',
      metrics: [],
      decidedBy: [],
      notes: [],
      times: [],
      panels: [],
    });
    const told: string[] = [];
    const running = new RunningCanaries(redis, ({ canary, result }) => told.push(`${canary} ${result}`));
    await recordRun(redis, telling('aaaaaaaa', 'running'), NOW);
    await recordRun(redis, telling('bbbbbbbb', 'running'), NOW);
    await running.look(NOW);
    expect(running.runs).toMatchObject([{ id: 'aaaaaaaa', startedAt: NOW - 5000 }, { id: 'bbbbbbbb' }]);
    await recordRun(redis, telling('aaaaaaaa', 'failed'), NOW + 30_000);
    await running.look(NOW + 90_000);
    expect(running.runs).toEqual([]);
    expect(await readRun(redis, 'aaaaaaaa')).toMatchObject({
      state: 'failed',
      endedAt: NOW + 30_000,
      startedAt: NOW - 5000,
    });
    expect(await readRun(redis, 'bbbbbbbb')).toMatchObject({ state: 'lost', endedAt: NOW });
    expect((await pageOfRuns(redis, { limit: 1 })).runs).toHaveLength(1);
    expect(told.sort()).toEqual(['aaaaaaaa failed', 'aaaaaaaa running', 'bbbbbbbb lost', 'bbbbbbbb running']);
    expect((await all()).map(({ canary, result }) => `${canary} ${result}`).sort()).toEqual([
      'aaaaaaaa failed',
      'bbbbbbbb lost',
    ]);
  });
});
