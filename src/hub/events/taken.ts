/** Who has taken which trouble, as the hub keeps it. */
import { EVERYTHING, isAbout } from '../../alerts/silence.ts';
import { type Taken, takenBy } from '../../alerts/taken.ts';
import type { AlertState } from '../../alerts/types.ts';
import { ALERTS, TAKEN } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';

/** Of the troubles that last; others are forgotten. */
export async function listTaken(redis: Redis, states: readonly AlertState[]): Promise<readonly Taken[]> {
  const kept = await allTaken(redis);
  const lasting = new Map(states.map(({ key, since }) => [key, since]));
  const over = kept.filter(({ key, since }) => lasting.get(key) !== since);
  if (over.length > 0)
    await redis.hDel(
      TAKEN,
      over.map(({ key }) => key),
    );
  return kept.filter((one) => !over.includes(one));
}

/** Troubles that fire now, by the trouble's key or by what they are about. */
export async function firing(redis: Redis, wanted: string): Promise<readonly AlertState[]> {
  const states = Object.values(await redis.hGetAll(ALERTS)).map((text) => JSON.parse(text) as AlertState);
  return states.filter(
    (one) => one.state === 'firing' && (one.key === wanted || wanted === EVERYTHING || isAbout(one, wanted)),
  );
}

/** @returns the troubles that are taken now */
export async function takeTroubles(
  redis: Redis,
  wanted: string,
  { by, at }: Pick<Taken, 'by' | 'at'>,
): Promise<readonly AlertState[]> {
  const found = await firing(redis, wanted);
  for (const { key, since } of found)
    await redis.hSet(TAKEN, key, JSON.stringify({ key, since, by, at } satisfies Taken));
  return found;
}

/** @returns the troubles that nobody has taken any more */
export async function giveBackTroubles(redis: Redis, wanted: string): Promise<readonly AlertState[]> {
  const found = await firing(redis, wanted);
  const taken = await allTaken(redis);
  const given = found.filter((one) => takenBy(taken, one) !== undefined);
  for (const { key } of given) await redis.hDel(TAKEN, key);
  return given;
}

async function allTaken(redis: Redis): Promise<readonly Taken[]> {
  return Object.values(await redis.hGetAll(TAKEN)).map((text) => JSON.parse(text) as Taken);
}
