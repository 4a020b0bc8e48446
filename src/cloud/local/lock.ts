/**
 * Locks on this machine that end with whoever holds them: flock(2) on a descriptor that this process and its
 * running tools share.
 */
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { run } from './run.ts';

export interface Lock extends AsyncDisposable {
  /**
   * Descriptor to hand to programs (`LocalToolOptions.lock`), so that the lock lasts until they, too, have
   * ended.
   */
  readonly descriptor: number;
  release(): Promise<void>;
}

/** Exit code of flock(1) that nothing else uses here. */
const HELD = 75;

/**
 * Takes the lock on a file, which is made where it is missing, or on a folder that exists.
 * @returns undefined where somebody else holds it.
 */
export async function tryLock(context: Context, path: string): Promise<Lock | undefined> {
  for (;;) {
    const handle = await openForLock(path);
    try {
      // locks the open file description, which stays locked for as long as a descriptor of it is open
      // anywhere
      const args = ['--nonblock', '--conflict-exit-code', String(HELD), '3'];
      const { exitCode, stderr } = await run(context, 'flock', args, { lock: handle.fd });
      if (exitCode === 0 && (await isStill(path, handle))) return held(handle);
      await handle.close();
      if (exitCode === HELD) return undefined;
      if (exitCode !== 0) throw lockFailure(path, stderr.trim());
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

export interface LockWaiting {
  /** Milliseconds after which it is given up; default: never. */
  readonly forMs?: number;
  /** Called once if somebody else holds the lock. */
  readonly onWait?: () => void;
}

/**
 * Waits for the lock, looking ten times a second.
 * @returns undefined where the time is up.
 */
export async function waitForLock(
  context: Context,
  path: string,
  { forMs = Number.POSITIVE_INFINITY, onWait }: LockWaiting = {},
): Promise<Lock | undefined> {
  const deadline = Date.now() + forMs;
  for (let attempt = 0; ; attempt++) {
    const lock = await tryLock(context, path);
    if (lock !== undefined || Date.now() > deadline) return lock;
    if (attempt === 0) onWait?.();
    await sleep(100, undefined, { signal: context.signal });
  }
}

async function openForLock(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await open(path, 'a+', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') return open(path, 'r');
    throw error;
  }
}

/** Whether what was locked is what stands at the path: the last holder may have removed it. */
async function isStill(path: string, handle: FileHandle): Promise<boolean> {
  const [mine, there] = await Promise.all([handle.stat(), stat(path).catch(() => undefined)]);
  return mine.ino === there?.ino && mine.dev === there.dev;
}

function lockFailure(path: string, why: string): Failure {
  return new Failure('host', `The lock ${path} could not be taken: ${why}.`, {
    next: 'Check that the folder is on a local disk: locks on network file systems are not supported.',
  });
}

function held(handle: FileHandle): Lock {
  let open = true;
  const release = async () => {
    if (open) await handle.close();
    open = false;
  };
  return { descriptor: handle.fd, release, [Symbol.asyncDispose]: release };
}
