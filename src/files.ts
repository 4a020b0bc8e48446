/** Files on this machine. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
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
  await replaceFile(path, `${path}.${randomBytes(6).toString('hex')}.tmp`, mode, (file) =>
    file.writeFile(bytes),
  );
  return true;
}

/**
 * Puts a new file in the place of another, whole and on the disk; nothing is left of one that fails.
 * @param temporary a name in the same folder that nothing has
 * @param mode less what the umask takes
 */
export async function replaceFile(
  path: string,
  temporary: string,
  mode: number,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await fill(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A path as messages show it: from the current folder where it lies in it, else whole. */
export function shownPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near === '' || near.startsWith('..') ? path : near;
}

/** Why a file could not be read, as a sentence's end: `… cannot be read: it is a folder`. */
export function unreadableWords(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'there is none',
    ENOTDIR: 'there is none',
    EISDIR: 'it is a folder',
    EACCES: 'you may not',
  };
  return words[code ?? ''] ?? message;
}
