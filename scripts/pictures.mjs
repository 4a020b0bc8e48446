// Makes the README's pictures from the real product: `node scripts/pictures.mjs` writes docs/images/*.png.
// Needs Debian's chromium and redis-server. The work is in test/support/pictures.ts.
import { readFile, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

// Inside the repository, so that packages are found as from the sources.
const outfile = resolve('dist/pictures.mjs');
await build({
  entryPoints: ['test/support/pictures.ts'],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
  plugins: [
    {
      // In the bundle a source still knows the folder that it came from.
      name: 'own-folder',
      setup: (setup) =>
        setup.onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path }) => ({
          contents: (await readFile(path, 'utf8')).replaceAll(
            'import.meta.dirname',
            JSON.stringify(dirname(path)),
          ),
          loader: 'ts',
        })),
    },
  ],
});
try {
  const { takePictures } = await import(pathToFileURL(outfile).href);
  for (const file of await takePictures('docs/images')) console.log(file);
} finally {
  await rm(outfile, { force: true });
}
