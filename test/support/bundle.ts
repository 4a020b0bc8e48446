/** Programs of the tests, bundled so that Node runs each as a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** @param entry the program's file. It lies within the package, as what it ships is looked for from there. */
export function bundleProgram(entry: string): { readonly path: string; readonly remove: () => void } {
  const root = join(import.meta.dirname, '..');
  const folder = mkdtempSync(join(root, '.bundle-'));
  const path = join(folder, 'program.mjs');
  buildSync({
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
