/** Locks on this machine that end with whoever holds them: flock(2) on a descriptor that this process and its running tools share. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { run } from './run.ts';

export interface Lock extends AsyncDisposable {
  /** Descriptor to hand to programs (`RunOptions.lock`), so that the lock lasts until they, too, have ended. */
  readonly descriptor: number;
  release(): Promise<void>;
}

/** Exit code of flock(1) that nothing else uses here. */
const HELD = 75;

/**
 * Takes the lock if it is free.
 * @returns undefined where somebody else holds it.
 */
export async function tryLock(context: Context, file: string): Promise<Lock | undefined> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'a+', 0o600);
  // `--exclusive 3` locks the open file description, which stays locked as long as a descriptor of it is open anywhere
  const { code, stderr } = await run(
    context,
    'flock',
    ['--nonblock', '--conflict-exit-code', String(HELD), '3'],
    {
      lock: handle.fd,
    },
  ).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  if (code === 0) return held(handle);
  await handle.close();
  if (code === HELD) return undefined;
  throw new Failure('host', `The lock ${file} could not be taken: ${stderr.trim()}.`, {
    next: 'Check that the folder is on a local disk: locks on network file systems are not supported.',
  });
}

/** Waits for the lock, looking five times a second; `onWait` is called once if somebody else holds it. */
export async function waitForLock(
  context: Context,
  file: string,
  onWait: () => void = () => {},
): Promise<Lock> {
  for (let attempt = 0; ; attempt++) {
    const lock = await tryLock(context, file);
    if (lock !== undefined) return lock;
    if (attempt === 0) onWait();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function held(handle: FileHandle): Lock {
  let open = true;
  const release = async () => {
    if (open) await handle.close();
    open = false;
  };
  return { descriptor: handle.fd, release, [Symbol.asyncDispose]: release };
}
