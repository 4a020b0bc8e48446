/**
 * Hosts on machines that this one is not: control groups version 2, with systemd as process 1 and without.
 * The machine is a local host whose systemd was told to use version 2; it makes hosts itself. Its control
 * groups have no controllers, so limits are tested elsewhere.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readHostRecord } from '../../../src/cloud/local/records.ts';
import { environmentLayout, hostLayout, localSettings } from '../../../src/cloud/local/settings.ts';
import {
  hostsUnavailable,
  machineSpec,
  sshArguments,
  startHosts,
  type TestHosts,
} from '../../support/hosts.ts';
import { bundleProgram } from './program.ts';
import { testSpec } from './specs.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined) process.stderr.write(`SKIPPED local hosts: ${unavailable}\n`);

describe.skipIf(unavailable !== undefined)('a machine with control groups version 2', () => {
  let hosts: TestHosts;
  const spec = testSpec({
    directory: '/root/shop',
    machines: ['db', 'web'].map((name) => machineSpec(name, { memory: 2 ** 27 })),
  });

  const inside = async (command: string): Promise<string> => {
    const running = promisify(execFile)('ssh', [...sshArguments(hosts.machine('machine')), command]);
    return (await running).stdout.trim();
  };
  const program = (verb: string) => inside(`node /root/program.mjs ${verb} '${JSON.stringify(spec)}'`);
  const planned = async () => (await program('plan')).split('\n').filter((line) => /^(db|web|-) /.test(line));
  const address = (name: string) =>
    inside(
      `sed -n 's/.*"address": "\\(.*\\)".*/\\1/p' /var/lib/pipeline/local/shop-*/prod/${name}/host.json`,
    );
  const onHost = async (name: string, command: string) =>
    inside(
      'ssh -n -i /root/shop/.pipeline/keys/prod -o StrictHostKeyChecking=no -o ' +
        `UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@${await address(name)} '${command}'`,
    );

  beforeAll(async () => {
    hosts = await startHosts({ names: ['machine'], memory: 2 ** 30 });
    const layout = hostLayout(environmentLayout(localSettings(process.env), hosts.spec), 'machine');
    const boot = readFileSync(layout.bootScript, 'utf8');
    writeFileSync(layout.bootScript, boot.replace(/^export /m, 'export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 '));
    await hosts.reboot('machine');
    const record = await readHostRecord(layout.recordFile);
    const bundle = await bundleProgram();
    const ssh = `ssh ${sshArguments(hosts.machine('machine')).join(' ')}`;
    const pipe = (from: string, to: string) => execFileSync('sh', ['-c', `${from} | ${ssh} '${to}'`]);
    // disks cannot be stacked on a stacked disk
    await inside('mkdir -p /root/shop /var/lib/pipeline && mount -t tmpfs tmpfs /var/lib/pipeline');
    pipe(`cat ${bundle.file}`, 'cat > /root/program.mjs');
    pipe(`cat ${process.execPath}`, 'cat > /usr/bin/node; chmod 755 /usr/bin/node');
    pipe(`tar -C / -cf - .${record?.base}`, 'tar -C / -xf -');
    await inside(
      'apt-get update -qq; apt-get install -y -qq libstdc++6 > /dev/null 2>&1; ls ' +
        `${dirname(record?.base ?? '')}`,
    );
    bundle.remove();
  });
  afterAll(() => hosts?.stop());

  test('is what it should be for this test', async () => {
    expect(await inside('stat -f -c %T /sys/fs/cgroup; cat /proc/1/comm; ls -d /run/systemd/system')).toBe(
      'cgroup2fs\nsystemd\n/run/systemd/system',
    );
  });

  test('lacks programs, which `up` installs itself', async () => {
    expect(await planned()).toEqual([
      '- packages of this machine create',
      '- key create',
      '- network create',
      'db host create',
      'web host create',
    ]);
  });

  describe.each([
    ['systemd', 'ls -d /run/systemd/system'],
    ['another process 1', 'mv /run/systemd/system /run/systemd/hidden'],
  ])('and %s', (parent, prepare) => {
    const units = () => inside("systemctl list-units --plain --no-legend 'pipeline-*' | wc -l");

    test('runs hosts', async () => {
      await inside(prepare);
      await program('up');
      expect(await planned()).toEqual([]);
      expect(await onHost('web', 'hostname; systemctl is-system-running --wait')).toBe('web\nrunning');
      if (parent === 'systemd') expect(await units()).toBe('2');
    });

    test('keeps them over a reboot', async () => {
      const bootId = () => onHost('web', 'cat /proc/sys/kernel/random/boot_id').catch(() => '');
      const before = await bootId();
      await onHost('web', 'touch /root/kept; systemctl reboot').catch(() => '');
      const another = async () => !['', before].includes(await bootId());
      await expect.poll(another, { timeout: 20_000 }).toBe(true);
      expect(await planned()).toEqual([]);
    });

    test('starts again what was killed, with its disk', async () => {
      await inside('pkill -KILL -f "^systemd-nspawn .*--machine=web-"');
      await expect.poll(planned, { timeout: 10_000 }).toEqual(['web host restart']);
      await program('up');
      expect(await onHost('web', 'ls /root/kept')).toBe('/root/kept');
    });

    test('destroys them without a trace', async () => {
      await program('destroy');
      const look = [
        "find /sys/fs/cgroup -name '*pipeline*'",
        'ls /sys/class/net | grep pl-',
        'nft list tables | grep pipeline_',
        'pgrep systemd-nspawn',
        'ls /var/lib/pipeline/local',
      ];
      expect(await inside(`${look.join('; ')}; true`)).toBe('');
      if (parent === 'systemd') expect(await units()).toBe('0');
    });
  });
});
