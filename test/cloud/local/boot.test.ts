import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
  lower: ['/cache/layer/2/rootfs', '/cache/base/1/rootfs'],
  upper: '/state/web/disk/upper',
  work: '/state/web/disk/work',
  diskImage: undefined,
  disk: '/state/web/disk',
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

test("device names fit the kernel's 15 characters and tell hosts apart; hardware addresses stay", () => {
  expect(deviceName('pl-0a1b2c3d', '10.77.1.254')).toBe('pl-0a1b2c3d-254');
  expect(deviceName('pl-0a1b2c3d', '10.77.1.254').length).toBeLessThanOrEqual(15);
  expect(macAddress('10.77.1.254')).toBe('02:50:0a:4d:01:fe');
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline boot-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/**
 * Programs that note how they are called, with their standard input; `unshare` also whether the lock is open.
 */
function stubs(names: readonly string[], bash = ''): string {
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  for (const name of names) {
    const note = `[ -e /proc/self/fd/9 ] && lock=held || lock=free
printf '%s\\n' "${name} $lock $*" >>'${folder}/log'
case "$*" in *-batch*) cat >>'${folder}/log' ;; esac`;
    writeFileSync(join(programs, name), `#!/bin/bash\n${note}\n${bash}\n`);
    chmodSync(join(programs, name), 0o755);
  }
  return `${programs}:${process.env.PATH}`;
}

const log = () => readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n');

/** Files as a hierarchy of control groups has them. */
function files(names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), '');
  }
}

const content = (name: string) => readFileSync(join(folder, name), 'utf8').trim();

/** A host whose files and control groups lie in the test's folder. */
function parent(version: 1 | 2, systemd = false): Parent {
  const hierarchies = parseHierarchies(
    version === 1
      ? '1 0 0:1 / /cg/memory rw - cgroup cgroup rw,memory\n2 0 0:2 / /cg/cpu rw - cgroup cgroup rw,cpu'
      : '1 0 0:1 / /cg rw - cgroup2 cgroup2 rw',
  );
  return {
    bootScript: join(folder, 'boot'),
    limitsScript: join(folder, 'limits'),
    wanted: join(folder, 'wanted'),
    lockFile: join(folder, 'lock'),
    consoleLog: '/state/web/console.log',
    unit: 'pipeline-0a1b2c3d-web.service',
    memoryBytes: 536870912,
    cpus: 0.5,
    groups: hostGroups(
      {
        root: true,
        systemd,
        hierarchies: hierarchies.map((one) => ({ ...one, mountPoint: join(folder, one.mountPoint) })),
      },
      { controlGroup: 'pipeline/0a1b2c3d/web', unit: 'pipeline-0a1b2c3d-web.service' },
    ),
  };
}

/** Runs the supervisor of a wanted host; its host reboots once, and ends with 3 then. */
function supervise(host: Parent) {
  writeFileSync(host.wanted, '');
  writeFileSync(host.limitsScript, `echo limits >>'${folder}/limited'`);
  const PATH = stubs(['unshare'], `[ "$(grep -c unshare '${folder}/log')" -gt 1 ] && exit 3; exit 133`);
  const script = superviseScript(host);
  return spawnSync('bash', ['-x', '-c', script], { encoding: 'utf8', env: { PATH }, timeout: 20_000 });
}

