/** Deploys, rollbacks and canaries: the marks on charts. */
import * as z from 'zod';
import { EVENTS } from './keys.ts';
import type { Redis } from './redis.ts';

const line = z.string().max(300);

/** What can be recorded. */
export const eventSchema = z.strictObject({
  /** ms since 1970; absent: now. */
  at: z.number().int().positive().optional(),
  kind: z.enum(['deploy', 'rollback', 'canary']),
  app: z.string().max(64),
  host: z.string().max(253).optional(),
  release: line.optional(),
  commit: z.string().max(64).optional(),
  by: line.optional(),
  /** Of a canary: passed, failed, inconclusive, running. */
  result: z.string().max(40).optional(),
  text: line,
});
export type NewEvent = Readonly<z.output<typeof eventSchema>>;
export type MonitorEvent = NewEvent & { readonly id: string; readonly at: number };

const KEEP_MS = 90 * 86_400_000;
/** The same release on several hosts, or reported and seen, is one event. */
const SAME_MS = 15 * 60_000;

/** Appends the event, unless it is the same as one of the last minutes. @returns whether it was new */
export async function recordEvent(redis: Redis, event: NewEvent): Promise<boolean> {
  const now = Date.now();
  const at = Math.min(event.at ?? now, now);
  const recent = await readEvents(redis, at - SAME_MS, now);
  const same = (one: MonitorEvent) =>
    one.kind === event.kind &&
    one.app === event.app &&
    one.release === event.release &&
    one.kind !== 'canary';
  if (recent.some(same)) return false;
  await redis.xAdd(
    EVENTS,
    '*',
    { event: JSON.stringify({ ...event, at }) },
    {
      TRIM: { strategy: 'MINID', strategyModifier: '~', threshold: now - KEEP_MS },
    },
  );
  return true;
}

/** Events that happened in [from, to], oldest first; 2000 at most. */
export async function readEvents(redis: Redis, from: number, to: number): Promise<MonitorEvent[]> {
  // Written at most a week after they happened; the stream is in order of writing.
  const entries = await redis.xRevRange(EVENTS, '+', String(Math.max(0, from)), { COUNT: 2000 });
  return (entries ?? [])
    .map(({ id, message }) => ({ ...(JSON.parse(message.event ?? '{}') as Omit<MonitorEvent, 'id'>), id }))
    .filter(({ at }) => at >= from && at <= to)
    .sort((a, b) => a.at - b.at);
}
