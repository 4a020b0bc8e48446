import { describe, expect, test } from 'vitest';
import {
  chooseLauncher,
  groupNames,
  type Hierarchy,
  hostGroups,
  type MachineFacts,
  parseHierarchies,
} from '../../../src/cloud/local/machine.ts';

/** Debian 12 with systemd. */
const UNIFIED =
  '24 30 0:22 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,' +
  'nsdelegate,memory_recursiveprot';
/** A container's process 1 on a machine with version 1; an older systemd joins cpu and cpuacct. */
const HYBRID = `30 20 0:26 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/lib/systemd/systemd-cgroups-agent,name=systemd
34 30 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
35 30 0:28 / /mnt/again rw,relatime - cgroup cgroup rw,memory`;

const facts = (mountinfo: string, systemd: boolean): MachineFacts => ({
  root: true,
  systemd,
  hierarchies: parseHierarchies(mountinfo),
});

test('every hierarchy once, by its controllers', () => {
  expect(parseHierarchies(HYBRID)).toEqual<Hierarchy[]>([
    { mountPoint: '/sys/fs/cgroup/cpu,cpuacct', version: 1, controllers: ['cpu', 'cpuacct'] },
    { mountPoint: '/sys/fs/cgroup/memory', version: 1, controllers: ['memory'] },
    { mountPoint: '/sys/fs/cgroup/systemd', version: 1, controllers: ['name=systemd'] },
    { mountPoint: '/sys/fs/cgroup/unified', version: 2, controllers: [] },
  ]);
  expect(parseHierarchies(UNIFIED)).toEqual([{ mountPoint: '/sys/fs/cgroup', version: 2, controllers: [] }]);
});

test.each([
  ['systemd, version 2', UNIFIED, true, 'unit'],
  ['version 2 without systemd', UNIFIED, false, 'supervisor'],
  ['systemd, version 1', HYBRID, true, 'supervisor'],
  ['version 1 without systemd', HYBRID, false, 'supervisor'],
  ['no control groups at all', '', true, 'supervisor'],
])("%s: a host's parent", (_, mountinfo, systemd, launcher) => {
  expect(chooseLauncher(facts(mountinfo, systemd))).toBe(launcher);
});

describe("where a host's processes are", () => {
  const host = { controlGroup: 'pipeline/0a1b2c3d/web', unit: 'pipeline-0a1b2c3d-web.service' };

  test('version 1: a group of its own in every hierarchy', () => {
    expect(hostGroups(facts(HYBRID, false), host)).toEqual({
      tops: [
        '/sys/fs/cgroup/cpu,cpuacct/pipeline/0a1b2c3d/web',
        '/sys/fs/cgroup/memory/pipeline/0a1b2c3d/web',
        '/sys/fs/cgroup/systemd/pipeline/0a1b2c3d/web',
        '/sys/fs/cgroup/unified/pipeline/0a1b2c3d/web',
      ],
      leaders: ['/sys/fs/cgroup/systemd/pipeline/0a1b2c3d/web'],
      limited: {
        version: 1,
        memory: ['/sys/fs/cgroup/memory/pipeline/0a1b2c3d/web'],
        cpu: ['/sys/fs/cgroup/cpu,cpuacct/pipeline/0a1b2c3d/web'],
      },
    });
  });

  test("version 2 with systemd: its unit, with systemd's limits; the root that the host sees is ours", () => {
    const top = '/sys/fs/cgroup/system.slice/pipeline-0a1b2c3d-web.service';
    expect(hostGroups(facts(UNIFIED, true), host)).toEqual({
      tops: [top],
      leaders: [top, `${top}/loop`, `${top}/supervisor`],
      limited: { version: 2, memory: [`${top}/payload`], cpu: [`${top}/payload`] },
    });
  });

  test('version 2 without systemd: below a group of ours, never in a slice', () => {
    const top = '/sys/fs/cgroup/pipeline/0a1b2c3d/web';
    expect(hostGroups(facts(UNIFIED, false), host)).toEqual({
      tops: [top],
      leaders: [top, `${top}/loop`, `${top}/machine/supervisor`],
      limited: {
        version: 2,
        memory: [top, `${top}/machine/payload`],
        cpu: [top, `${top}/machine/payload`],
      },
    });
  });

  test("hosts are found again by their groups and units, other environments' are not", () => {
    const slice = ['ssh.service', 'pipeline-0a1b2c3d-web-2.service', 'pipeline-ffffffff-web.service'];
    expect(groupNames({ id: '0a1b2c3d' }, ['web'], slice)).toEqual(['web', 'web-2']);
  });
});
