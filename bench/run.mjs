// Runs one benchmark: node bench/run.mjs NAME [arguments]. Bundles bench/NAME/main.ts (or bench/NAME.ts)
// first, since Node 20 runs no TypeScript.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const [name = '', ...rest] = process.argv.slice(2);
const entry = [join(here, name, 'main.ts'), join(here, `${name}.ts`)].find(
  (file) => name !== '' && existsSync(file),
);
if (entry === undefined) {
  const known = readdirSync(here, { withFileTypes: true })
    .filter((file) => !file.name.startsWith('.') && (file.isDirectory() || file.name.endsWith('.ts')))
    .map((file) => file.name.replace(/\.ts$/, ''));
  console.error(`usage: node bench/run.mjs NAME [arguments]\nbenchmarks: ${known.join(', ')}`);
  process.exit(2);
}

/** In a bundle, a file's own folder would be the bundle's. */
const ownFolder = {
  name: 'own-folder',
  setup: (setup) =>
    setup.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll(
        'import.meta.dirname',
        JSON.stringify(dirname(path)),
      ),
      loader: 'ts',
    })),
};

// Beside the sources, so that packages are found as they are there.
const folder = await mkdtemp(join(here, '.run-'));
const outfile = join(folder, 'main.mjs');
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
  plugins: [ownFolder],
});
process.argv = [process.argv[0], entry, ...rest];
await import(pathToFileURL(outfile).href);
