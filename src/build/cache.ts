/** What is kept on this machine between builds, and who may write to it at a time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';

/** A path in the cache, by the XDG base directory specification: `~/.cache/pipeline/…`. */
export function cachePath(context: Context, ...parts: readonly string[]): string {
  const xdg = context.env.XDG_CACHE_HOME;
  const root = xdg?.startsWith('/') ? xdg : join(context.env.HOME ?? homedir(), '.cache');
  return join(root, 'pipeline', ...parts);
}

/**
 * Runs `work` while no other process that names the same path does. The lock is the kernel's (flock), held by
 * a child that ends with this process whatever ends it, so a killed build never leaves a lock behind.
 */
export async function exclusively<T>(path: string, context: Context, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const keeper = spawn('flock', ['--exclusive', path, 'sh', '-c', 'echo locked; exec cat'], {
    env: { ...context.env },
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  keeper.stdin.on('error', () => {});
  try {
    const first = await Promise.race([
      once(keeper.stdout, 'data', { signal: context.signal }),
      once(keeper, 'exit').then(() => undefined),
    ]);
    if (first === undefined) {
      throw new Failure('usage', `Cannot lock ${path}.`, { next: 'Make the cache folder writable for you.' });
    }
    return await work();
  } catch (error) {
    context.signal.throwIfAborted();
    if (
      (error as NodeJS.ErrnoException).code !== 'ENOENT' ||
      (error as NodeJS.ErrnoException).path !== 'flock'
    )
      throw error;
    throw new Failure('usage', 'The program flock is not installed on this machine.', {
      next: 'Install it (Debian: apt-get install util-linux), then run the command again.',
      cause: error,
    });
  } finally {
    keeper.stdin.end();
  }
}
