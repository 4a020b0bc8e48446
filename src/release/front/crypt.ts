/**
 * Passwords as the host's crypt(3) reads them: SHA-512, `$6$`. Source: U. Drepper, Unix crypt using SHA-256
 * and SHA-512 (2016), of which this is the part with the default of 5,000 rounds.
 */
import { createHash } from 'node:crypto';

const ROUNDS = 5000;
const LETTERS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function sha512(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** As many bytes of it, again and again. */
function stretched(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest);
}

/** @param salt 1 to 16 of the letters, digits, dot and slash */
export function sha512Crypt(password: string, salt: string): string {
  const word = Buffer.from(password);
  const own = Buffer.from(salt);
  const first = sha512(word, own, ...mixture(word, sha512(word, own, word)));
  const p = stretched(sha512(...Array.from({ length: word.length }, () => word)), word.length);
  const times = 16 + (first[0] ?? 0);
  const s = stretched(sha512(...Array.from({ length: times }, () => own)), own.length);
  let digest = first;
  for (let round = 0; round < ROUNDS; round++) {
    const odd = round % 2 === 1;
    digest = sha512(
      odd ? p : digest,
      ...(round % 3 === 0 ? [] : [s]),
      ...(round % 7 === 0 ? [] : [p]),
      odd ? digest : p,
    );
  }
  return `$6$${salt}$${encoded(digest)}`;
}

/** As many bytes of the other digest as the password has; then one part for each bit of its length. */
function mixture(word: Buffer, other: Buffer): Uint8Array[] {
  const parts: Uint8Array[] = [stretched(other, word.length)];
  for (let bits = word.length; bits > 0; bits >>= 1) parts.push(bits % 2 === 1 ? other : word);
  return parts;
}

/** 64 bytes in an order of their own, six bits a letter. */
function encoded(digest: Buffer): string {
  let text = '';
  const add = (a: number, b: number, c: number, count: number) => {
    let bits = (a << 16) | (b << 8) | c;
    for (let index = 0; index < count; index++, bits >>= 6) text += LETTERS[bits & 63];
  };
  const at = (index: number) => digest[index] ?? 0;
  for (let turn = 0; turn < 21; turn++) {
    const three = [turn, turn + 21, turn + 42];
    const [a = 0, b = 0, c = 0] = three.map((_, place) => three[(place + turn) % 3]);
    add(at(a), at(b), at(c), 4);
  }
  add(0, 0, at(63), 2);
  return text;
}
