import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backupCollector, backupRows } from '../../src/agent/collectors/backups.ts';

test('what backups say of themselves is a row each, times in seconds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pipeline-agent-'));
  const path = join(folder, 'status.json');
  const collector = backupCollector(path);
  expect(collector.collect(30, 0)).toEqual({});
  const item = {
    item: 'shop/main',
    at: 1_000_000,
    since: 500_000,
    bytes: 42,
    error: 'x'.repeat(300),
    verifiedAt: null,
    verifyError: '',
  };
  writeFileSync(path, JSON.stringify({ every: 86_400_000, items: [item] }));
  expect(collector.collect(30, 0)).toEqual({
    backups: [
      {
        item: 'shop/main',
        at: 1000,
        since: 500,
        every: 86_400,
        bytes: 42,
        error: 'x'.repeat(256),
        verified: null,
        verify_error: '',
      },
    ],
  });
  await rm(folder, { recursive: true });
});

test.each(['', '{}', '{"every":"soon","items":[]}', '{"every":1}', '[1]'])(
  '%s is no status: no row',
  (text) => {
    expect(backupRows(text)).toEqual([]);
  },
);
