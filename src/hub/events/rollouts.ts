/** Live canaries, as the hosts that decide them tell of them. The newest 500. */
import type { RolloutStatus } from '../../contract/rollout.ts';
import { hasEnded } from '../../contract/rollout.ts';
import type { Row } from '../../metrics/catalogue.ts';
import type { HubEvent, RolloutPage, ShownRollout } from '../api-types.ts';
import { ROLLOUT_TIMES, ROLLOUTS_GOING_ON, rollout } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';
import { recordRolloutEvent } from './events.ts';
import { eventOf, type Heard, readStatus, shownRollout } from './rollout-status.ts';

const MOST = 500;
/** What a host has not told of for so long is no longer listed as going on. */
const FORGOTTEN_MS = 86_400_000;

interface Stored extends Heard {
  readonly status: RolloutStatus;
}

export interface Recorded {
  /** Events that are new. */
  readonly news: readonly HubEvent[];
  /** Why a row was not taken. */
  readonly refusals: readonly string[];
}

/** Keeps what a host says of its rollouts. What is known is nothing new, so it may be sent again. */
export async function recordRollouts(
  redis: Redis,
  rows: readonly Row<'rollouts'>[],
  heard: Heard,
): Promise<Recorded> {
  const news: HubEvent[] = [];
  const refusals: string[] = [];
  for (const row of rows) {
    let status: RolloutStatus;
    try {
      status = readStatus(row.status);
    } catch (error) {
      refusals.push((error as Error).message);
      continue;
    }
    const before = await read(redis, status.id);
    if (before !== undefined && (before.host !== heard.host || before.status.app !== status.app))
      refusals.push('it tells of a rollout of another host or application');
    else news.push(...(await record(redis, { ...heard, status }, before)));
  }
  return { news, refusals };
}

async function record(redis: Redis, stored: Stored, before: Stored | undefined): Promise<HubEvent[]> {
  const { status } = stored;
  const { id, phase, events } = status;
  if (before !== undefined && (hasEnded(before.status.phase) || before.status.at >= status.at)) return [];
  const shown = shownRollout(status, stored);
  const known = new Set(before?.status.events.map(({ at, kind }) => `${at} ${kind}`));
  const news: HubEvent[] = [];
  // First the events: after a crash in between, the same ones are written again.
  for (const [index, said] of events.entries()) {
    const event = shown.events[index];
    if (event === undefined || known.has(`${said.at} ${said.kind}`)) continue;
    news.push(...(await recordRolloutEvent(redis, eventOf(shown, event, said))));
  }
  const multi = redis
    .multi()
    .set(rollout(id), JSON.stringify(stored))
    .zAdd(ROLLOUT_TIMES, { score: shown.beganAt, value: id });
  if (hasEnded(phase)) multi.sRem(ROLLOUTS_GOING_ON, id);
  else multi.sAdd(ROLLOUTS_GOING_ON, id);
  await multi.exec();
  if (before === undefined) await trim(redis);
  return news;
}

async function trim(redis: Redis): Promise<void> {
  const old = await redis.zRange(ROLLOUT_TIMES, 0, -MOST - 1);
  if (old.length > 0)
    await redis.multi().zRem(ROLLOUT_TIMES, old).sRem(ROLLOUTS_GOING_ON, old).del(old.map(rollout)).exec();
}

export async function readRollout(redis: Redis, id: string): Promise<ShownRollout | undefined> {
  const stored = await read(redis, id);
  return stored === undefined ? undefined : shownRollout(stored.status, stored);
}

/** One page, newest first. */
export async function pageOfRollouts(
  redis: Redis,
  query: { readonly app?: string | undefined; readonly limit: number; readonly before?: string | undefined },
): Promise<RolloutPage> {
  const ids = await redis.zRange(ROLLOUT_TIMES, 0, -1, { REV: true });
  const after = query.before === undefined ? 0 : ids.indexOf(query.before) + 1;
  const rollouts: ShownRollout[] = [];
  for (const id of ids.slice(after)) {
    const shown = await readRollout(redis, id);
    if (shown === undefined || (query.app !== undefined && shown.app !== query.app)) continue;
    if (rollouts.length === query.limit) return { rollouts, next: rollouts.at(-1)?.id ?? null };
    rollouts.push(shown);
  }
  return { rollouts, next: null };
}

/** Those that go on, looked at again and again by the hub; the oldest first. */
export class RolloutsGoingOn {
  rollouts: readonly ShownRollout[] = [];
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async look(now: number): Promise<void> {
    const ids = await this.#redis.sMembers(ROLLOUTS_GOING_ON);
    const found: ShownRollout[] = [];
    for (const id of ids) {
      const shown = await readRollout(this.#redis, id);
      if (shown !== undefined && now - shown.heardAt < FORGOTTEN_MS) found.push(shown);
      else await this.#redis.sRem(ROLLOUTS_GOING_ON, id);
    }
    this.rollouts = found.sort((a, b) => a.beganAt - b.beganAt || a.id.localeCompare(b.id));
  }
}

async function read(redis: Redis, id: string): Promise<Stored | undefined> {
  const stored = await redis.get(rollout(id));
  return stored === null ? undefined : (JSON.parse(stored) as Stored);
}
