/** A host with a disk of its own: it fills up alone, and outlives reboots and power cuts. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  hostsUnavailable,
  machineSpec,
  sshArguments,
  startHosts,
  type TestHosts,
} from '../../support/hosts.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined) process.stderr.write(`SKIPPED local hosts: ${unavailable}\n`);

describe.skipIf(unavailable !== undefined)('a disk of its own', () => {
  let hosts: TestHosts;
  const machines = [machineSpec('shares'), { ...machineSpec('owns'), diskBytes: 300 * 2 ** 20 }];
  const on = (name: string, command: string) =>
    execFileSync('ssh', [...sshArguments(hosts.machine(name)), command], { encoding: 'utf8' }).trim();
  const loops = () => execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']).toString();

  beforeAll(async () => {
    hosts = await startHosts({ names: [], spec: { machines } });
  });
  afterAll(async () => {
    const { project } = hosts.spec;
    await hosts.stop();
    expect(loops()).not.toContain(project);
  });

  test('is as large as was asked for, and full without the others', () => {
    expect(hosts.machine('owns').ownDisk).toBe(true);
    expect(hosts.machine('shares').ownDisk).toBeUndefined();
    const size = Number(on('owns', 'df -B1 --output=size / | tail -n 1'));
    expect(size).toBeGreaterThan(200 * 2 ** 20);
    expect(size).toBeLessThanOrEqual(300 * 2 ** 20);
    expect(on('owns', 'head -c 400M /dev/zero 2>&1 >/big | cat; rm /big')).toContain('No space left');
    expect(on('owns', 'stat -c "%a %U" /root /root/.ssh/authorized_keys')).toBe('700 root\n600 root');
  });

  test('stays over a reboot and a power cut', async () => {
    on('owns', 'echo kept >/root/kept && sync');
    await hosts.reboot('owns');
    expect(on('owns', 'cat /root/kept')).toBe('kept');
    await hosts.powerCut('owns');
    await hosts.provider.apply(await hosts.provider.plan());
    expect(on('owns', 'cat /root/kept')).toBe('kept');
    expect(loops().match(/owns\/disk\.img/g)).toHaveLength(1);
  });
});
