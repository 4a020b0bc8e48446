/** Passwords: generated, kept as scrypt hashes, compared in constant time. */
import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';

/** OWASP's recommendation for scrypt: N = 2^15, r = 8, p = 3, 32 MiB. */
const COST = 2 ** 15;
const MAX_MEMORY = 64 * 2 ** 20;
/** Without letters that look alike. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** 20 letters and digits in groups: 100 bits. */
export function generatePassword(): string {
  const groups = Array.from({ length: 4 }, () =>
    Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)]).join(''),
  );
  return groups.join('-');
}

/** @param cost N of scrypt; kept in the hash, so that it can grow */
export async function hashPassword(password: string, cost = COST): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  return `scrypt$${cost}$${salt.toString('base64')}$${key.toString('base64')}`;
}

/** Takes as long for a user that does not exist (`hash` undefined) as for one that does. */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, cost = '', salt = '', key = ''] = (hash ?? `scrypt$${COST}$AAAA$`).split('$');
  const wanted = Buffer.from(key, 'base64');
  const given = await derive(password, Buffer.from(salt, 'base64'), Number(cost));
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function derive(password: string, salt: Buffer, N: number): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(password.normalize('NFC'), salt, 32, { N, r: 8, p: 3, maxmem: MAX_MEMORY }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  );
}
