// Runs one benchmark: node bench/run.mjs NAME [arguments]; with --help it says what it measures and takes.
// Bundles bench/NAME/main.ts first, since Node 20 runs no TypeScript.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { headOf, unknownFlags } from './usage.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [name = '', ...rest] = process.argv.slice(2);
const entry = join(here, name, 'main.ts');
if (name === '' || !existsSync(entry)) {
  const known = readdirSync(here, { withFileTypes: true })
    .filter((file) => file.isDirectory() && !file.name.startsWith('.'))
    .map((file) => file.name);
  console.error(`usage: node bench/run.mjs NAME [arguments]\nbenchmarks: ${known.join(', ')}`);
  process.exit(2);
}
const head = headOf(readFileSync(entry, 'utf8'));
if (rest.some((one) => one === '--help' || one === '-h')) {
  console.log(head);
  process.exit(0);
}
const unknown = unknownFlags(head, rest);
if (unknown.length > 0) {
  console.error(`${name} takes no ${unknown.join(' and no ')}. See: node bench/run.mjs ${name} --help`);
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
