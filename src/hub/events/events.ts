/**
 * Deploys, rollbacks, canaries and whatever else the audit logs tell. The newest 20,000.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Row } from '../../metrics/catalogue.ts';
import type { EventKind, EventPage, HubEvent } from '../api-types.ts';
import { AUDIT_LINES, EVENT_TIMES, EVENTS } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';
import {
  type EventChange,
  mergeAudit,
  mergeRequests,
  mergeRollout,
  SAME_MS,
  type SeenEvent,
  type StoredEvent,
} from './merge.ts';

const MOST = 20_000;
/** Lines that are known: more than what all agents of a large fleet send again. */
const MOST_LINES = 100_000;
/** Times of a line that was read as it was written agree with the hub's clock within this. */
const TRUSTED_MS = 60_000;
const PAGE = 500;

const line = z.string().max(300);

/** What programs may record over the API. */
export const eventSchema = z.strictObject({
  /** ms since 1970; absent: now. */
  at: z.number().int().positive().optional(),
  kind: z.enum(['deploy', 'rollback', 'change']),
  app: z.string().max(64),
  host: z.string().max(253).default(''),
  release: line.default(''),
  commit: z.string().max(64).default(''),
  by: line.default(''),
  result: z.string().max(40).default('done'),
  text: line,
});
export type NewEvent = Readonly<z.output<typeof eventSchema>>;

/**
 * Makes events of the lines of a host's audit log. Lines that are known are nothing new, so an agent may send
 * them as often as it likes.
 * @param at when the sample that brought them was measured, by the hub's clock
 * @returns what was new or changed
 */
export async function recordAudit(
  redis: Redis,
  host: string,
  rows: readonly Row<'audit'>[],
  at: number,
): Promise<HubEvent[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => hash(host, row.at, row.action, row.app, row.release, row.result));
  const known = await redis.zmScore(AUDIT_LINES, ids);
  const events: HubEvent[] = [];
  for (const [i, row] of rows.entries()) {
    const id = ids[i] ?? '';
    if ((known[i] ?? null) !== null) continue;
    const seen = seenInAudit(row, host, at);
    if (seen === undefined) continue;
    const change = mergeAudit(seen, await near(redis, seen.at), `${seen.at}-${id}`);
    events.push(...(await write(redis, change, id)));
  }
  return events;
}

/** Records that a release began to serve on a host, as the requests show. @returns what was new or changed */
export async function recordServing(redis: Redis, seen: SeenEvent): Promise<HubEvent[]> {
  const id = hash(seen.host, String(seen.at), seen.app, seen.release);
  return write(redis, mergeRequests(seen, await near(redis, seen.at), `${seen.at}-${id}`));
}

/** Records what a program says. */
export async function recordEvent(redis: Redis, event: NewEvent, now: number): Promise<HubEvent> {
  const { at: said = now, host, release, commit, by, ...rest } = event;
  const at = Math.min(said, now);
  const stored: StoredEvent = {
    ...rest,
    id: `${at}-${hash(host, rest.app, release, rest.text)}`,
    at,
    action: rest.kind,
    hosts: host === '' ? [] : [host],
    source: 'api',
    ...(release === '' ? {} : { release }),
    ...(commit === '' ? {} : { commit }),
    ...(by === '' ? {} : { by }),
  };
  await write(redis, { write: stored, remove: [] });
  return stored;
}

/** The event of a canary run: written when it begins, and again whenever its state is another. */
export async function recordCanary(redis: Redis, event: Omit<StoredEvent, 'source'>): Promise<void> {
  await write(redis, { write: { ...event, source: 'canary' }, remove: [] });
}

/** An event of a rollout, with an identifier that is always the same. @returns what was new or changed */
export async function recordRolloutEvent(redis: Redis, event: StoredEvent): Promise<HubEvent[]> {
  return write(redis, mergeRollout(event, await near(redis, event.at)));
}

/** Events that happened in [from, to], oldest first; 2000 at most, the newest. */
export async function readEvents(redis: Redis, from: number, to: number): Promise<HubEvent[]> {
  const ids = await redis.zRange(EVENT_TIMES, to, from, {
    BY: 'SCORE',
    REV: true,
    LIMIT: { offset: 0, count: 2000 },
  });
  return (await byId(redis, ids)).map(shown).reverse();
}

export interface EventQuery {
  readonly from: number;
  readonly to: number;
  readonly kinds: readonly string[];
  readonly app?: string | undefined;
  readonly host?: string | undefined;
  readonly limit: number;
  /** `next` of the page before. */
  readonly before?: string | undefined;
}

