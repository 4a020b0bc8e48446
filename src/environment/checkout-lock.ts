/**
 * One writer for each environment of a checkout, before any host exists that could hold the lock. The
 * operating system lets go of it when its holder ends, however that happens; the file's content only says who
 * that is.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lock, tryLock } from '../cloud/local/lock.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';

export interface CheckoutLock {
  /** Folder of pipeline.yml. */
  readonly directory: string;
  readonly environment: string;
  /** What the holder does, e.g. `prod up`. */
  readonly command: string;
  /** Wait for the holder instead of giving up. */
  readonly wait: boolean;
}

/**
 * Runs `work` while this process holds the lock.
 * @throws Failure `locked` where somebody else holds it and `wait` is false.
 */
export async function withCheckoutLock<T>(
  wanted: CheckoutLock,
  context: Context,
  work: () => Promise<T>,
): Promise<T> {
  const path = join(wanted.directory, '.pipeline', `lock.${wanted.environment}`);
  const lock = await acquire(path, wanted, context);
  try {
    await writeFile(
      path,
      `"pipeline ${wanted.command}" (process ${process.pid}) since ${context.now().toISOString()}`,
    );
    return await work();
  } finally {
    await lock.release();
  }
}

async function acquire(path: string, { wait, environment }: CheckoutLock, context: Context): Promise<Lock> {
  const stage = `lock of ${environment}`;
  for (let announced = false; ; announced = true) {
    const lock = await tryLock(context, path);
    if (lock !== undefined) {
      if (announced) context.progress({ stage, state: 'done' });
      return lock;
    }
    const holder = await readFile(path, 'utf8');
    if (!wait) {
      throw new Failure('locked', `${holder === '' ? 'another command' : holder} works on this environment`, {
        next: 'Wait until it has ended, or run the command with --wait.',
      });
    }
    if (!announced) context.progress({ stage, state: 'started', detail: `held by ${holder}` });
    await sleep(250, undefined, { signal: context.signal });
  }
}
