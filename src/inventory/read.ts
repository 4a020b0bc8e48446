/** Reads an inventory file. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../errors.ts';
import type { Inventory } from './model.ts';
import { parseInventory } from './parse.ts';

/**
 * The inventory in a file.
 * @throws Failure `usage` where there is no such file, it cannot be read, or it has mistakes.
 */
export async function readInventory(path: string): Promise<Inventory> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new Failure('usage', `there is no inventory ${path}`, {
        next: 'Make hosts, which writes one: pipeline prod up; or name another one with -i FILE.',
      });
    }
    throw new Failure('usage', `the inventory ${path} cannot be read: ${message}`, {
      next:
        code === 'EISDIR'
          ? 'Name a file in INI format with -i FILE.'
          : 'Make it readable, or name another one with -i FILE.',
      cause: error,
    });
  }
  return parseInventory(text, path);
}
