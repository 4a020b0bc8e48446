import { describe, expect, it } from 'vitest';
import { chooseVersion, isLts, isRange, nodeWish, npmFor } from '../../src/build/node-version.ts';

const NOW = new Date('2026-11-23T00:00:00Z');

describe('which Node version an application wants', () => {
  it.each([
    [{ config: '20' }, '20', 'node: in pipeline.yml'],
    [{ config: '20', nvmrc: '10' }, '20', 'node: in pipeline.yml'],
    [{ nvmrc: 'v10.24.1\n' }, 'v10.24.1', '.nvmrc'],
    [{ nvmrc: '\n# why\n18 # LTS\n' }, '18', '.nvmrc'],
    [{ nvmrc: 'lts/iron', engines: '>=10' }, '20.x', '.nvmrc'],
    [{ nvmrc: 'lts/*' }, '*', '.nvmrc'],
    [{ nvmrc: 'lts/lithium' }, '26.x', '.nvmrc'],
    [{ nvmrc: 'lts/-1' }, '*', '.nvmrc'],
    [{ toolVersions: 'ruby 3.3.0\nnodejs 20.11.1 18.0.0\n', volta: '18.1.0' }, '20.11.1', '.tool-versions'],
    [
      { toolVersions: 'ruby 3.3.0\n', volta: '18.1.0', engines: '>=10' },
      '18.1.0',
      'volta.node of package.json',
    ],
    [{ nvmrc: 'lts/unheard-of' }, 'lts/unheard-of', '.nvmrc'],
    [{ nodeVersion: '22.1.0', engines: '>=10' }, '22.1.0', '.node-version'],
    [{ engines: '>=10 <12 || 14.x' }, '>=10 <12 || 14.x', 'engines.node of package.json'],
    [{ nvmrc: '  \n', engines: '' }, '*', 'default'],
  ])('%j → %s from %s', (said, range, from) => {
    expect(nodeWish(said)).toMatchObject({ range, from });
  });

  it('takes the newest of all only where that is said', () => {
    expect(nodeWish({ nvmrc: 'node' }).preferLts).toBe(false);
    expect(nodeWish({ nvmrc: 'lts/*' }).preferLts).toBe(true);
  });
});

it.each(['20', 'v20', '>=18', '^18 || ~20.1', '>= 14 < 17', '18.x', '*', '1.2.3 - 2.3.4', '20.0.0-rc.1'])(
  '%s is a range of versions',
  (text) => expect(isRange(text)).toBe(true),
);

it.each([
  'lts/unheard-of',
  'lts/-x',
  'user/repository',
  'https://example.com/node.tgz',
  'next',
  'npm:left-pad@1',
])('%s is none, and never reaches npm', (text) => expect(isRange(text)).toBe(false));

it.each([
  [0, '26.10.0'],
  [1, '24.21.0'],
  [2, '22.1.0'],
  [9, undefined],
])('lts/-%i is so many lines before the newest', (ltsBefore, expected) => {
  const versions = ['22.1.0', '24.1.0', '24.21.0', '25.9.0', '26.10.0'];
  expect(chooseVersion(versions, { preferLts: true, ltsBefore }, NOW)).toBe(expected);
});

describe('which of the versions in a range is taken', () => {
  it.each([
    [['10.2.0', '10.24.1', '10.9.0'], true, '10.24.1'],
    [['24.21.0', '25.9.0', '26.10.0'], true, '26.10.0'],
    [['24.21.0', '25.9.0'], true, '24.21.0'],
    [['24.21.0', '25.9.0'], false, '25.9.0'],
    [['25.9.0'], true, '25.9.0'],
    [['27.0.0-rc.1', '27.0.0'], true, '27.0.0'],
    [['26.0.0-nightly'], true, undefined],
    [[], true, undefined],
  ])('%j, LTS first: %s → %s', (versions, preferLts, expected) => {
    expect(chooseVersion(versions, { preferLts }, NOW)).toBe(expected);
  });

  it.each([
    [20, '2023-10-27', false],
    [20, '2023-10-28', true],
    [21, '2026-11-23', false],
    [26, '2026-10-01', false],
    [26, '2026-11-23', true],
    [27, '2027-11-01', true],
    [0, '2026-11-23', false],
  ])('line %i on %s in long-term support: %s', (line, day, expected) => {
    expect(isLts(line, new Date(`${day}T00:00:00Z`))).toBe(expected);
  });
});

describe('which npm installs', () => {
  it.each([
    ['26.10.0', 3, '11.21.2'],
    ['22.9.0', 3, '11.21.2'],
    ['22.8.0', 3, '10.9.9'],
    ['21.7.3', 3, '10.9.9'],
    ['20.17.0', 3, '11.21.2'],
    ['20.11.1', 3, '10.9.9'],
    ['20.0.0', 1, '9.9.4'],
    ['18.20.8', 2, '10.9.9'],
    ['16.20.2', 1, '9.9.4'],
    ['14.21.3', 1, '6.14.18'],
    ['14.21.3', 2, '9.9.4'],
    ['12.22.12', 3, '8.19.4'],
    ['10.24.1', 1, '6.14.18'],
    ['10.24.1', 2, '7.24.2'],
    ['10.24.1', 3, '7.24.2'],
    ['8.17.0', 1, '6.14.18'],
    ['8.17.0', 3, undefined],
    ['4.9.1', 1, undefined],
  ])('Node %s with a lock file of version %i: npm %s', (node, lockfileVersion, npm) => {
    expect(npmFor(node, lockfileVersion)).toBe(npm);
  });
});
