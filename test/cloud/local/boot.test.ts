import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  type Boot,
  bootScript,
  deviceName,
  INIT_SCRIPT,
  macAddress,
  nspawnCommand,
} from '../../../src/cloud/local/boot.ts';
import { hostGroups, parseHierarchies } from '../../../src/cloud/local/machine.ts';
import {
  limitsScript,
  type Parent,
  superviseScript,
  unitArguments,
} from '../../../src/cloud/local/parents.ts';

const boot: Boot = {
  name: 'web',
  machineName: 'web-0a1b2c3d',
  base: '/cache/base/1/rootfs',
  upper: '/state/web/disk/upper',
  work: '/state/web/disk/work',
  root: '/state/web/root',
  network: '/state/web/network',
  bridge: 'pl-0a1b2c3d',
  address: '10.77.1.254',
  prefix: 24,
  gateway: '10.77.1.1',
};

test('the container joins the network made for it, keeps its group, and has what a droplet has', () => {
  expect(nspawnCommand(boot)).toEqual([
    'systemd-nspawn',
    '--quiet',
    '--directory=/state/web/root',
    '--machine=web-0a1b2c3d',
    '--hostname=web',
    '--register=no',
    '--keep-unit',
    '--network-namespace-path=/state/web/network',
    '--capability=all',
    '--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE,CAP_SYS_RAWIO',
    '--link-journal=no',
    '--resolv-conf=off',
    '--timezone=off',
    '--console=read-only',
    '--kill-signal=SIGRTMIN+3',
    '/usr/lib/pipeline/init',
  ]);
});

test("device names fit the kernel's 15 characters and tell hosts apart; hardware addresses stay over reboots", () => {
  expect(deviceName('pl-0a1b2c3d', '10.77.1.254')).toBe('pl-0a1b2c3d-254');
  expect(deviceName('pl-0a1b2c3d', '10.77.1.254').length).toBeLessThanOrEqual(15);
  expect(macAddress('10.77.1.254')).toBe('02:50:0a:4d:01:fe');
});

describe('scripts', () => {
  const V1 = '1 0 0:1 / /cg/memory rw - cgroup cgroup rw,memory\n2 0 0:2 / /cg/cpu rw - cgroup cgroup rw,cpu';
  const V2 = '1 0 0:1 / /cg rw - cgroup2 cgroup2 rw';
  const parent = (mountinfo: string, systemd = false): Parent => ({
    bootScript: '/state/web/boot',
    limitsScript: '/state/web/limits',
    wanted: '/state/web/wanted',
    lockFile: '/state/web/lock',
    consoleLog: '/state/web/console.log',
    unit: 'pipeline-0a1b2c3d-web.service',
    memoryBytes: 536870912,
    cpus: 0.5,
    groups: hostGroups(
      { root: true, systemd, hierarchies: parseHierarchies(mountinfo) },
      { controlGroup: 'pipeline/0a1b2c3d/web', unit: 'pipeline-0a1b2c3d-web.service' },
    ),
  });
  const scripts = {
    init: INIT_SCRIPT,
    boot: bootScript(boot),
    'boot, folders with blanks and quotes': bootScript({ ...boot, root: "/it's a/root" }),
    'supervise, version 1': superviseScript(parent(V1)),
    'supervise, version 2': superviseScript(parent(V2)),
    'limits, version 2': limitsScript(parent(V2)),
  };

  test.each(Object.entries(scripts))('%s is a POSIX shell script', (_, text) => {
    expect(spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test('a host gets a fresh network namespace at every boot', () => {
    const lines = scripts.boot.split('\n');
    const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
    expect(at('unshare --net=/state/web/network')).toBeGreaterThan(at('mount -t overlay'));
    expect(at('link add pl-0a1b2c3d-254 type veth peer name eth0')).toBeGreaterThan(at('unshare --net'));
    expect(at('exec systemd-nspawn')).toBeGreaterThan(at('link add'));
  });

  test('version 1: limits are set before the first process enters', () => {
    const script = scripts['supervise, version 1'];
    const memory = script.indexOf('echo 536870912 > /cg/memory/pipeline/0a1b2c3d/web/memory.limit_in_bytes');
    const cpu = script.indexOf('echo 50000 > /cg/cpu/pipeline/0a1b2c3d/web/cpu.cfs_quota_us');
    const enters = script.indexOf('"$group/cgroup.procs"');
    expect(memory).toBeGreaterThan(0);
    expect(cpu).toBeGreaterThan(memory);
    expect(enters).toBeGreaterThan(cpu);
  });

  test('the lock is not handed to the host, which would hold it after its supervisor', () => {
    for (const name of ['supervise, version 1', 'supervise, version 2'] as const) {
      expect(scripts[name]).toMatch(/sh .*boot'? 9>&- \|\| code/);
    }
  });

  test('a transient unit restarts on reboot, delegates its group, and limits', () => {
    expect(unitArguments(parent(V2, true)).join(' ')).toBe(
      '--quiet --collect --unit=pipeline-0a1b2c3d-web.service --service-type=exec ' +
        '--property Delegate=yes --property KillMode=mixed --property RestartForceExitStatus=133 ' +
        '--property SuccessExitStatus=133 --property StartLimitIntervalSec=0 --property MemoryMax=536870912 ' +
        '--property MemorySwapMax=0 --property CPUQuota=50% ' +
        '--property ExecStartPost=-/bin/sh /state/web/limits --property TimeoutStopSec=60 ' +
        '--property StandardOutput=truncate:/state/web/console.log ' +
        '--property StandardError=truncate:/state/web/console.log ' +
        'unshare --mount --propagation slave sh /state/web/boot',
    );
  });

  test('version 2: the limits stand also where the host sees its root', () => {
    const unit = limitsScript(parent(V2, true));
    expect(unit).toContain(
      'echo 536870912 > /cg/system.slice/pipeline-0a1b2c3d-web.service/payload/memory.max',
    );
    expect(unit).toContain(
      'echo "50000 100000" > /cg/system.slice/pipeline-0a1b2c3d-web.service/payload/cpu.max',
    );
    expect(scripts['supervise, version 2']).toContain('sh /state/web/limits 9>&- &');
    expect(scripts['supervise, version 1']).not.toContain('/state/web/limits');
  });
});
