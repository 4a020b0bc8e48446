/** Reads an inventory file. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { shownPath, unreadableWords } from '../files.ts';
import type { Inventory } from './model.ts';
import { parseInventory } from './parse.ts';

/**
 * The inventory in a file; its `path` is absolute.
 * @throws Failure `usage` where there is no such file, it cannot be read, or it has mistakes.
 */
export async function readInventory(path: string, context: Pick<Context, 'cwd'>): Promise<Inventory> {
  const file = resolve(context.cwd, path);
  const shown = shownPath(file, context.cwd);
  return { ...parseInventory(await readText(file, shown), shown), path: file };
}

async function readText(file: string, shown: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new Failure('usage', `there is no inventory ${shown}`, {
        next: 'Make hosts, which writes one: pipeline prod up; or name another one with -i FILE.',
      });
    }
    const next =
      code === 'EISDIR'
        ? 'Name a file in INI format with -i FILE.'
        : 'Make it readable, or name another one with -i FILE.';
    throw new Failure('usage', `the inventory ${shown} cannot be read: ${unreadableWords(error)}`, {
      next,
      cause: error,
    });
  }
}
