/** A folder as one file: the same folder always gives the same bytes. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { runTool } from '../process/tool.ts';
import type { Architecture } from './artifact.ts';

/**
 * Packs `folder` as `.tar.gz`: sorted names, root as owner, one time for all, permissions without the user's
 * umask; no `.git`, no caches of build tools. Needs GNU tar.
 */
export async function pack(folder: string, path: string, time: number, context: Context): Promise<void> {
  const done = await runTool(
    'tar',
    [
      ...['--create', '--file', path, '--use-compress-program', 'gzip --no-name -6', '--directory', folder],
      ...['--sort=name', '--format=gnu', '--owner=0', '--group=0', '--numeric-owner', `--mtime=@${time}`],
      ...['--mode=u+rwX,go+rX,go-w', '--exclude=.git', '--exclude=node_modules/.cache', '.'],
    ],
    context,
    { env: { ...context.env, LC_ALL: 'C' } },
  );
  if (done.exitCode === 0) return;
  const full = done.lastLines.some((line) => /No space left/.test(line));
  throw new Failure('usage', `Cannot write the artifact ${path}.`, {
    step: 'pack',
    output: done.lastLines.slice(-5),
    next: full ? 'Make room on this machine, then build again.' : 'Building needs GNU tar as "tar".',
  });
}

/** SHA-256 of a file, hexadecimal. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** `e_machine` of an ELF header (elf.h). */
const ELF_MACHINES: Readonly<Record<number, Architecture>> = { 62: 'x64', 183: 'arm64' };

/**
 * The processor that the binaries in a folder (native modules, helper programs) need; `null` where there are
 * none, or where they are there for every kind, as in packages with prebuilt ones.
 */
export async function boundTo(folder: string): Promise<Architecture | null> {
  const found = new Set<Architecture>();
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = await open(join(entry.parentPath, entry.name));
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0);
      const machine =
        bytesRead === 20 && buffer.toString('latin1', 0, 4) === '\x7fELF' ? buffer.readUInt16LE(18) : -1;
      const architecture = ELF_MACHINES[machine];
      if (architecture !== undefined) found.add(architecture);
    } finally {
      await file.close();
    }
  }
  const [only] = found;
  return found.size === 1 && only !== undefined ? only : null;
}
