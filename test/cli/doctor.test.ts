import { describe, expect, it } from 'vitest';
import { nodeVersion, supported } from '../../src/cli/doctor/checks.ts';
import { statusFindings } from '../../src/cli/doctor/monitor.ts';

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

describe('the monitor', () => {
  const status = { now: 0, working: true, answers: true, hosts: {}, alerts: [] };
  const heard = (name: string, ago: number | undefined) => ({
    target: { name, address: '', port: 22, user: 'root' },
    ago,
    silent: ago === undefined || ago > 15,
  });
  it('is well where it hears every host', () =>
    expect(statusFindings(status, [heard('web', 1)], new Map(), 'monitor')).toMatchObject([
      { state: 'good', message: 'hears 1 host, no alert' },
    ]));
  it('says of a silent host what its agent says', () =>
    expect(
      statusFindings(status, [heard('web', 99), heard('db', 1)], new Map([['web', 'WRONGPASS']]), 'monitor'),
    ).toMatchObject([
      { state: 'bad', message: 'hears nothing of web since 99 s; its agent says: WRONGPASS' },
    ]));
  it('is the trouble itself where no hub works', () =>
    expect(
      statusFindings({ ...status, working: false }, [heard('web', 99)], new Map(), 'monitor'),
    ).toMatchObject([{ state: 'bad', next: expect.stringContaining('pipeline-hub') }]));
});
