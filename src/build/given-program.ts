/** A program, or an archive with one, that was made elsewhere and is handed over as a file. */
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { AppConfig } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { runTool } from '../process/tool.ts';
import type { Artifact } from './artifact.ts';
import { cachePath } from './cache.ts';
import { boundTo, pack, sha256 } from './pack.ts';

const ARCHIVE = /\.(tar\.gz|tgz)$/;

/**
 * The file as an artifact; git is not asked.
 * @throws Failure kind `usage` where it cannot be read, or how it starts cannot be told
 */
export async function givenProgram(
  app: string,
  definition: AppConfig,
  file: string,
  context: Context,
): Promise<Artifact> {
  const given = resolve(context.cwd, file);
  const name = basename(given);
  const found = await stat(given).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw new Failure('usage', `There is no file ${file}.`, {
      next: 'Name the program, or a .tar.gz with it, relative to this folder.',
    });
  }
  const archive = ARCHIVE.test(name);
  const start = definition.start ?? (archive ? undefined : `./${name}`);
  if (start === undefined || /[^\w./+-]/.test(name)) {
    throw new Failure('usage', `${app}: how ${name} is started cannot be told.`, {
      next: `Say it with start: of ${app} in pipeline.yml, relative to the root of the archive.`,
    });
  }
  const hash = await sha256(given);
  const path = cachePath(context, 'artifacts', app, `given-${hash.slice(0, 24)}.tar.gz`);
  const tree = await mkdtemp(join(tmpdir(), 'pipeline-given-'));
  try {
    if (archive) await unpack(given, tree, context);
    else await copyFile(given, join(tree, name));
    if (!archive) await chmod(join(tree, name), 0o755);
    const architecture = await boundTo(tree);
    await mkdir(cachePath(context, 'artifacts', app), { recursive: true });
    await pack(tree, `${path}.partial`, 0, context);
    await rename(`${path}.partial`, path);
    const { size: bytes } = await stat(path);
    const identity = { app, ref: name, subject: name, commit: null, runtime: 'command' } as const;
    const none = { language: null, lock: null, build: null, packages: [], dependencies: null, how: '' };
    const made = { path, sha256: await sha256(path), bytes, architecture, cached: false, seconds: 0 };
    return { ...identity, ...made, node: null, servlet: null, directory: '', start, command: none };
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

async function unpack(archive: string, folder: string, context: Context): Promise<void> {
  const args = ['--extract', '--gzip', '--no-same-owner', '--file', archive, '--directory', folder];
  const done = await runTool('tar', args, context);
  if (done.exitCode === 0) return;
  throw new Failure('usage', `${archive} is no .tar.gz that can be unpacked.`, {
    output: done.lastLines.slice(-5),
    next: 'Make it anew: tar -czf FILE.tar.gz -C FOLDER .',
  });
}
