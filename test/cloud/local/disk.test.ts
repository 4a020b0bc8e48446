/** A host's disk before its first boot. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeHost } from '../../../src/cloud/local/disk.ts';
import { imagesUnder, readHostRecord } from '../../../src/cloud/local/records.ts';
import { environmentLayout, hostLayout, localSettings } from '../../../src/cloud/local/settings.ts';
import { quietContext } from '../../../src/context.ts';
import { machineSpec, testSpec } from './specs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-disk-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('has its name and its keys, and is recorded once all is there', async () => {
  const settings = localSettings({ PIPELINE_LOCAL_STATE: join(folder, 'state') });
  const layout = hostLayout(environmentLayout(settings, testSpec()), 'blue');
  const record = await makeHost(quietContext(), layout, {
    spec: machineSpec('blue'),
    address: '10.0.0.2',
    base: '/base',
    layers: ['/layer/2', '/layer/1'],
    release: 'bookworm',
    authorizedKeys: ['ssh-ed25519 AAAA'],
    handed: { files: [], digest: 'd', warnings: [] },
  });
  const inside = (path: string) => join(layout.upper, path);
  expect(readFileSync(inside('/etc/hostname'), 'utf8')).toBe('blue\n');
  expect(readFileSync(inside('/root/.ssh/authorized_keys'), 'utf8')).toBe('ssh-ed25519 AAAA\n');
  const written = await readHostRecord(layout.recordFile);
  expect(written).toEqual(record);
  expect(imagesUnder(record)).toEqual(['/layer/2', '/layer/1', '/base']);
  expect(record.hostKey).toMatch(/^ssh-ed25519 /);
});
