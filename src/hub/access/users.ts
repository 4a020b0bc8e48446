/** Who may sign in. */
import { Failure } from '../../errors.ts';
import { USERS } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';
import { generatePassword, hashPassword, verifyPassword } from './passwords.ts';

/** `viewer` sees everything and changes nothing. */
export type UserRole = 'admin' | 'viewer';
export interface User {
  readonly name: string;
  readonly role: UserRole;
}
interface Stored {
  readonly role: UserRole;
  readonly hash: string;
  /** Grows with every new password: sessions of an older one end. */
  readonly generation: number;
}

/** A user as the hub knows it; the generation tells passwords apart. */
export type SignedIn = User & Stored;

const NAME = /^[a-z][a-z0-9._-]{0,31}$/;

export async function listUsers(redis: Redis): Promise<User[]> {
  const all = await redis.hGetAll(USERS);
  return Object.entries(all)
    .map(([name, text]) => ({ name, role: (JSON.parse(text) as Stored).role }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Adds a user, or gives a new password. @returns the password, which is not kept */
export async function setUser(redis: Redis, name: string, role: UserRole): Promise<string> {
  if (!NAME.test(name))
    throw new Failure('usage', `"${name}" is not a valid user name`, {
      next: 'Take lower-case letters, digits, dots and dashes, a letter first, 32 at most.',
    });
  const password = generatePassword();
  const generation = ((await findUser(redis, name))?.generation ?? 0) + 1;
  const stored: Stored = { role, hash: await hashPassword(password), generation };
  await redis.hSet(USERS, name, JSON.stringify(stored));
  return password;
}

/** @returns whether there was such a user */
export async function removeUser(redis: Redis, name: string): Promise<boolean> {
  return (await redis.hDel(USERS, name)) > 0;
}

export async function findUser(redis: Redis, name: string): Promise<SignedIn | undefined> {
  const text = await redis.hGet(USERS, name);
  return text === null || text === undefined ? undefined : { name, ...(JSON.parse(text) as Stored) };
}

export async function checkPassword(
  redis: Redis,
  name: string,
  password: string,
): Promise<SignedIn | undefined> {
  const user = NAME.test(name) ? await findUser(redis, name) : undefined;
  return (await verifyPassword(password, user?.hash)) ? user : undefined;
}
