/** What is kept on this machine between builds, and who may write to it at a time. */
import { mkdir, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { runTool } from '../process/tool.ts';

/** A path in the cache, by the XDG base directory specification: `~/.cache/pipeline/…`. */
export function cachePath(context: Context, ...parts: readonly string[]): string {
  const xdg = context.env.XDG_CACHE_HOME;
  const root = xdg?.startsWith('/') ? xdg : join(context.env.HOME ?? homedir(), '.cache');
  return join(root, 'pipeline', ...parts);
}

/**
 * Runs `work` while no other process that names the same path does. The lock is the kernel's (flock) on a
 * file that this process holds open, so a killed build never leaves a lock behind.
 */
export async function exclusively<T>(path: string, context: Context, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a');
  try {
    // The program locks what it shares with us, and what stays locked until we close it.
    const locked = await runTool('flock', ['--exclusive', '3'], context, { descriptor: file.fd });
    if (locked.exitCode !== 0) {
      throw new Failure('usage', `Cannot lock ${path}.`, {
        output: locked.lastLines,
        next: 'Let the cache folder be on a local disk: XDG_CACHE_HOME names another one.',
      });
    }
    return await work();
  } finally {
    await file.close();
  }
}
