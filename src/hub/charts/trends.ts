/**
 * What alerts need of the past: how fast disks fill, how often units started again. Taken from the store when
 * a hub begins.
 */
import type { HostView } from '../../alerts/findings.ts';
import type { Window } from '../../metrics/catalogue.ts';
import { mean } from '../../metrics/merge.ts';
import { TIERS } from '../../metrics/tiers.ts';
import type { Redis } from '../store/redis.ts';
import { readWindows } from '../store/windows.ts';

const RESTARTS_MS = 600_000;
const HOUR_MS = 3_600_000;
const DISK_MS = 6 * HOUR_MS;
const STEP_MS = 600_000;

interface Point {
  readonly at: number;
  readonly used: number;
}

interface Past {
  restarts: { readonly unit: string; readonly at: number; readonly count: number }[];
  /** By mount, ten minutes apart. */
  readonly disks: Map<string, Point[]>;
}

export class Trends {
  readonly #hosts = new Map<string, Past>();

  /** What an earlier hub saw, from roll-ups; the last minute from the samples. */
  async load(redis: Redis, hosts: readonly string[], now: number): Promise<void> {
    const [raw, minute, tenMinutes] = TIERS;
    if (raw === undefined || minute === undefined || tenMinutes === undefined) return;
    this.#hosts.clear();
    for (const host of hosts) {
      const hours = { from: now - DISK_MS, to: now };
      const disks = await readWindows(redis, tenMinutes, 'host', host, hours, ['disks']);
      const minutes = { from: now - RESTARTS_MS, to: now };
      const units = await readWindows(redis, minute, 'host', host, minutes, ['units']);
      const rest = { from: Math.max(units.at(-1)?.at ?? 0, now - 2 * 60_000), to: now };
      const last = await readWindows(redis, raw, 'host', host, rest, ['units', 'disks']);
      for (const window of [...disks, ...units, ...last]) this.note(host, window);
    }
  }

  note(host: string, { at, units, disks }: Pick<Window, 'at' | 'units' | 'disks'>): void {
    const past: Past = this.#hosts.get(host) ?? { restarts: [], disks: new Map() };
    this.#hosts.set(host, past);
    const again = units.filter(({ restarts }) => restarts > 0);
    if (again.length > 0)
      past.restarts = [
        ...past.restarts.filter((one) => one.at > at - RESTARTS_MS),
        ...again.map(({ unit, restarts }) => ({ unit, at, count: restarts })),
      ].slice(-500);
    for (const { mount, used } of disks) {
      const points: readonly Point[] = past.disks.get(mount) ?? [];
      const bytes = mean(used);
      if (bytes === null || at - (points.at(-1)?.at ?? 0) < STEP_MS) continue;
      const recent = points.filter((point) => point.at > at - DISK_MS);
      past.disks.set(mount, [...recent, { at, used: bytes }]);
    }
  }

  of(host: string, now: number): Pick<HostView, 'restarts' | 'growth'> {
    const restarts = new Map<string, number>();
    const past = this.#hosts.get(host);
    for (const { unit, at, count } of past?.restarts ?? [])
      if (at > now - RESTARTS_MS) restarts.set(unit, (restarts.get(unit) ?? 0) + count);
    const growth = new Map<string, number>();
    for (const [mount, points] of past?.disks ?? []) {
      const rate = growthOf(points);
      if (rate !== undefined) growth.set(mount, rate);
    }
    return { restarts, growth };
  }
}

/**
 * Growth in bytes a second: the lesser of both halves of the time, so that one large file that was put there
 * is no trend.
 * @returns undefined for less than an hour
 */
export function growthOf(points: readonly Point[]): number | undefined {
  const [first, middle, last] = [points[0], points[Math.floor((points.length - 1) / 2)], points.at(-1)];
  if (first === undefined || middle === undefined || last === undefined) return undefined;
  if (last.at - first.at < HOUR_MS || middle === first) return undefined;
  const rate = (a: Point, b: Point) => ((b.used - a.used) / (b.at - a.at)) * 1000;
  return Math.min(rate(first, middle), rate(middle, last));
}
