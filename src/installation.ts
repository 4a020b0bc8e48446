/** Where this program is installed: what it ships besides its own code. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A file of the package, e.g. `dist/agent.js`: from the folder above this module (bundled in chunks or not)
 * that holds package.json.
 */
export function installed(path: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, path);
    if (folder === dirname(folder)) throw new Error('pipeline lies in no package');
  }
}
