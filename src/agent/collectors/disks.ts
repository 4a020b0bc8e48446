/**
 * Space of file systems and traffic of their devices, from /proc/self/mounts, statfs(2) and /proc/diskstats.
 */
import { realpathSync, statfsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Row } from '../../metrics/catalogue.ts';
import { perSecond } from '../../metrics/rate.ts';
import type { Collector } from '../collector.ts';
import { ProcFile } from '../system/proc-file.ts';

export interface Mount {
  readonly device: string;
  readonly path: string;
}

/** File systems that hold data. Others are the kernel's own, read-only images, or another host's. */
const DATA = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'bcachefs',
  'jfs',
  'reiserfs',
  'ntfs3',
]);

/** Where containers get single files of the machine, and nobody mounts data. */
const INNER = /^\/(run|etc|proc|sys|dev|snap)\//;

/** File systems with data, each device once, where it is mounted first; `/` whatever its type. */
export function parseMounts(text: string): Mount[] {
  const mounts = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [device = '', path = '', type = ''] = line.split(' ').map(unescapeOctal);
    if (path === '' || INNER.test(path) || !(DATA.has(type) || (path === '/' && type !== 'rootfs'))) continue;
    if (!mounts.has(device)) mounts.set(device, { device, path });
  }
  return [...mounts.values()];
}

/** The kernel writes a space as `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** What a device did since the host started. Source: Linux, Documentation/admin-guide/iostats.rst. */
export interface DiskTraffic {
  readonly reads: number;
  readonly read: number;
  readonly writes: number;
  readonly written: number;
  readonly busyMs: number;
}

const SECTOR = 512;

/** Reads /proc/diskstats: traffic by `major:minor` and by name. */
export function parseDiskstats(text: string): Map<string, DiskTraffic> {
  const devices = new Map<string, DiskTraffic>();
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/ +/);
    const [major, minor, name] = fields;
    if (name === undefined) continue;
    const number = (index: number): number => Number(fields[index] ?? 0);
    const traffic = {
      reads: number(3),
      read: number(5) * SECTOR,
      writes: number(7),
      written: number(9) * SECTOR,
      busyMs: number(12),
    };
    devices.set(`${major}:${minor}`, traffic).set(name, traffic);
  }
  return devices;
}

/** `major:minor` of a device number. Source: glibc, gnu_dev_major and gnu_dev_minor. */
export function majorMinor(dev: number): string {
  return `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
}

/**
 * Traffic per second between two looks; unknown for a device that the kernel does not count, e.g. of an
 * overlay.
 */
export function diskRates(
  before: DiskTraffic | undefined,
  now: DiskTraffic | undefined,
  seconds: number,
): Pick<Row<'disks'>, 'read' | 'written' | 'reads' | 'writes' | 'busy'> {
  const rate = (column: keyof DiskTraffic): number | null =>
    perSecond(before?.[column], now?.[column], seconds);
  const busy = rate('busyMs');
  return {
    read: rate('read'),
    written: rate('written'),
    reads: rate('reads'),
    writes: rate('writes'),
    busy: busy === null ? null : Math.min(1, busy / 1000),
  };
}

export function diskCollector(): Collector {
  const mounts = new ProcFile('/proc/self/mounts');
  const diskstats = new ProcFile('/proc/diskstats');
  let before = new Map<string, DiskTraffic>();
  return {
    name: 'disks',
    everySeconds: 0,
    collect(seconds) {
      const traffic = parseDiskstats(diskstats.read());
      const disks = parseMounts(mounts.read()).map((mount): Row<'disks'> => {
        const space = statfsSync(mount.path);
        const size = space.blocks * space.bsize;
        const key = deviceKey(mount, traffic);
        return {
          mount: mount.path,
          device: mount.device,
          size,
          used: size - space.bavail * space.bsize,
          inodes_used: space.files === 0 ? null : (space.files - space.ffree) / space.files,
          ...diskRates(before.get(key), traffic.get(key), seconds),
        };
      });
      before = traffic;
      return { disks };
    },
    close() {
      mounts.close();
      diskstats.close();
    },
  };
}

/** By number; by name for file systems of several devices (btrfs), whose number is made up. */
function deviceKey(mount: Mount, traffic: ReadonlyMap<string, DiskTraffic>): string {
  const key = majorMinor(statSync(mount.path).dev);
  if (traffic.has(key) || !mount.device.startsWith('/')) return key;
  return basename(realpathSync(mount.device));
}
