// Bundles the three programs and the library into dist/: the command line (lazy chunks, so that it starts
// fast), the agent and the hub (one file each, copied to hosts), and the judges as a library.
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { bundlePage } from './page.mjs';

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
  // Some dependencies are CommonJS and call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __make } from 'node:module'; const require = __make(import.meta.url);",
  },
};

await rm('dist', { recursive: true, force: true });
await Promise.all([
  build({
    ...common,
    entryPoints: { cli: 'src/cli/main.ts', 'judge/index': 'src/judge/index.ts' },
    outdir: 'dist',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
  }),
  // CommonJS: on a host there is no package.json that would tell Node 20 otherwise.
  build({
    ...common,
    format: 'cjs',
    banner: {},
    entryPoints: ['src/agent/main.ts'],
    outfile: 'dist/agent.js',
    minify: true,
  }),
  build({
    ...common,
    format: 'cjs',
    banner: {},
    entryPoints: ['src/onhost/main.ts'],
    outfile: 'dist/onhost.js',
    minify: true,
  }),
  bundlePage().then((files) =>
    build({
      ...common,
      entryPoints: ['src/hub/main.ts'],
      outfile: 'dist/hub.js',
      minify: true,
      define: { PIPELINE_PAGE: JSON.stringify(files) },
    }),
  ),
]);
