/**
 * Makes room in Redis before it is full, and where it is full: the oldest samples go first, since roll-ups of
 * them stay.
 */
import { TIERS, type Tier } from '../../metrics/tiers.ts';
import { PARTS, windows } from './keys.ts';
import type { Redis } from './redis.ts';

/** Share of the memory limit from which room is made, and until which. */
const HIGH = 0.9;
const LOW = 0.85;
/** Share of a tier's time that goes at once. */
const SLICE = 0.25;
const HOUR_MS = 3_600_000;
/** What stays of each tier in any case. */
const FLOOR_MS: Readonly<Record<Tier['name'], number>> = {
  raw: HOUR_MS,
  minute: 24 * HOUR_MS,
  'ten-minutes': 7 * 24 * HOUR_MS,
};

/**
 * Which tier is cut next, and before what time (ms); undefined where nothing may go.
 * @param oldest first window of each tier, ms
 */
export function nextCut(
  oldest: Readonly<Partial<Record<Tier['name'], number>>>,
  now: number,
): { readonly tier: Tier; readonly before: number } | undefined {
  for (const tier of TIERS) {
    const first = oldest[tier.name];
    if (first === undefined || now - first <= FLOOR_MS[tier.name]) continue;
    return { tier, before: Math.min(first + (now - first) * SLICE, now - FLOOR_MS[tier.name]) };
  }
  return undefined;
}

export interface Memory {
  readonly used: number;
  readonly limit: number;
}

/** What Redis holds and may hold, bytes; null where it has no bound. */
export async function memoryOf(redis: Redis): Promise<Memory | null> {
  const info = await redis.info('memory');
  const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const limit = number('maxmemory');
  return limit === 0 ? null : { used: number('used_memory'), limit };
}

/** @returns whether there is room now */
export async function makeRoom(
  redis: Redis,
  hosts: readonly string[],
  now: number,
  log: (line: string) => void,
): Promise<boolean> {
  const share = async () => {
    const memory = await memoryOf(redis);
    return memory === null ? 0 : memory.used / memory.limit;
  };
  if ((await share()) < HIGH) return true;
  let cut: ReturnType<typeof nextCut>;
  while ((await share()) > LOW) {
    const next = nextCut(await oldestOf(redis, hosts), now);
    if (next === undefined) {
      log('Redis is full, and what is left must stay: give the monitor more memory, or watch fewer hosts.');
      return false;
    }
    cut = next;
    const { tier, before } = next;
    for (const host of hosts)
      await Promise.all(
        PARTS.map((part) => redis.xTrim(windows(tier.name, part, host), 'MINID', Math.ceil(before))),
      );
  }
  if (cut !== undefined)
    log(
      `Redis was nearly full: windows of the tier ${cut.tier.name} before ` +
        `${new Date(cut.before).toISOString()} were removed.`,
    );
  return true;
}

async function oldestOf(
  redis: Redis,
  hosts: readonly string[],
): Promise<Partial<Record<Tier['name'], number>>> {
  const oldest: Partial<Record<Tier['name'], number>> = {};
  for (const { name } of TIERS) {
    const firsts = await Promise.all(
      hosts.map((host) => redis.xRange(windows(name, 'host', host), '-', '+', { COUNT: 1 })),
    );
    const times = firsts.flatMap((entries) => (entries ?? []).map(({ id }) => Number(id.split('-')[0])));
    if (times.length > 0) oldest[name] = Math.min(...times);
  }
  return oldest;
}
