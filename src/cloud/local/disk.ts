/** A host's disk before its first boot, and its record. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../../context.ts';
import { writeFileAtomic } from '../../files.ts';
import { generateEd25519 } from '../ed25519.ts';
import type { MachineSpec } from '../provider.ts';
import { type Handed, type HandedFile, HOSTS_FILE } from './handed.ts';
import type { HostRecord } from './records.ts';
import { mustRun } from './run.ts';
import type { HostLayout } from './settings.ts';

export interface NewHost {
  readonly spec: MachineSpec;
  readonly address: string;
  /** Folder of its base image. */
  readonly base: string;
  /** Folders of the layers on it, topmost first. */
  readonly layers: readonly string[];
  /** The release that the image is. */
  readonly release: string;
  /** Public keys that may sign in as root. */
  readonly authorizedKeys: readonly string[];
  readonly handed: Handed;
}

/** Folders whose mode differs from 0755 in the base image: the disk's own folder decides. */
const PRIVATE_FOLDERS = ['/root', '/root/.ssh'];

/**
 * Makes the disk; the record is written last, so that a host without one is known to be half-made. The host's
 * key is made here, which is how everybody knows it before the first connection.
 */
export async function makeHost(context: Context, layout: HostLayout, host: NewHost): Promise<HostRecord> {
  const { name, group, memoryBytes, cpus, diskBytes } = host.spec;
  const key = generateEd25519(name);
  const files: HandedFile[] = [
    ...host.handed.files.map((file) =>
      file.path === HOSTS_FILE ? { ...file, content: `${host.address} ${name}\n${file.content}` } : file,
    ),
    { path: '/etc/hostname', content: `${name}\n`, mode: 0o644 },
    { path: '/etc/machine-id', content: `${randomBytes(16).toString('hex')}\n`, mode: 0o444 },
    { path: '/etc/ssh/ssh_host_ed25519_key', content: key.privateKey, mode: 0o600 },
    { path: '/etc/ssh/ssh_host_ed25519_key.pub', content: `${key.publicKey} ${name}\n`, mode: 0o644 },
    { path: '/root/.ssh/authorized_keys', content: authorizedKeysText(host.authorizedKeys), mode: 0o600 },
  ];
  await mkdir(layout.directory, { recursive: true, mode: 0o700 });
  await Promise.all([layout.work, layout.root].map((path) => mkdir(path, { recursive: true })));
  await mkdir(layout.upper, { recursive: true });
  for (const file of files) await lay(layout.upper, file);
  for (const folder of PRIVATE_FOLDERS) await chmod(join(layout.upper, folder), 0o700);
  if (diskBytes !== undefined) await moveToImage(context, layout, diskBytes);
  const record: HostRecord = {
    name,
    group,
    address: host.address,
    base: host.base,
    layers: [...host.layers],
    release: host.release,
    diskBytes,
    hostKey: key.publicKey,
    memoryBytes,
    cpus,
    authorizedKeys: [...host.authorizedKeys],
    settings: host.handed.digest,
  };
  await saveHost(layout, record);
  return record;
}

/** Moves what the disk holds into a file system of its own. The file takes the room that is used. */
async function moveToImage(context: Context, { disk, diskImage }: HostLayout, bytes: number): Promise<void> {
  const how = ['-q', '-F', '-m', '0', '-d', disk, diskImage, `${Math.ceil(bytes / 1024)}k`];
  await mustRun(context, "a host's own disk", 'mkfs.ext4', how);
  await rm(disk, { recursive: true });
  await mkdir(disk);
}

export async function saveHost(layout: HostLayout, record: HostRecord): Promise<void> {
  await writeFileAtomic(layout.recordFile, `${JSON.stringify(record, null, 2)}\n`);
}

export function authorizedKeysText(keys: readonly string[]): string {
  return keys.map((key) => `${key}\n`).join('');
}

/** Writes a file into a disk, readable as it says whatever this process's umask is. */
export async function lay(upper: string, file: HandedFile): Promise<void> {
  const path = join(upper, file.path);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, file.content, { mode: file.mode });
  await chmod(path, file.mode);
}
