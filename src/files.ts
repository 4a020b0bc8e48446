/** Files on this machine. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, relative } from 'node:path';

/**
 * Makes the file hold `content`, or leaves it alone where it does. A reader, or a crash at any moment, sees
 * the old content or the new, never a part (temporary name in the same folder, fsync, rename). Missing
 * folders are made.
 * @returns whether the content differed. The mode is set where the file is written.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<boolean> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
  const before = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (before?.equals(bytes)) return false;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return true;
}

/** A path as messages show it: from the current folder where it lies in it, else whole. */
export function shownPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near === '' || near.startsWith('..') ? path : near;
}
