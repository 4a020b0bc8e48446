/** Sessions: a random token in a cookie, its hash in Redis. */
import { createHash, randomBytes } from 'node:crypto';
import { session as keyOf } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';
import { findUser, type User } from './users.ts';

export const SESSION_SECONDS = 7 * 86_400;
/**
 * A token is replaced after this long, so that a stolen one is of use for a day at most while its owner is
 * there.
 */
const ROTATE_MS = 86_400_000;

interface Session {
  readonly user: string;
  readonly generation: number;
  readonly at: number;
}

export async function openSession(
  redis: Redis,
  user: { readonly name: string; readonly generation: number },
): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  const session: Session = { user: user.name, generation: user.generation, at: Date.now() };
  await redis.set(keyOf(hash(token)), JSON.stringify(session), {
    expiration: { type: 'EX', value: SESSION_SECONDS },
  });
  return token;
}

/** The user of a token; with a new token if the old one is due for replacement. */
export async function readSession(
  redis: Redis,
  token: string,
): Promise<{ readonly user: User; readonly fresh?: string } | undefined> {
  const text = await redis.get(keyOf(hash(token)));
  if (text === null) return undefined;
  const session = JSON.parse(text) as Session;
  const user = await findUser(redis, session.user);
  if (user === undefined || user.generation !== session.generation) return undefined;
  const plain: User = { name: user.name, role: user.role };
  if (Date.now() - session.at < ROTATE_MS) return { user: plain };
  const fresh = await openSession(redis, user);
  // Requests already on their way with the old token are still accepted.
  await redis.pExpire(keyOf(hash(token)), 30_000);
  return { user: plain, fresh };
}

export async function closeSession(redis: Redis, token: string): Promise<void> {
  await redis.del(keyOf(hash(token)));
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
