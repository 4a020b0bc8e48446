import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * `import text from './x.sh' with { type: 'text' }`, as esbuild reads it. The suffix keeps Vite from taking a
 * style sheet for its own.
 */
const asText = {
  name: 'as-text',
  enforce: 'pre' as const,
  resolveId: (source: string, importer = '') =>
    /\.(sh|css)$/.test(source) ? `${resolve(dirname(importer), source)}.text` : undefined,
  load: (id: string) =>
    id.endsWith('.text')
      ? `export default ${JSON.stringify(readFileSync(id.slice(0, -'.text'.length), 'utf8'))};`
      : undefined,
};

/** Files with hosts that run at once: most of their time they wait for a boot, a package, a watch that ends. */
const workers = Number(process.env.PIPELINE_TEST_HOSTS ?? 2);

/** They look at the whole machine, or at what others would slow down: each has it for itself. */
const ALONE = [
  'test/cloud/**/*.host.test.ts',
  'test/canary/**/*.host.test.ts',
  'test/agent/**/*.host.test.ts',
  'test/ssh/**/*.host.test.ts',
  'test/release/traffic.host.test.ts',
  'test/host/converge.host.test.ts',
];

/** No retry here: a test that changed its host finds another one. `scripts/test.mjs` runs failed files again. */
const withHosts = {
  testTimeout: 300_000,
  hookTimeout: 600_000,
};

// `unit` needs neither root nor hosts; `host` makes real ones, in environments of their own.
export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        plugins: [asText],
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.host.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        plugins: [asText],
        test: {
          ...withHosts,
          name: 'host',
          include: ['test/**/*.host.test.ts'],
          exclude: workers > 1 ? ALONE : [],
          fileParallelism: workers > 1,
          maxWorkers: workers,
          sequence: { groupOrder: 1 },
        },
      },
      ...(workers > 1
        ? [
            {
              plugins: [asText],
              test: {
                ...withHosts,
                name: 'host-alone',
                include: ALONE,
                fileParallelism: false,
                sequence: { groupOrder: 2 },
              },
            },
          ]
        : []),
    ],
  },
});