describe('scripts', () => {
  test.each([
    ['init', () => INIT_SCRIPT],
    ['boot', () => bootScript(boot)],
    ['limits, version 2', () => limitsScript(parent(2))],
  ])('%s is a POSIX shell script', (_, text) => {
    expect(spawnSync('sh', ['-n'], { input: text(), encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test('a host gets its disk, a fresh network namespace and a device in it, and boots then', () => {
    const PATH = stubs(['mount', 'unshare', 'ip', 'nsenter', 'systemd-nspawn']);
    const own = { ...boot, root: "/it's a/root", network: join(folder, 'network') };
    const script = bootScript(own);
    expect(spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { PATH } }).status).toBe(0);
    const { network } = own;
    expect(log()).toEqual([
      'mount free -t overlay -o index=off,lowerdir=/cache/layer/2/rootfs:/cache/base/1/rootfs,' +
        "upperdir=/state/web/disk/upper,workdir=/state/web/disk/work overlay /it's a/root",
      `unshare free --net=${network} true`,
      'ip free link delete pl-0a1b2c3d-254',
      'ip free -batch -',
      `link add pl-0a1b2c3d-254 type veth peer name eth0 address 02:50:0a:4d:01:fe netns ${network}`,
      'link set pl-0a1b2c3d-254 master pl-0a1b2c3d up',
      'neighbour replace 10.77.1.254 lladdr 02:50:0a:4d:01:fe dev pl-0a1b2c3d nud permanent',
      `nsenter free --net=${network} ip -batch -`,
      'link set lo up',
      'address add 10.77.1.254/24 dev eth0',
      'link set eth0 up',
      'route add default via 10.77.1.1',
      `systemd-nspawn free ${nspawnCommand(own).slice(1).join(' ')}`,
    ]);
    expect(existsSync(network)).toBe(true);
  });

  test('a disk of its own is mounted first, where there is one', () => {
    const PATH = stubs(['mount', 'unshare', 'ip', 'nsenter', 'systemd-nspawn']);
    const own = { ...boot, diskImage: "/it's/web/disk.img", network: join(folder, 'network') };
    expect(spawnSync('sh', ['-c', bootScript(own)], { encoding: 'utf8', env: { PATH } }).status).toBe(0);
    expect(log()[0]).toBe("mount free -o loop /it's/web/disk.img /state/web/disk");
    expect(log()[1]).toContain('mount free -t overlay');
  });

  test('version 1: limits are set before the first process enters, and a reboot boots again', () => {
    const host = parent(1);
    const memory = 'cg/memory/pipeline/0a1b2c3d/web';
    const cpu = 'cg/cpu/pipeline/0a1b2c3d/web';
    files([`${memory}/memory.limit_in_bytes`, `${cpu}/cpu.cfs_quota_us`]);
    const { status, stderr, pid } = supervise(host);
    expect(status).toBe(3);
    expect(content(`${memory}/memory.limit_in_bytes`)).toBe('536870912');
    expect(existsSync(join(folder, memory, 'memory.memsw.limit_in_bytes'))).toBe(false);
    expect(content(`${cpu}/cpu.cfs_quota_us`)).toBe('50000');
    for (const group of [memory, cpu]) expect(content(`${group}/cgroup.procs`)).toBe(String(pid));
    const traced = ['536870912', '50000', String(pid)].map((value) => stderr.indexOf(`+ echo ${value}\n`));
    expect(traced).toEqual(traced.toSorted((a, b) => a - b));
    expect(traced[0]).toBeGreaterThan(0);
    const boots = `unshare free --mount --propagation slave sh ${host.bootScript}`;
    expect(log()).toEqual([boots, boots]);
    expect(existsSync(join(folder, 'limited'))).toBe(false);
  });

  test("version 2: the host gets a group beside the supervisor's, and its limits at every boot", () => {
    const host = parent(2);
    const top = 'cg/pipeline/0a1b2c3d/web';
    files([`${top}/memory.max`, `${top}/memory.swap.max`, `${top}/cpu.max`]);
    const { status, pid } = supervise(host);
    expect(status).toBe(3);
    expect(content(`${top}/memory.max`)).toBe('536870912');
    expect(content(`${top}/memory.swap.max`)).toBe('0');
    expect(content(`${top}/cpu.max`)).toBe('50000 100000');
    expect(content(`${top}/loop/cgroup.procs`)).toBe(String(pid));
    expect(content(`${top}/machine/cgroup.procs`)).toMatch(/^\d+$/);
    expect(content(`${top}/machine/cgroup.procs`)).not.toBe(String(pid));
    expect(content('limited')).toBe('limits\nlimits');
    const boots = `unshare free --mount --propagation slave sh ${host.bootScript}`;
    expect(log()).toEqual([boots, boots]);
  });

  test('a host that is no longer wanted, or has a supervisor, is not booted', () => {
    const host = parent(1);
    const PATH = stubs(['unshare']);
    const run = () => spawnSync('bash', ['-c', superviseScript(host)], { env: { PATH } }).status;
    expect(run()).toBe(0);
    writeFileSync(host.wanted, '');
    const held = `exec 9>'${host.lockFile}'; flock 9; bash -c "$1" 9>&-`;
    expect(spawnSync('bash', ['-c', held, 'bash', superviseScript(host)], { env: { PATH } }).status).toBe(0);
    expect(existsSync(join(folder, 'log'))).toBe(false);
  });

  test('a transient unit restarts on reboot, delegates its group, and limits', () => {
    const host = { ...parent(2, true), bootScript: '/state/web/boot', limitsScript: '/state/web/limits' };
    expect(unitArguments(host).join(' ')).toBe(
      '--quiet --collect --unit=pipeline-0a1b2c3d-web.service --service-type=exec ' +
        '--property Delegate=yes --property KillMode=mixed --property RestartForceExitStatus=133 ' +
        '--property SuccessExitStatus=133 --property StartLimitIntervalSec=0 ' +
        '--property MemoryMax=536870912 ' +
        '--property MemorySwapMax=0 --property CPUQuota=50% ' +
        '--property ExecStartPost=-/bin/sh /state/web/limits --property TimeoutStopSec=60 ' +
        '--property StandardOutput=truncate:/state/web/console.log ' +
        '--property StandardError=truncate:/state/web/console.log ' +
        'unshare --mount --propagation slave sh /state/web/boot',
    );
  });

  test('version 2: the limits stand also where the host sees its root', () => {
    const unit = 'cg/system.slice/pipeline-0a1b2c3d-web.service';
    files([`${unit}/memory.max`, `${unit}/payload/memory.max`, `${unit}/payload/cpu.max`]);
    expect(spawnSync('sh', ['-c', limitsScript(parent(2, true))]).status).toBe(0);
    expect(content(`${unit}/payload/memory.max`)).toBe('536870912');
    expect(content(`${unit}/payload/cpu.max`)).toBe('50000 100000');
    expect(content(`${unit}/memory.max`)).toBe('');
  });
});
