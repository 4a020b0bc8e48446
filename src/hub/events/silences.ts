/** Silences as the hub keeps them: one for each subject. */
import { current, LONGEST_SILENCE_MS, type Silence } from '../../alerts/silence.ts';
import { Failure } from '../../errors.ts';
import { SILENCES } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';

/** Those that go on, the first to end first; others are forgotten. */
export async function listSilences(redis: Redis, now: number): Promise<readonly Silence[]> {
  const kept = Object.values(await redis.hGetAll(SILENCES)).map((text) => JSON.parse(text) as Silence);
  const going = current(kept, now);
  const over = kept.filter((one) => !going.includes(one)).map(({ subject }) => subject);
  if (over.length > 0) await redis.hDel(SILENCES, over);
  return going.toSorted((a, b) => a.until - b.until);
}

/**
 * Takes the place of an earlier one of the same subject.
 * @throws Failure kind `usage` for a time that is none
 */
export async function addSilence(redis: Redis, silence: Silence): Promise<Silence> {
  const { subject, from, until } = silence;
  if (!(until > from && until - from <= LONGEST_SILENCE_MS))
    throw new Failure('usage', `${subject} cannot be silenced for that long.`, {
      next: 'Say up to 30 days, or turn the rule off: alerts: rules: in pipeline.yml.',
    });
  await redis.hSet(SILENCES, subject, JSON.stringify(silence));
  return silence;
}

/** One that begins by itself: what a person has said stands, and so does one that lasts longer. */
export async function beginSilence(redis: Redis, silence: Silence): Promise<void> {
  const text = await redis.hGet(SILENCES, silence.subject);
  const before = text === null || text === undefined ? undefined : (JSON.parse(text) as Silence);
  const stands = before !== undefined && before.until > silence.from;
  if (stands && (before.automatic !== true || before.until >= silence.until)) return;
  await redis.hSet(SILENCES, silence.subject, JSON.stringify(silence));
}

/** @returns whether there was one */
export async function endSilence(redis: Redis, subject: string): Promise<boolean> {
  return (await redis.hDel(SILENCES, subject)) > 0;
}
