/** Files of the host. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  access,
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { replaceFile } from '../../files.ts';
import type { Host } from '../host.ts';
import { run } from './run.ts';

type Files = Pick<
  Host,
  | 'read'
  | 'write'
  | 'append'
  | 'exists'
  | 'list'
  | 'makeFolder'
  | 'remove'
  | 'rename'
  | 'link'
  | 'readLink'
  | 'changedAt'
  | 'sha256'
  | 'free'
  | 'takeLines'
>;

/** `undefined` if there is no such file; other errors are thrown. */
async function ifThere<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function write(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  await replaceFile(path, temporary, 0o600, async (file) => {
    await file.writeFile(text);
    await file.chmod(mode);
  });
}

async function append(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a', 0o640);
  try {
    await file.write(text);
  } finally {
    await file.close();
  }
}

async function makeFolder(path: string, mode = 0o755): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
}

async function renameSynced(from: string, to: string): Promise<void> {
  // For a whole tree, one call for the file system is quicker than one for each file.
  const { code, err } = await run('sync', ['-f', from]);
  if (code !== 0) throw new Error(`cannot sync ${from}: ${err.trim()}`);
  await rename(from, to);
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.link`;
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, path);
}

async function sha256(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  return ifThere(async () => {
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  });
}

async function spaceLeft(path: string): Promise<string> {
  const { out } = await run('df', ['-h', '--output=avail', path]);
  return out.trim().split('\n').at(-1)?.trim() ?? '';
}

/** Read at once at most. */
const MOST_BYTES = 8 * 1024 ** 2;
/** Given back at once at least. */
const FREED_BYTES = 256 * 1024;

/**
 * The file has no other reader and grows in memory: what was read is given back by a hole. One that is
 * shorter than before was made anew.
 */
async function takeLines(path: string, from: number): ReturnType<Host['takeLines']> {
  const file = await ifThere(() => open(path, 'r'));
  if (file === undefined) return { lines: [], next: 0 };
  try {
    const { size } = await file.stat();
    const start = size < from ? 0 : from;
    const length = Math.min(size - start, MOST_BYTES);
    if (length === 0) return { lines: [], next: start };
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
    if (end === 0) return { lines: [], next: start };
    const next = start + end;
    const freed = Math.floor(next / FREED_BYTES) * FREED_BYTES;
    if (freed > start) await giveBack(path, freed);
    return { lines: buffer.toString('utf8', 0, end - 1).split('\n'), next };
  } finally {
    await file.close();
  }
}

async function giveBack(path: string, length: number): Promise<void> {
  const { code, err } = await run('fallocate', [
    '--punch-hole',
    '--offset',
    '0',
    '--length',
    `${length}`,
    path,
  ]);
  if (code !== 0) throw new Error(`cannot free ${path}: ${err.trim()}`);
}

export const files: Files = {
  read: (path) => ifThere(() => readFile(path, 'utf8')),
  write,
  append,
  exists: async (path) => (await ifThere(() => access(path).then(() => true))) ?? false,
  list: async (path) => (await ifThere(() => readdir(path))) ?? [],
  makeFolder,
  remove: (path) => rm(path, { recursive: true, force: true }),
  rename: renameSynced,
  link,
  readLink: (path) =>
    ifThere(async () => ((await lstat(path)).isSymbolicLink() ? readlink(path) : undefined)),
  changedAt: async (path) => (await ifThere(() => stat(path)))?.mtimeMs,
  sha256,
  free: spaceLeft,
  takeLines,
};
