import { describe, expect, it } from 'vitest';
import { nodeVersion, supported } from '../../src/cli/doctor/checks.ts';

describe('a host may be', () => {
  it.each([
    ['debian 12', true],
    ['debian 13', true],
    ['ubuntu 22.04', true],
    ['ubuntu 24.04', true],
    ['debian 11', false],
    ['ubuntu 20.04', false],
    ['alpine 3.20', false],
    ['debian', false],
  ])('%s: %s', (system, expected) => {
    expect(supported(system)).toBe(expected);
  });
});

describe('this program runs on Node', () => {
  it.each([
    ['20.10.0', 'good'],
    ['22.1.0', 'good'],
    ['20.9.1', 'bad'],
    ['18.20.0', 'bad'],
  ])('%s: %s', (version, state) => {
    expect(nodeVersion(version).state).toBe(state);
  });
});
