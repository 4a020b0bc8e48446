/**
 * Removes the test environment whose specification is the first argument. Run by the guard of hosts.ts when a
 * test runner was killed.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const entry = `
  import { createLocalProvider } from './src/cloud/local/provider.ts';
  import { quietContext } from './src/context.ts';
  export const destroy = (spec) => createLocalProvider(quietContext(), spec).destroy();
`;
const spec = JSON.parse(process.argv[2]);
const { outputFiles } = await build({
  stdin: { contents: entry, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' },
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node20',
});
const { destroy } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);
// the lock is held until programs that the killed command had started have ended, too
for (let attempt = 0; attempt < 100; attempt++) {
  try {
    await destroy(spec);
    break;
  } catch (error) {
    if (error.kind !== 'locked') throw error;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
await rm(spec.directory, { recursive: true, force: true });
