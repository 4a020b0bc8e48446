import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { environmentLayout, hostLayout, layoutAt, localSettings } from '../../../src/cloud/local/settings.ts';
import { testSpec } from './specs.ts';

const settings = localSettings({});
const layoutOf = (differs: Parameters<typeof testSpec>[0]) => environmentLayout(settings, testSpec(differs));

test('environments of other projects, clones, owners and names have nothing in common', () => {
  const all = [
    {},
    { project: 'other' },
    { directory: '/clone' },
    { owner: 'others' },
    { environment: 'canary' },
  ].map(layoutOf);
  for (const part of ['id', 'directory', 'bridge', 'table', 'controlGroup'] as const) {
    expect(new Set(all.map((layout) => layout[part])).size).toBe(all.length);
  }
});

test('the same folder by another way is the same environment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-layout-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  const [real, link] = ['real', 'link'].map((name) => layoutOf({ directory: join(folder, name) }));
  expect(link).toEqual(real);
});

test('an environment found in the state folder has the layout that its project gives it', () => {
  const layout = layoutOf({});
  const [, project, environment] =
    /^\/var\/lib\/pipeline\/local\/([^/]+)\/([^/]+)$/.exec(layout.directory) ?? [];
  expect(layoutAt(settings, project ?? '', environment ?? '')).toEqual(layout);
});

test('names fit: devices 11 of 15 characters, units have a suffix', () => {
  const layout = layoutOf({});
  expect(layout.bridge).toMatch(/^pl-[0-9a-f]{8}$/);
  expect(hostLayout(layout, 'web-2').unit).toBe(`pipeline-${layout.id}-web-2.service`);
});

test.each(['10.77.0.0', '10.77.1.0/25', 'everything'])(
  'PIPELINE_LOCAL_NETWORK=%s is refused with a next step',
  (text) => {
    expect(() => localSettings({ PIPELINE_LOCAL_NETWORK: text })).toThrow(
      expect.objectContaining({
        kind: 'usage',
        message: expect.stringContaining(text),
        next: expect.stringContaining('10.99.0.0/16'),
      }),
    );
  },
);
