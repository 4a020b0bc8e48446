import { join } from 'node:path';
import { build } from 'esbuild';

/** The dashboard: script and style, which go into the hub's file as text. */
export async function bundlePage(root = '.') {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src/hub/web/main.tsx')],
    bundle: true,
    write: false,
    outdir: 'page',
    format: 'esm',
    target: 'es2022',
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  });
  const text = (extension) => outputFiles.find(({ path }) => path.endsWith(extension))?.text ?? '';
  return { js: text('.js'), css: text('.css') };
}
