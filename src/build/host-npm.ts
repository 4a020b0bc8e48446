/** What stands for npm on hosts: a command that says `npm run …` or `npx …` works there without an npm. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../files.ts';
import program from './host-npm.sh' with { type: 'text' };

const NAMES = ['npm', 'npx', 'yarn', 'pnpm'] as const;

/**
 * Puts it where the service's commands look for programs (`node_modules/.bin`), beside those of its
 * dependencies; one that is there stays.
 */
export async function addHostNpm(tree: string, directory: string): Promise<void> {
  const bin = join(tree, directory, 'node_modules', '.bin');
  for (const name of NAMES) {
    const path = join(bin, name);
    const there = await lstat(path).catch(() => undefined);
    if (there === undefined) await writeFileAtomic(path, program, 0o755);
  }
}
