/** Programs of Debian that tests run: the machine's own, or those that `scripts/programs.mjs` keeps. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const KEPT = join(import.meta.dirname, '../../node_modules/.cache');

/**
 * The path of a program; undefined: it is not here.
 * @param version what it is asked to see whether it runs
 */
export function debianProgram(name: string, version: string): string | undefined {
  const own = process.env[`PIPELINE_${name.toUpperCase().replaceAll('-', '_')}`] ?? name;
  return [own, join(KEPT, name)].find((program) => spawnSync(program, [version]).status === 0);
}
