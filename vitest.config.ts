import { defineConfig } from 'vitest/config';

/** `import text from './x.sh' with { type: 'text' }`, as esbuild reads it. */
const shellText = {
  name: 'shell-text',
  enforce: 'pre' as const,
  transform: (code: string, id: string) =>
    id.endsWith('.sh') ? { code: `export default ${JSON.stringify(code)};`, map: null } : undefined,
};

// Two projects: `unit` needs neither root nor hosts; `host` makes real ones, one file at a time so that figures and
// names stay apart.
export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        plugins: [shellText],
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.host.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        plugins: [shellText],
        test: {
          name: 'host',
          include: ['test/**/*.host.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
