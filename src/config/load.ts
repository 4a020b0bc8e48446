/** Finds and loads `pipeline.yml`. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { shownPath, unreadableWords } from '../files.ts';
import { type ConfigMistake, readConfig } from './mistakes.ts';
import type { Config } from './schema.ts';

const FILE = 'pipeline.yml';

/**
 * The configuration in a file: the one that is named, else the nearest `pipeline.yml` from the current folder
 * upwards.
 * @throws Failure `usage` where there is none, or with every mistake in it, each with its line.
 */
export async function loadConfig(path: string | undefined, context: Pick<Context, 'cwd'>): Promise<Config> {
  const file = path === undefined ? findConfig(context.cwd) : resolve(context.cwd, path);
  const shown = shownPath(file, context.cwd);
  const read = readConfig(await readText(file, shown));
  if (read.values === undefined) throw configFailure(shown, read.mistakes);
  return { ...read.values, path: file, directory: dirname(file) };
}

/** @throws Failure `usage` where neither the folder nor one above it has a configuration. */
function findConfig(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, FILE);
    if (existsSync(file)) return file;
    if (dirname(folder) === folder) break;
  }
  throw new Failure('usage', `there is no ${FILE} in ${cwd} or above it`, {
    next: 'Write one: pipeline init; or name one: --config FILE.',
  });
}

async function readText(file: string, shown: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Failure('usage', `there is no file ${shown}`, { next: 'Write one: pipeline init' });
    throw new Failure('usage', `${shown} cannot be read: ${unreadableWords(error)}`, {
      next: 'Name a readable file: --config FILE.',
      cause: error,
    });
  }
}

/** One mistake is the message; several are listed below it. */
function configFailure(shown: string, mistakes: readonly ConfigMistake[]): Failure {
  const lines = mistakes.map(
    ({ line, path, message }) => `${shown}:${line}: ${path === '' ? '' : `${path}: `}${message}`,
  );
  const next = 'Every key is explained in docs/pipeline.reference.yml.';
  const [first = shown] = lines;
  if (lines.length === 1) return new Failure('usage', first, { next });
  return new Failure('usage', `${shown} has ${lines.length} mistakes`, { output: lines, next });
}
