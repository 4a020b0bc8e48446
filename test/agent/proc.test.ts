/**
 * Parsers of /proc and the control groups, on text in the forms that proc(5) and Linux's Documentation
 * describe.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containerTimes, cpuShares, parseStat } from '../../src/agent/collectors/cpu.ts';
import { diskRates, majorMinor, parseDiskstats, parseMounts } from '../../src/agent/collectors/disks.ts';
import { containerLoad, parseLoad } from '../../src/agent/collectors/load.ts';
import { parseArcStats, parseMeminfo, parseSwaps, withArc } from '../../src/agent/collectors/memory.ts';
import { parseNetDev } from '../../src/agent/collectors/network.ts';
import { parsePressure, pressureFile } from '../../src/agent/collectors/pressure.ts';
import {
  findCgroup,
  GroupUsage,
  parseCpuStat,
  parseProcessStat,
  readSwap,
  useAndCache,
  workingSet,
} from '../../src/agent/system/cgroup.ts';
import { findContainer, parseCpuUse, parseQuota } from '../../src/agent/system/container.ts';
import { ProcFile } from '../../src/agent/system/proc-file.ts';

const STAT = `cpu  5344 10 3282 160694 502 20 78 16 100 0
cpu0 1933 0 1228 81801 31 0 11 3 0 0
cpu1 3411 0 2054 78892 471 0 67 13 0 0
intr 1000 0 9 0
ctxt 123
btime 1700000000
processes 999
procs_running 3
procs_blocked 1
softirq 5 0 1
`;

describe('/proc/stat', () => {
  const before = parseStat(STAT);

  it('is read: nice is user time, interrupts are system time, guests are in user time already', () => {
    expect(before).toEqual({
      user: 5354,
      system: 3380,
      idle: 160694,
      iowait: 502,
      steal: 16,
      cores: 2,
      running: 3,
      blocked: 1,
    });
  });

  it('gives shares of the time in between', () => {
    const now = {
      ...before,
      user: before.user + 30,
      system: before.system + 10,
      idle: before.idle + 40,
      iowait: before.iowait + 15,
      steal: before.steal + 5,
    };
    expect(cpuShares(before, now)).toMatchObject({
      cpu: 0.4,
      cpu_user: 0.3,
      cpu_system: 0.1,
      cpu_iowait: 0.15,
      cpu_steal: 0.05,
    });
  });

  it.each([
    ['at the first look', undefined],
    ['where no time has passed', before],
  ])('says nothing %s', (_, last) => {
    expect(cpuShares(last, before)).toMatchObject({ cpu: null, cpu_steal: null, cores: 2 });
  });

  it('takes an iowait that runs backwards for none', () => {
    const now = { ...before, idle: before.idle + 100, iowait: before.iowait - 1 };
    expect(cpuShares(before, now)).toMatchObject({ cpu: 0, cpu_iowait: 0 });
  });

  it('refuses what is something else', () => {
    expect(() => parseStat('')).toThrow(/no line "cpu"/);
  });
});

describe('/proc/meminfo and /proc/vmstat', () => {
  const MEMINFO = `MemTotal:        1000000 kB
MemFree:          100000 kB
MemAvailable:     600000 kB
Buffers:           20000 kB
Cached:           400000 kB
SwapCached:         7777 kB
SwapTotal:        500000 kB
SwapFree:         450000 kB
`;

  it('are read', () => {
    expect(parseMeminfo(MEMINFO)).toEqual({
      memory_total: 1000000 * 1024,
      memory_used: 400000 * 1024,
      memory_cached: 420000 * 1024,
      swap_total: 500000 * 1024,
      swap_used: 50000 * 1024,
    });
    expect(parseSwaps('pgpgin 1\npswpin 12\npswpout 34\n')).toEqual({ in: 12, out: 34 });
  });

  it('count what ZFS gives back as cache, and its least size as used', () => {
    const stats =
      'name type data\nc_min                           4    50000000\nsize                      ' +
      '      4    250000000\n';
    expect(parseArcStats(stats)).toBe(200_000_000);
    expect(parseArcStats('')).toBe(0);
    expect(withArc(parseMeminfo(MEMINFO), parseArcStats(stats))).toMatchObject({
      memory_used: 400000 * 1024 - 200_000_000,
      memory_cached: 420000 * 1024 + 200_000_000,
    });
  });

  it('may be without swap', () => {
    expect(parseMeminfo(MEMINFO.replace(/Swap.*kB\n/g, ''))).toMatchObject({ swap_total: 0, swap_used: 0 });
    expect(() => parseMeminfo('')).toThrow(/MemTotal/);
  });
});

it.each<[1 | 2, string]>([
  [2, 'anon 500\nfile 400\nactive_file 300\ninactive_file 100\n'],
  [1, 'active_file 1\ninactive_file 1\ntotal_cache 400\ntotal_inactive_file 100\ntotal_active_file 300\n'],
])('what a control group of version %i uses and its page cache make the whole', (version, stat) => {
  const set = workingSet('900', stat, version) ?? 0;
  expect(useAndCache(set, stat, version)).toEqual({ used: 500, cached: 400 });
  expect(useAndCache(set, '', version)).toEqual({ used: set, cached: 0 });
});

it('/proc/loadavg and /proc/uptime are read', () => {
  expect(parseLoad('0.20 0.18 0.12 1/80 11206\n', '350735.47 234388.90\n')).toEqual({
    load1: 0.2,
    load5: 0.18,
    load15: 0.12,
    uptime: 350735.47,
  });
  expect(() => parseLoad('', '')).toThrow(/loadavg/);
});

describe('/proc/pressure', () => {
  it.each([
    [
      'some avg10=2.54 avg60=2.96 avg300=1.36 total=11488333\nfull avg10=0.00 avg60=0.00 ' +
        'avg300=0.00 total=7\n',
      11488333,
      7,
    ],
    ['some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n', 5, undefined], // the processor, before Linux 5.13
    ['', undefined, undefined],
  ])('%j', (text, some, full) => {
    expect(parsePressure(text)).toEqual({ some, full });
  });
});

describe('disks', () => {
  it('are the file systems with data, each once, and the root whatever it is', () => {
    const mounts = `sysfs /sys sysfs rw 0 0
/dev/vda1 / ext4 rw,relatime 0 0
/dev/vda1 /var/lib/docker ext4 rw 0 0
/dev/vda15 /boot/efi vfat rw 0 0
/dev/loop0 /snap/core/1 squashfs ro 0 0
tmpfs /run tmpfs rw 0 0
/dev/vda2 /run/host/os-release ext4 ro 0 0
/dev/sdb1 /mnt/my\\040data xfs rw 0 0
rpool/home /home zfs rw 0 0
`;
    expect(parseMounts(mounts)).toEqual([
      { device: '/dev/vda1', path: '/' },
      { device: '/dev/sdb1', path: '/mnt/my data' },
      { device: 'rpool/home', path: '/home' },
    ]);
    expect(parseMounts('overlay / overlay rw 0 0\n')).toEqual([{ device: 'overlay', path: '/' }]);
  });

  it('have the traffic that the kernel counted', () => {
    const line =
      ' 254       1 vda1 72341 9397 2911786 12787 13812 26756 1432856 5547 0 8024 18691 4987 30 ' +
      '278432 307 1124 49\n';
    const counted = parseDiskstats(line).get('254:1');
    expect(counted).toEqual({
      reads: 72341,
      read: 2911786 * 512,
      writes: 13812,
      written: 1432856 * 512,
      busyMs: 8024,
    });
    expect(parseDiskstats(line).get('vda1')).toEqual(counted);
  });

  it('work for a share of the time, never for more than all of it', () => {
    const before = { reads: 0, read: 0, writes: 0, written: 0, busyMs: 0 };
    const now = { reads: 10, read: 5120, writes: 20, written: 10240, busyMs: 1500 };
    expect(diskRates(before, now, 5)).toEqual({ reads: 2, read: 1024, writes: 4, written: 2048, busy: 0.3 });
    expect(diskRates(before, { ...now, busyMs: 5100 }, 5).busy).toBe(1);
    expect(diskRates(undefined, undefined, 5).read).toBeNull();
  });

  it.each([
    [0xfe01, '254:1'],
    [0x0801, '8:1'],
    [0x10fe00, '254:256'],
    [0x2b, '0:43'],
  ])('device number %i is %s', (dev, expected) => {
    expect(majorMinor(dev)).toBe(expected);
  });
});

it('/proc/net/dev is read, without loopback, inner interfaces and those that never carried anything', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  999       9    0    0    0     0          0         0      999       9    0    0    0     0       0          0
  eth0: 1000      10    1    2    0     0          0         0     2000      20    3    4    0     0       0          0
veth12:  500       5    0    0    0     0          0         0      500       5    0    0    0     0       0          0
  eth1:    0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
enp1s0:12345678     1    0    0    0     0          0         0        1       1    0    0    0     0       0          0
`;
  expect([...parseNetDev(text)]).toEqual([
    ['eth0', { received: 1000, packetsReceived: 10, sent: 2000, packetsSent: 20, errors: 4, drops: 6 }],
    ['enp1s0', { received: 12345678, packetsReceived: 1, sent: 1, packetsSent: 1, errors: 0, drops: 0 }],
  ]);
});

describe('control groups', () => {
  const has =
    (...paths: string[]) =>
    (path: string) =>
      paths.includes(path);
  const group = '/system.slice/demo.service';

  it.each([
    [
      'version 2',
      has(
        '/cg/cgroup.controllers',
        `/cg${group}/cpu.stat`,
        `/cg${group}/memory.current`,
        `/cg${group}/cgroup.procs`,
      ),
      { version: 2, cpu: `/cg${group}/cpu.stat`, memory: `/cg${group}`, procs: `/cg${group}/cgroup.procs` },
    ],
    [
      'version 1',
      has(
        `/cg/cpuacct${group}/cpuacct.usage`,
        `/cg/memory${group}/memory.usage_in_bytes`,
        `/cg/systemd${group}/cgroup.procs`,
      ),
      {
        version: 1,
        cpu: `/cg/cpuacct${group}/cpuacct.usage`,
        memory: `/cg/memory${group}`,
        procs: `/cg/systemd${group}/cgroup.procs`,
      },
    ],
    [
      'version 1 with one directory for cpu and cpuacct, and no accounting of memory',
      has(`/cg/cpu,cpuacct${group}/cpuacct.usage`),
      { version: 1, cpu: `/cg/cpu,cpuacct${group}/cpuacct.usage`, memory: undefined, procs: undefined },
    ],
  ])('of %s are found', (_, exists, expected) => {
    expect(findCgroup(group, '/cg', exists)).toEqual(expected);
  });

  it('say what they used', () => {
    expect(parseCpuStat('usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n')).toBe(1.234567);
    expect(parseCpuStat('nr_periods 0\n')).toBeUndefined();
    expect(workingSet('1000\n', 'anon 600\ninactive_file 300\nactive_file 100\n', 2)).toBe(700);
    expect(workingSet('1000\n', 'inactive_file 1\ntotal_inactive_file 300\n', 1)).toBe(700);
    expect(workingSet('', '', 2)).toBeUndefined();
  });

  it('are processes where they are not accounted for, whatever these are called', () => {
    const fields = [
      'S',
      ...Array(10).fill('0'),
      '150',
      '50',
      ...Array(8).fill('0'),
      '2048',
      ...Array(20).fill('0'),
    ];
    expect(parseProcessStat(`42 (a) b (c) ${fields.join(' ')}`)).toEqual({ ticks: 200, pages: 2048 });
    expect(parseProcessStat('')).toBeUndefined();
  });

  it('of nothing that runs have nothing to say', () => {
    expect(new GroupUsage().take('')).toEqual({ cpuSeconds: null, memoryBytes: null });
  });
});

describe('a container', () => {
  const find = (files: Record<string, string>) =>
    findContainer(
      24e9,
      '/cg',
      (path) => files[path],
      (path) => path in files,
    );

  it.each([
    [
      'version 2',
      { '/cg/cgroup.controllers': '', '/cg/memory.max': '536870912\n', '/cg/cpu.max': '200000 100000\n' },
      2,
    ],
    [
      'version 2, without a limit of cores',
      { '/cg/cgroup.controllers': '', '/cg/memory.max': '536870912\n', '/cg/cpu.max': 'max 100000' },
      undefined,
    ],
    [
      'version 1',
      {
        '/cg/memory/memory.limit_in_bytes': '536870912\n',
        '/cg/cpu/cpu.cfs_quota_us': '50000\n',
        '/cg/cpu/cpu.cfs_period_us': '100000\n',
      },
      0.5,
    ],
    [
      'version 1, without a limit of cores',
      {
        '/cg/memory/memory.limit_in_bytes': '536870912\n',
        '/cg/cpu/cpu.cfs_quota_us': '-1\n',
        '/cg/cpu/cpu.cfs_period_us': '100000\n',
      },
      undefined,
    ],
  ])('is known by the limit of its root group: %s', (_, files, cores) => {
    expect(find(files)).toMatchObject({ memoryLimit: 536870912, cores });
  });

  it.each([
    ['version 2', { '/cg/cgroup.controllers': '' }],
    ['version 1', { '/cg/memory/memory.limit_in_bytes': '9223372036854771712\n' }],
    ['a container without a limit', { '/cg/cgroup.controllers': '', '/cg/memory.max': 'max\n' }],
  ])('is none on a machine of its own: %s', (_, files) => {
    expect(find(files)).toBeUndefined();
  });

  it('has used what its group has used, of its own cores', () => {
    expect(parseCpuUse('usage_usec 30\nuser_usec 2000000\nsystem_usec 500000\n', 2)).toEqual({
      user: 2,
      system: 0.5,
    });
    expect(parseCpuUse('user 200\nsystem 50\n', 1)).toEqual({ user: 2, system: 0.5 });
    expect(parseCpuUse('', 1)).toBeUndefined();
    expect(parseQuota('')).toBeUndefined();
    const machine = parseStat(STAT);
    const before = containerTimes({ user: 2, system: 0.5 }, 2, 100, machine);
    const now = containerTimes({ user: 3, system: 1 }, 2, 105, machine);
    expect(cpuShares(before, now)).toMatchObject({ cpu: 0.15, cpu_user: 0.1, cpu_system: 0.05, cores: 2 });
  });
});

describe('what a container has of its own', () => {
  const machine = parseLoad('7.20 6.18 5.12 1/80 11206\n', '350735.47 234388.90\n');
  let group: string;
  beforeEach(() => {
    group = mkdtempSync(join(tmpdir(), 'pipeline-group-'));
  });
  afterEach(() => rmSync(group, { recursive: true }));
  const files = (texts: Record<string, string>) => {
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(group, name), text);
  };
  const at = (version: 1 | 2) => ({ version, memory: group, cpu: undefined, procs: undefined });

  it('is no load of the machine, and the time since its own start', () => {
    const init = `1 (my (init) x) S 0 1 1 0 -1 4194560 ${'0 '.repeat(12)}35000000 1 1`;
    expect(containerLoad(machine, init)).toEqual({
      load1: null,
      load5: null,
      load15: null,
      uptime: expect.closeTo(735.47, 2),
    });
    expect(containerLoad(machine, '')).toMatchObject({ uptime: null });
  });

  it('is the pressure on its group, where the kernel tells it', () => {
    expect(pressureFile('io', undefined)).toBe('/proc/pressure/io');
    const container = { memoryLimit: 1, cores: 1 };
    expect(pressureFile('io', { ...container, files: at(2) })).toBe(`${group}/io.pressure`);
    expect(pressureFile('io', { ...container, files: at(1) })).toBeUndefined();
  });

  it.each<[string, 1 | 2, Record<string, string>, unknown]>([
    ['none', 2, { 'memory.swap.current': '0\n', 'memory.swap.max': '0\n' }, { used: 0, limit: 0 }],
    [
      'what it likes',
      2,
      { 'memory.swap.current': '4096\n', 'memory.swap.max': 'max\n' },
      { used: 4096, limit: Infinity },
    ],
    [
      'counted with its memory',
      1,
      {
        'memory.memsw.usage_in_bytes': '5000\n',
        'memory.memsw.limit_in_bytes': '1500\n',
        'memory.usage_in_bytes': '4000\n',
      },
      { used: 1000, limit: 500 },
    ],
    ['not accounted for', 1, {}, undefined],
  ])('is its swap: %s', (_, version, texts, expected) => {
    files(texts);
    expect(readSwap(at(version), 1000)).toEqual(expected);
  });
});

describe('a file under /proc', () => {
  it('is read anew every time, also where it is longer than the buffer', () => {
    const stat = new ProcFile('/proc/self/smaps');
    const first = stat.read();
    expect(first.length).toBeGreaterThan(10_000);
    expect(stat.read()).toContain('Rss:');
    stat.close();
    expect(() => new ProcFile('/proc/nosuch').read()).toThrow(/ENOENT/);
  });
});
