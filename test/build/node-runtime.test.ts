import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { npmForBuilds } from '../../src/build/node-runtime.ts';
import { quietContext } from '../../src/context.ts';

test('builds side by side in one process share an npm, and leave no temporary file beside it', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'pipeline-npm-'));
  onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
  mkdirSync(join(cache, 'pipeline', 'packages', 'npm-1.2.3'), { recursive: true });
  const context = quietContext({ env: { XDG_CACHE_HOME: cache } });
  const [bin = ''] = await Promise.all(Array.from({ length: 16 }, () => npmForBuilds('1.2.3', context)));
  expect(readdirSync(bin).sort()).toEqual(['npm', 'npx']);
  expect(statSync(join(bin, 'npm')).mode & 0o111).toBe(0o111);
});
