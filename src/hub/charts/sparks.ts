/**
 * The small lines of applications: requests a second by minute over the last hour, over all hosts together.
 */
import type { Window } from '../../metrics/catalogue.ts';
import { TIERS } from '../../metrics/tiers.ts';
import type { Redis } from '../store/redis.ts';
import { readWindows } from '../store/windows.ts';

const MINUTE_MS = 60_000;
const SPARK_MINUTES = 60;
/** The minute that runs is shown as soon as it says something. */
const LEAST_MS = 10_000;

export class AppSparks {
  /** Application → minute → requests. */
  readonly #counts = new Map<string, Map<number, number>>();

  /** Takes a window that is known whole, of any length up to a minute. */
  add(window: Window): void {
    const minute = Math.floor((window.at - 1) / MINUTE_MS);
    for (const { app, requests } of window.routes) {
      const counts = this.#counts.get(app) ?? new Map<number, number>();
      this.#counts.set(app, counts);
      counts.set(minute, (counts.get(minute) ?? 0) + requests);
      for (const old of counts.keys()) if (old <= minute - SPARK_MINUTES) counts.delete(old);
    }
  }

  /** Oldest first; null before the first request that is known. */
  line(app: string, now: number): (number | null)[] {
    const counts = this.#counts.get(app);
    const last = Math.floor(now / MINUTE_MS);
    const first = counts === undefined ? last + 1 : Math.min(...counts.keys());
    return Array.from({ length: SPARK_MINUTES }, (_, i) => {
      const minute = last - SPARK_MINUTES + 1 + i;
      const elapsed = Math.min(MINUTE_MS, now - minute * MINUTE_MS);
      if (minute < first || elapsed < LEAST_MS) return null;
      return Number((((counts?.get(minute) ?? 0) / elapsed) * 1000).toPrecision(3));
    });
  }

  /** What the hub before this one knew. */
  async restore(redis: Redis, hosts: readonly string[], now: number): Promise<void> {
    const [raw, minutes] = TIERS;
    if (raw === undefined || minutes === undefined) return;
    const from = now - SPARK_MINUTES * MINUTE_MS;
    for (const host of hosts) {
      const closed = await readWindows(redis, minutes, 'apps', host, { from, to: now }, ['routes']);
      const since = Math.max(closed.at(-1)?.at ?? 0, now - 2 * MINUTE_MS);
      const open = await readWindows(redis, raw, 'apps', host, { from: since, to: now }, ['routes']);
      for (const window of [...closed, ...open]) this.add(window);
    }
  }
}
