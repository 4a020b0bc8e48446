/** Images in the cache: folders of files that hosts' disks lie on, each made once and shared by all commands. */
import { access, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import type { ToolResult } from '../../process/tool.ts';
import { tryLock, waitForLock } from './lock.ts';
import { folders, imagesInUse } from './records.ts';
import { mustRun } from './run.ts';
import type { LocalSettings } from './settings.ts';

/** How an image is made. */
export interface Making {
  /** What it is called in progress and failures. */
  readonly stage: string;
  /** Which one it is. */
  readonly name: string;
  /** How long it takes, for people. */
  readonly takes: string;
  /** Bytes that must be free before it begins. */
  readonly room: number;
  /**
   * Fills the workshop, an empty place that the next attempt clears, and moves it to the image's folder.
   * `lock`: descriptor of a lock that its tools hold, too.
   */
  readonly make: (workshop: string, lock: number) => Promise<void>;
}

/** Where hosts find an image's files. */
export function rootOf(image: string): string {
  return join(image, 'rootfs');
}

/** An image is there if and only if its folder is. */
export async function imageExists(image: string): Promise<boolean> {
  return access(rootOf(image)).then(
    () => true,
    () => false,
  );
}

/**
 * Makes the image unless it is there; two commands at once share one making, also where one of them is killed
 * meanwhile. `keep`: images that are wanted now, this one among them.
 * @throws Failure kind `usage` where the disk is full.
 */
export async function ensureImage(
  context: Context,
  settings: LocalSettings,
  image: string,
  { stage, name, takes, room, make }: Making,
  keep: readonly string[],
): Promise<void> {
  context.progress({ stage, state: 'started', detail: `${name}, ${takes}` });
  try {
    await using lock = await waitForLock(context, `${image}.lock`, {
      onWait: () => context.progress({ stage, state: 'running', detail: 'another command is building it' }),
    });
    if (lock !== undefined && !(await imageExists(image))) {
      const free = await bytesFree(dirname(image));
      if (free < room) throw diskFull(image, stage, room, free);
      // the same name for every attempt: what a killed one left is removed by the next
      const workshop = `${image}.building`;
      await rm(workshop, { recursive: true, force: true });
      await make(workshop, lock.descriptor);
    }
    await removeUnused(context, settings, dirname(image), keep);
  } catch (error) {
    context.progress({ stage, state: 'failed' });
    throw error;
  }
  context.progress({ stage, state: 'done', detail: name });
}

/** The failure of a program that made an image, where a full disk is the reason. */
export async function ifDiskFull(
  image: string,
  { stage, room }: Making,
  { stderr }: ToolResult,
): Promise<Failure | undefined> {
  const free = await bytesFree(dirname(image));
  const full = /no space left on device/i.test(stderr) || free < 2 ** 20;
  return full ? diskFull(image, stage, room, free) : undefined;
}

/** Images that no host's disk lies on, a week after they were made: other ones have taken their place. */
async function removeUnused(
  context: Context,
  settings: LocalSettings,
  parent: string,
  keep: readonly string[],
): Promise<void> {
  const used = new Set([...keep, ...(await imagesInUse(settings))]);
  const old = context.now().getTime() - 7 * 24 * 3600 * 1000;
  for (const name of await folders(parent)) {
    const path = join(parent, name);
    const lockFile = `${path.replace(/\.building$/, '')}.lock`;
    const made = await stat(path).catch(() => undefined);
    if (used.has(path) || made === undefined || made.mtimeMs > old) continue;
    await using lock = await tryLock(context, lockFile);
    if (lock === undefined) continue;
    await mustRun(context, 'unused images', 'rm', ['-rf', '--one-file-system', path, lockFile]);
  }
}

async function bytesFree(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

function diskFull(image: string, stage: string, room: number, free: number): Failure {
  return new Failure(
    'usage',
    `The disk of ${dirname(image)} is full: the ${stage} needs ${room / 2 ** 20} MB, ` +
      `${Math.floor(free / 2 ** 20)} MB are free.`,
    {
      step: stage,
      next:
        'Make room there, or set PIPELINE_LOCAL_CACHE to a folder on another disk, ' +
        'then run the command again.',
    },
  );
}
