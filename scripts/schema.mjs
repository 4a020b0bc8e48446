// Writes schema/pipeline.schema.json from src/config/schema.ts. A test says when it is out of date.
import { mkdir, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const { outputFiles } = await build({
  entryPoints: ['src/config/json-schema.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
});
const { schemaText } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);
await mkdir('schema', { recursive: true });
await writeFile('schema/pipeline.schema.json', schemaText());
