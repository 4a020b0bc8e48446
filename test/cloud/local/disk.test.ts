/** A host's disk before its first boot. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeHost } from '../../../src/cloud/local/disk.ts';
import { environmentLayout, hostLayout, localSettings } from '../../../src/cloud/local/settings.ts';
import { machineSpec, testSpec } from './specs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-disk-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('has its name, its keys and its programs, and is recorded once all is there', async () => {
  const from = join(folder, 'node');
  writeFileSync(from, 'a program', { mode: 0o600 });
  const settings = localSettings({ PIPELINE_LOCAL_STATE: join(folder, 'state') });
  const layout = hostLayout(environmentLayout(settings, testSpec()), 'blue');
  const record = await makeHost(layout, {
    spec: { ...machineSpec('blue'), programs: [{ from, to: '/opt/x/bin/node' }] },
    address: '10.0.0.2',
    base: '/base',
    release: 'bookworm',
    authorizedKeys: ['ssh-ed25519 AAAA'],
    handed: { files: [], digest: 'd', warnings: [] },
  });
  const inside = (path: string) => join(layout.upper, path);
  expect(readFileSync(inside('/etc/hostname'), 'utf8')).toBe('blue\n');
  expect(readFileSync(inside('/root/.ssh/authorized_keys'), 'utf8')).toBe('ssh-ed25519 AAAA\n');
  expect(readFileSync(inside('/opt/x/bin/node'), 'utf8')).toBe('a program');
  expect(statSync(inside('/opt/x/bin/node')).mode & 0o777).toBe(0o755);
  expect(statSync(inside('/opt/x')).mode & 0o777).toBe(0o755);
  expect(JSON.parse(readFileSync(layout.recordFile, 'utf8'))).toMatchObject({ name: 'blue' });
  expect(record.hostKey).toMatch(/^ssh-ed25519 /);
});
