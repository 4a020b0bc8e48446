/** What was fired and resolved, page by page. */
import type { AlertNotice, AlertPage } from '../api-types.ts';
import { ALERT_LOG } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';

const CHUNK = 500;

/** Newest first. @param query.before `next` of the page before */
export async function pageOfAlerts(
  redis: Redis,
  query: {
    readonly before?: string | undefined;
    readonly subject?: string | undefined;
    readonly limit: number;
  },
): Promise<AlertPage> {
  const { limit, subject } = query;
  const entries: AlertPage['entries'][number][] = [];
  let end = query.before === undefined ? '+' : `(${query.before}`;
  for (;;) {
    const chunk = (await redis.xRevRange(ALERT_LOG, end, '-', { COUNT: CHUNK })) ?? [];
    for (const { id, message } of chunk) {
      const { state, alert, at } = JSON.parse(message.notice ?? '{}') as AlertNotice;
      if (state === 'test' || (subject !== undefined && alert.subject !== subject)) continue;
      if (entries.length === limit) return { entries, next: entries.at(-1)?.id ?? null };
      entries.push({ id, at, state, alert });
    }
    const last = chunk.at(-1);
    if (last === undefined || chunk.length < CHUNK) return { entries, next: null };
    end = `(${last.id}`;
  }
}
