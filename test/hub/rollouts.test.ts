/** What hosts tell of live canaries, kept in a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deployNotice } from '../../src/alerts/deploys.ts';
import type { RolloutStatus } from '../../src/contract/rollout.ts';
import { readEvents, recordAudit, recordServing } from '../../src/hub/events/events.ts';
import { readStatus, shownRollout } from '../../src/hub/events/rollout-status.ts';
import {
  pageOfRollouts,
  RolloutsGoingOn,
  readRollout,
  recordRollouts,
} from '../../src/hub/events/rollouts.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import type { Row } from '../../src/metrics/catalogue.ts';
import { redisUnavailable, TestRedis } from '../agent/redis-server.ts';
import { endedStatus, rolloutStatus } from './sample/rollouts.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/rollouts.test.ts skipped: ${missing}\n`);

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const ID = 'a1b2c3d4e5f60718';

describe('the status of a rollout', () => {
  const status = rolloutStatus(ID, NOW, NOW + MINUTE);

  it('is read back as it is, without what this hub does not know', () => {
    expect(readStatus(JSON.stringify({ ...status, later: 1 }))).toEqual(status);
  });

  it('is cut where a text is too long', () => {
    const candidate = { ...status.candidate, subject: 'x'.repeat(5000) };
    const read = readStatus(JSON.stringify({ ...status, candidate }));
    expect(read.candidate.subject).toHaveLength(1000);
  });

  it('takes odds that no number holds for the greatest', () => {
    const [first, ...rest] = status.metrics;
    const text = JSON.stringify({
      ...status,
      metrics: [{ ...first, odds: Number.POSITIVE_INFINITY }, ...rest],
    });
    expect(readStatus(text).metrics[0]?.odds).toBe(Number.MAX_VALUE);
  });

  it.each([
    ['{', 'is not JSON'],
    [JSON.stringify({ ...status, id: '../x' }), 'id: '],
    [JSON.stringify({ ...status, phase: 'over' }), 'phase: '],
    [JSON.stringify({ ...status, began: 'today' }), 'began: '],
    [JSON.stringify({ ...status, sides: { baseline: {} } }), 'sides.baseline.visitors: '],
  ])('says what is wrong with %.20s', (text, wrong) => expect(() => readStatus(text)).toThrow(wrong));

  it('is told by the clock of the hub, and nothing that has been lies in the future', () => {
    const heard = { host: 'web', heardAt: NOW + MINUTE, aheadMs: 5000 };
    const shown = shownRollout(status, heard);
    expect(shown).toMatchObject({ beganAt: NOW - 5000, at: NOW + 55_000 });
    const { at, until, events } = shownRollout(status, { ...heard, aheadMs: -5000 });
    expect([at, events.at(-1)?.at]).toEqual([NOW + MINUTE, NOW + MINUTE]);
    expect(until).toBe(NOW + 120 * MINUTE + 5000);
  });
});

describe.skipIf(missing !== undefined)('rollouts', () => {
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

  const tell = (status: RolloutStatus, host = 'web', heardAt = Date.parse(status.at)) =>
    recordRollouts(redis, [{ app: status.app, id: status.id, status: JSON.stringify(status) }], {
      host,
      heardAt,
      aheadMs: 0,
    });
  const results = async () =>
    (await readEvents(redis, 0, NOW + 1e9)).map(({ kind, result }) => `${kind} ${result}`);

  it('leave one event for each step, however often they are told', async () => {
    for (const at of [NOW + 1000, NOW + 2 * MINUTE, NOW + 2 * MINUTE]) await tell(rolloutStatus(ID, NOW, at));
    expect(await results()).toEqual(['rollout began', 'rollout step']);
    const { news } = await tell(endedStatus(ID, NOW, NOW + 5 * MINUTE, 'taken back'));
    expect(news).toMatchObject([
      {
        at: NOW + 5 * MINUTE,
        result: 'taken back',
        rollout: ID,
        percent: 0,
        hosts: ['web'],
        text:
          'rollout checkbox.io v2 (c20cadf): taken back: errors (5xx): the evidence of harm is worth ' +
          '143 to 1',
      },
    ]);
  });

  it('are listed while they go on; what has ended stays as it ended', async () => {
    const goingOn = new RolloutsGoingOn(redis);
    await tell(rolloutStatus(ID, NOW, NOW + 2 * MINUTE));
    await goingOn.look(NOW + 3 * MINUTE);
    expect(goingOn.rollouts).toMatchObject([{ id: ID, host: 'web', phase: 'running', percent: 5 }]);
    await tell(endedStatus(ID, NOW, NOW + 5 * MINUTE, 'promoted'));
    await tell(rolloutStatus(ID, NOW, NOW + 6 * MINUTE));
    await goingOn.look(NOW + 6 * MINUTE);
    expect(goingOn.rollouts).toEqual([]);
    expect(await readRollout(redis, ID)).toMatchObject({ phase: 'promoted', at: NOW + 5 * MINUTE });
  });

  it('of which nobody told for a day are not listed as going on, until somebody does', async () => {
    const goingOn = new RolloutsGoingOn(redis);
    await tell(rolloutStatus(ID, NOW, NOW));
    await goingOn.look(NOW + 25 * 60 * MINUTE);
    expect(goingOn.rollouts).toEqual([]);
    await tell(rolloutStatus(ID, NOW, NOW + 26 * 60 * MINUTE));
    await goingOn.look(NOW + 26 * 60 * MINUTE);
    expect(goingOn.rollouts).toHaveLength(1);
  });

  it('come page by page, the newest first, also of one application alone', async () => {
    for (let i = 0; i < 5; i++)
      await tell({
        ...endedStatus(`rollout-${i}`, NOW + i * MINUTE, NOW + (i + 5) * MINUTE, 'promoted'),
        app: i === 2 ? 'other' : 'shop',
      });
    const first = await pageOfRollouts(redis, { limit: 2 });
    expect(first.rollouts.map(({ id }) => id)).toEqual(['rollout-4', 'rollout-3']);
    const { rollouts, next } = await pageOfRollouts(redis, {
      app: 'shop',
      limit: 2,
      before: first.next ?? '',
    });
    expect(rollouts.map(({ id }) => id)).toEqual(['rollout-1', 'rollout-0']);
    expect(next).toBeNull();
  });

  it('are refused where another host tells of them, or nobody could', async () => {
    await tell(rolloutStatus(ID, NOW, NOW));
    const forged = await tell(endedStatus(ID, NOW, NOW + MINUTE, 'promoted'), 'db');
    expect(forged).toEqual({ news: [], refusals: [expect.stringContaining('another host')] });
    const wrong = await recordRollouts(redis, [{ app: 'shop', id: 'x', status: '[]' }], {
      host: 'web',
      heardAt: NOW,
      aheadMs: 0,
    });
    expect(wrong.refusals).toHaveLength(1);
    expect(await readRollout(redis, ID)).toMatchObject({ phase: 'running', host: 'web' });
  });

  const line = (at: number, changes: Partial<Row<'audit'>>): Row<'audit'> => ({
    at: new Date(at).toISOString(),
    action: 'rollout',
    app: 'checkbox.io',
    release: '20261129-060000-c20cadf',
    result: 'step',
    previous: '',
    commit: '',
    by: 'ann@laptop',
    message: '5 % of the visitors',
    fresh: 'yes',
    ...changes,
  });
  const end = { action: 'deploy', result: 'failed', message: 'taken back' };
  const audit = (at: number) => recordAudit(redis, 'web', [line(at - MINUTE, {}), line(at, end)], at + 500);

  it('are told once, though the audit log and the requests tell of them too', async () => {
    const ended = endedStatus(ID, NOW, NOW + 5 * MINUTE, 'taken back');
    const wanted = ['rollout began', 'rollout step', 'rollout taken back'];
    await tell(ended);
    await audit(NOW + 5 * MINUTE);
    const rollback = {
      kind: 'rollback',
      action: 'rollback',
      commit: '',
      by: '',
      result: '',
      text: '',
    } as const;
    const { release } = ended.baseline;
    const serving = { ...rollback, app: ended.app, host: 'web', release, previous: '' };
    await recordServing(redis, { ...serving, at: NOW + 6 * MINUTE });
    expect(await results()).toEqual(wanted);
    await server.admin('FLUSHALL');
    await audit(NOW + 5 * MINUTE);
    await recordServing(redis, { ...serving, at: NOW + 4 * MINUTE });
    await tell(ended);
    expect(await results()).toEqual(wanted);
  });

  it('of which the audit log alone tells are events too', async () => {
    await recordAudit(redis, 'web', [line(NOW, {})], NOW + 500);
    expect(await results()).toEqual(['rollout step']);
  });

  it.each([
    ['taken back', 'rollout checkbox.io v2 (c20cadf): taken back: errors (5xx): the evidence'],
    [
      'held',
      'held at 5 %: the evidence did not suffice in time. Decide: pipeline rollout promote checkbox.io',
    ],
    ['promoted', undefined],
  ] as const)('that end as %s are told to people where it matters', async (kind, said) => {
    const { news } = await tell(endedStatus(ID, NOW, NOW + 5 * MINUTE, kind));
    const notices = news.flatMap((mark) => deployNotice(mark, NOW + 5 * MINUTE) ?? []);
    expect(notices.map(({ alert }) => alert.message)).toEqual(
      said === undefined ? [] : [expect.stringContaining(said)],
    );
    expect(news.flatMap((mark) => deployNotice(mark, NOW + 60 * MINUTE) ?? [])).toEqual([]);
  });
});
