import { describe, expect, it } from 'vitest';
import { hostFinding, nodeVersion } from '../../src/cli/doctor/checks.ts';
import { statusFindings } from '../../src/cli/doctor/monitor.ts';
import { quietContext } from '../../src/context.ts';
import type { Connection } from '../../src/ssh/connection.ts';

describe('a host', () => {
  /** What a host answers to the script that gathers facts. */
  const finding = (os: string, init: string) => {
    const answer = `@@host\nos\t${os}\n${init}\n@@end\n`;
    const connection = {
      target: { name: 'web', address: '192.0.2.7', port: 22, user: 'root' },
      check: async () => answer,
    } as unknown as Connection;
    return hostFinding(connection, quietContext());
  };

  it.each([
    ['debian\t12\tbookworm', 'debian 12 at 192.0.2.7'],
    ['debian\t13\ttrixie', 'debian 13 at 192.0.2.7'],
    // Testing and unstable have no VERSION_ID.
    ['debian\t\tforky', 'debian forky at 192.0.2.7'],
    ['ubuntu\t22.04\tjammy', 'ubuntu 22.04 at 192.0.2.7'],
    ['ubuntu\t24.04\tnoble', 'ubuntu 24.04 at 192.0.2.7'],
  ])('that prod up takes is good: %s', async (os, message) => {
    expect(await finding(os, 'systemd')).toEqual({ subject: 'web', state: 'good', message });
  });

  it.each([
    ['debian\t11\tbullseye', 'web runs debian 11, which is not supported'],
    ['ubuntu\t20.04\tfocal', 'web runs ubuntu 20.04, which is not supported'],
    ['alpine\t3.20\t', 'web runs alpine 3.20, which is not supported'],
  ])('that prod up refuses is bad: %s', async (os, message) => {
    expect(await finding(os, 'systemd')).toMatchObject({ state: 'bad', message });
  });

  it('without systemd is bad, and says so', async () => {
    expect(await finding('debian\t12\tbookworm', '')).toMatchObject({
      state: 'bad',
      message: 'web does not run systemd',
      next: expect.stringContaining('container that boots systemd'),
    });
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
