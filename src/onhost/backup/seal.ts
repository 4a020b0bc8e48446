/**
 * A dump's hash behind it: a line of fixed length, a comment in SQL. It tells a whole dump from one that was
 * cut off, and what came back from what went.
 */
import { createHash, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';

const FORM = /^\n-- pipeline sha256 ([0-9a-f]{64})\n$/;
/** Bytes of the seal. */
export const SEAL_BYTES = sealOf('0'.repeat(64)).length;

export function sealOf(sha256: string): string {
  return `\n-- pipeline sha256 ${sha256}\n`;
}

/** Counts and hashes what passes. */
export class Counter extends Transform {
  bytes = 0;
  readonly #hash: Hash = createHash('sha256');
  #sha256: string | undefined;

  get sha256(): string {
    this.#sha256 ??= this.#hash.digest('hex');
    return this.#sha256;
  }

  protected count(part: Buffer): void {
    this.bytes += part.length;
    this.#hash.update(part);
  }

  override _transform(part: Buffer, _encoding: string, done: TransformCallback): void {
    this.count(part);
    done(null, part);
  }
}

/** Takes the seal off, wherever parts are cut, and compares it. */
export class Opener extends Counter {
  /** Whether the seal was there, and right. */
  whole = false;
  #tail = Buffer.alloc(0);

  override _transform(part: Buffer, _encoding: string, done: TransformCallback): void {
    const all = Buffer.concat([this.#tail, part]);
    const ready = Math.max(0, all.length - SEAL_BYTES);
    this.#tail = all.subarray(ready);
    const passed = all.subarray(0, ready);
    this.count(passed);
    done(null, passed);
  }

  override _flush(done: TransformCallback): void {
    const sha256 = FORM.exec(this.#tail.toString('latin1'))?.[1];
    this.whole = sha256 === this.sha256;
    done();
  }
}
