import { expect, test } from 'vitest';
import { layersOn } from '../../../src/cloud/local/layers.ts';
import { localSettings } from '../../../src/cloud/local/settings.ts';

const settings = localSettings({ PIPELINE_LOCAL_CACHE: '/cache' });
const node = { from: '/here/node', to: '/opt/node' };
const on = (wanted: Parameters<typeof layersOn>[2], base = '/cache/base/1') =>
  layersOn(settings, base, wanted);
const folders = (...args: Parameters<typeof on>) => on(...args).map(({ directory }) => directory);

test('a machine that wants nothing more lies on its base image alone', () => {
  expect(on({})).toEqual([]);
  expect(on({ preinstalled: [], programs: [] })).toEqual([]);
});

test('programs lie above packages, and each is shared by all who want the same', () => {
  const both = on({ preinstalled: ['nginx'], programs: [node] });
  expect(both.map(({ packages, programs }) => [packages, programs])).toEqual([
    [[], [node]],
    [['nginx'], []],
  ]);
  expect(both.map(({ directory }) => directory)).toEqual([
    ...folders({ programs: [node] }),
    ...folders({ preinstalled: ['nginx'] }),
  ]);
});

test('what is in a layer, and under it, decides its folder', () => {
  const all = [
    ...folders({ preinstalled: ['nginx'] }),
    ...folders({ preinstalled: ['nginx'] }, '/cache/base/2'),
    ...folders({ preinstalled: ['redis'] }),
    ...folders({ programs: [node] }),
    ...folders({ programs: [{ ...node, to: '/opt/other' }] }),
  ];
  expect(new Set(all).size).toBe(all.length);
  for (const folder of all) expect(folder).toMatch(/^\/cache\/layer\/[0-9a-f]{16}$/);
});
