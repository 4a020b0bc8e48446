/**
 * Deploys, rollbacks, canaries and whatever else the audit logs tell: the marks on charts. The newest 20,000.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Row } from '../../metrics/catalogue.ts';
import type { EventPage, Mark, MarkKind } from '../api-types.ts';
import { AUDIT_LINES, MARK_TIMES, MARKS } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';
import {
  type MarkChange,
  SAME_MS,
  type StoredMark,
  type Telling,
  tellAudit,
  tellRequests,
  tellRollout,
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
): Promise<Mark[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => hash(host, row.at, row.action, row.app, row.release, row.result));
  const known = await redis.zmScore(AUDIT_LINES, ids);
  const marks: Mark[] = [];
  for (const [i, row] of rows.entries()) {
    const id = ids[i] ?? '';
    if ((known[i] ?? null) !== null) continue;
    const telling = auditTelling(row, host, at);
    if (telling === undefined) continue;
    const change = tellAudit(telling, await near(redis, telling.at), `${telling.at}-${id}`);
    marks.push(...(await write(redis, change, id)));
  }
  return marks;
}

/** Records that a release began to serve on a host, as the requests show. @returns what was new or changed */
export async function recordServing(redis: Redis, telling: Telling): Promise<Mark[]> {
  const id = hash(telling.host, String(telling.at), telling.app, telling.release);
  return write(redis, tellRequests(telling, await near(redis, telling.at), `${telling.at}-${id}`));
}

/** Records what a program says. */
export async function recordEvent(redis: Redis, event: NewEvent, now: number): Promise<Mark> {
  const { at: said = now, host, release, commit, by, ...rest } = event;
  const at = Math.min(said, now);
  const mark: StoredMark = {
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
  await write(redis, { write: mark, remove: [] });
  return mark;
}

/** The mark of a canary run: written when it begins, and again whenever its state is another. */
export async function recordCanary(redis: Redis, mark: Omit<StoredMark, 'source'>): Promise<void> {
  await write(redis, { write: { ...mark, source: 'canary' }, remove: [] });
}

/** An event of a rollout, with an identifier that is always the same. @returns what was new or changed */
export async function recordRolloutEvent(redis: Redis, mark: StoredMark): Promise<Mark[]> {
  return write(redis, tellRollout(mark, await near(redis, mark.at)));
}

/** Events that happened in [from, to], oldest first; 2000 at most, the newest. */
export async function readEvents(redis: Redis, from: number, to: number): Promise<Mark[]> {
  const ids = await redis.zRange(MARK_TIMES, to, from, {
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
  const matches = (mark: Mark): boolean =>
    (kinds.length === 0 || kinds.includes(mark.kind)) &&
    (app === undefined || mark.app === app) &&
    (host === undefined || mark.hosts.includes(host) || mark.hosts.length === 0);
  const [time = '', id] = before?.split('~') ?? [];
  let max = before === undefined ? query.to : Math.min(query.to, Number(time));
  let skip = id;
  const events: StoredMark[] = [];
  for (;;) {
    const ids = await redis.zRange(MARK_TIMES, max, from, {
      BY: 'SCORE',
      REV: true,
      LIMIT: { offset: 0, count: PAGE },
    });
    const marks = await byId(redis, skip === undefined ? ids : ids.slice(ids.indexOf(skip) + 1));
    for (const mark of marks) {
      if (!matches(mark)) continue;
      if (events.length === limit) {
        const last = events.at(-1);
        return { events: events.map(shown), next: `${last?.at}~${last?.id}` };
      }
      events.push(mark);
    }
    const last = marks.at(-1);
    if (ids.length < PAGE || last === undefined) return { events: events.map(shown), next: null };
    [max, skip] = [last.at, last.id];
  }
}

function auditTelling(row: Row<'audit'>, host: string, measuredAt: number): Telling | undefined {
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

const KINDS: readonly MarkKind[] = ['deploy', 'rollback', 'rollout', 'canary'];

function kindOf(action: string): MarkKind {
  return KINDS.find((kind) => kind === action) ?? 'change';
}

async function near(redis: Redis, at: number): Promise<StoredMark[]> {
  return byId(redis, await redis.zRange(MARK_TIMES, at - SAME_MS, at + SAME_MS, { BY: 'SCORE' }));
}

async function byId(redis: Redis, ids: readonly string[]): Promise<StoredMark[]> {
  if (ids.length === 0) return [];
  const texts = await redis.hmGet(MARKS, [...ids]);
  return texts.flatMap((text) =>
    text === null || text === undefined ? [] : [JSON.parse(text) as StoredMark],
  );
}

async function write(redis: Redis, change: MarkChange, auditLine?: string): Promise<Mark[]> {
  const multi = redis.multi();
  for (const id of change.remove) multi.zRem(MARK_TIMES, id).hDel(MARKS, id);
  const mark = change.write;
  if (mark !== undefined)
    multi.zAdd(MARK_TIMES, { score: mark.at, value: mark.id }).hSet(MARKS, mark.id, JSON.stringify(mark));
  if (auditLine !== undefined) multi.zAdd(AUDIT_LINES, { score: mark?.at ?? 0, value: auditLine });
  await multi.exec();
  if (mark === undefined) return [];
  await trim(redis);
  return [shown(mark)];
}

/** Seldom anything to do: an event is rare. */
async function trim(redis: Redis): Promise<void> {
  await redis.zRemRangeByRank(AUDIT_LINES, 0, -MOST_LINES - 1);
  const surplus = (await redis.zCard(MARK_TIMES)) - MOST;
  if (surplus <= 0) return;
  const old = await redis.zRange(MARK_TIMES, 0, surplus - 1);
  await redis.multi().zRem(MARK_TIMES, old).hDel(MARKS, old).exec();
}

function shown({ source: _, ...mark }: StoredMark): Mark {
  return mark;
}

function hash(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 12);
}