/** One page, newest first. Events of a host are those that name it, and those of no host in particular. */
export async function pageOfEvents(redis: Redis, query: EventQuery): Promise<EventPage> {
  const { kinds, app, host, limit, before, from } = query;
  const matches = (event: HubEvent): boolean =>
    (kinds.length === 0 || kinds.includes(event.kind)) &&
    (app === undefined || event.app === app) &&
    (host === undefined || event.hosts.includes(host) || event.hosts.length === 0);
  const [time = '', id] = before?.split('~') ?? [];
  let max = before === undefined ? query.to : Math.min(query.to, Number(time));
  let skip = id;
  const events: StoredEvent[] = [];
  for (;;) {
    const ids = await redis.zRange(EVENT_TIMES, max, from, {
      BY: 'SCORE',
      REV: true,
      LIMIT: { offset: 0, count: PAGE },
    });
    const found = await byId(redis, skip === undefined ? ids : ids.slice(ids.indexOf(skip) + 1));
    for (const event of found) {
      if (!matches(event)) continue;
      if (events.length === limit) {
        const last = events.at(-1);
        return { events: events.map(shown), next: `${last?.at}~${last?.id}` };
      }
      events.push(event);
    }
    const last = found.at(-1);
    if (ids.length < PAGE || last === undefined) return { events: events.map(shown), next: null };
    [max, skip] = [last.at, last.id];
  }
}

function seenInAudit(row: Row<'audit'>, host: string, measuredAt: number): SeenEvent | undefined {
  const said = Date.parse(row.at);
  if (Number.isNaN(said) || said <= 0) return undefined;
  // By the clock of a laptop that may be wrong: a line that was just written is as old as the sample that
  // brought it.
  const wrong = row.fresh !== '' && Math.abs(said - measuredAt) > TRUSTED_MS;
  const { action, app, release, previous, commit, by, result, message } = row;
  const what = [action, app, release].filter((word) => word !== '').join(' ');
  const text = message === '' ? what : `${what}: ${message}`;
  return {
    at: Math.min(wrong ? measuredAt : said, measuredAt),
    kind: kindOf(action),
    action,
    app,
    host,
    release,
    previous,
    commit,
    by,
    result,
    text: text.slice(0, 300),
  };
}

const KINDS: readonly EventKind[] = ['deploy', 'rollback', 'rollout', 'canary'];

function kindOf(action: string): EventKind {
  return KINDS.find((kind) => kind === action) ?? 'change';
}

async function near(redis: Redis, at: number): Promise<StoredEvent[]> {
  return byId(redis, await redis.zRange(EVENT_TIMES, at - SAME_MS, at + SAME_MS, { BY: 'SCORE' }));
}

async function byId(redis: Redis, ids: readonly string[]): Promise<StoredEvent[]> {
  if (ids.length === 0) return [];
  const texts = await redis.hmGet(EVENTS, [...ids]);
  return texts.flatMap((text) =>
    text === null || text === undefined ? [] : [JSON.parse(text) as StoredEvent],
  );
}

async function write(redis: Redis, change: EventChange, auditLine?: string): Promise<HubEvent[]> {
  const multi = redis.multi();
  for (const id of change.remove) multi.zRem(EVENT_TIMES, id).hDel(EVENTS, id);
  const event = change.write;
  if (event !== undefined)
    multi
      .zAdd(EVENT_TIMES, { score: event.at, value: event.id })
      .hSet(EVENTS, event.id, JSON.stringify(event));
  if (auditLine !== undefined) multi.zAdd(AUDIT_LINES, { score: event?.at ?? 0, value: auditLine });
  await multi.exec();
  if (event === undefined) return [];
  await trim(redis);
  return [shown(event)];
}

/** Seldom anything to do: an event is rare. */
async function trim(redis: Redis): Promise<void> {
  await redis.zRemRangeByRank(AUDIT_LINES, 0, -MOST_LINES - 1);
  const surplus = (await redis.zCard(EVENT_TIMES)) - MOST;
  if (surplus <= 0) return;
  const old = await redis.zRange(EVENT_TIMES, 0, surplus - 1);
  await redis.multi().zRem(EVENT_TIMES, old).hDel(EVENTS, old).exec();
}

function shown({ source: _, ...event }: StoredEvent): HubEvent {
  return event;
}

function hash(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 12);
}
