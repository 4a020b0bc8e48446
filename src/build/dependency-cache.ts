/**
 * What npm, pnpm or yarn installed, kept between builds: the same lock file, Node, manager and platform give
 * the same folders, so they are copied instead. Copied, not linked: a build may change what it finds there.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { runTool } from '../process/tool.ts';
import { cachePath } from './cache.ts';
import { MANAGER_LOCKS, type ManagerName } from './package-manager.ts';

/** Part of every key: raised where the same input is installed differently. */
const FORMAT = 2;
/** Kept on this machine: so many, none longer unused than this. */
const MOST = 8;
const UNUSED_MS = 30 * 24 * 3600 * 1000;

/** Scripts of a project's own packages that run while it is installed, and so see the whole repository. */
const INSTALL_SCRIPTS = /^(pre|post)?(install|prepare)$|^prepublish$/;

/** Lock files, npm's first; only npm's say whose scripts run. */
const LOCKS = Object.keys(MANAGER_LOCKS);
/** What managers are told besides. */
const SETTINGS = ['.npmrc', '.yarnrc', '.yarnrc.yml', 'pnpm-workspace.yaml', '.pnpmfile.cjs'];
/** Without it, yarn takes nothing for installed. */
const YARN_STATE = '.yarn/install-state.gz';

const lockSchema = z.looseObject({
  packages: z.record(z.string(), z.looseObject({ hasInstallScript: z.boolean().optional() })).optional(),
});
const packageSchema = z.looseObject({ scripts: z.record(z.string(), z.unknown()).optional() });

export interface KeptDependencies {
  /** Folder in the cache. */
  readonly path: string;
  /**
   * Packages among them run scripts when they are installed, which may look at the repository; null: what was
   * installed tells.
   */
  readonly scripts: boolean | null;
}

/**
 * Where the dependencies of a working tree are kept; undefined: they depend on more than the lock file.
 * @param folder with the lock file
 * @param tools Node's version, npm's, and its options
 */
export async function keptDependencies(
  tree: string,
  folder: string,
  manager: ManagerName,
  tools: readonly string[],
  context: Context,
): Promise<KeptDependencies | undefined> {
  const root = join(tree, folder);
  const lock = await firstText(
    root,
    LOCKS.filter((name) => MANAGER_LOCKS[name] === manager),
  );
  if (lock === undefined) return undefined;
  const manifests: [string, unknown][] = [];
  for (const path of await packageFiles(root)) {
    const manifest = packageSchema.safeParse(parsed(await readFile(path, 'utf8')));
    if (!manifest.success) return undefined;
    const { scripts = {}, ...rest } = manifest.data;
    if (Object.keys(scripts).some((name) => INSTALL_SCRIPTS.test(name))) return undefined;
    manifests.push([relative(root, path), deciding(rest)]);
  }
  const settings = await Promise.all(SETTINGS.map((name) => firstText(root, [name])));
  const { packages } = lockSchema.safeParse(parsed(lock)).data ?? {};
  const input = [FORMAT, ...tools, process.platform, process.arch, lock, settings, manifests];
  const key = createHash('sha256').update(JSON.stringify(input)).digest('hex').slice(0, 32);
  return {
    path: cachePath(context, 'dependencies', key),
    // Lock files of npm 6 do not say it.
    scripts:
      manager === 'npm'
        ? packages === undefined || Object.values(packages).some((one) => one.hasInstallScript === true)
        : null,
  };
}

const keptSchema = z.object({ folders: z.array(z.string()), scripts: z.boolean() });

/**
 * Lays them into the working tree.
 * @returns whether scripts of theirs are to run; undefined: they are not kept, or could not be copied whole
 */
export async function restoreDependencies(
  { path, scripts }: KeptDependencies,
  root: string,
  context: Context,
): Promise<boolean | undefined> {
  const text = await readFile(join(path, 'kept.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const kept = keptSchema.parse(JSON.parse(text));
  const names = kept.folders;
  for (const [index, name] of names.entries()) {
    // Some commit theirs; npm ci would begin anew, too.
    await rm(join(root, name), { recursive: true, force: true });
    await mkdir(dirname(join(root, name)), { recursive: true });
    if (await copy(join(path, String(index)), join(root, name), context)) continue;
    await Promise.all(names.map((one) => rm(join(root, one), { recursive: true, force: true })));
    return undefined;
  }
  await utimes(path, context.now(), context.now());
  return scripts ?? kept.scripts;
}

/** Keeps them, and throws away what nobody used for long. A copy that fails is no failure of the build. */
export async function keepDependencies(
  { path, scripts: told }: KeptDependencies,
  root: string,
  canRebuild: boolean,
  context: Context,
): Promise<void> {
  const made = `${path}.${process.pid}`;
  try {
    await mkdir(made, { recursive: true });
    const modules = await moduleFolders(root);
    const scripts = told ?? (await someInstallScript(modules));
    if (scripts && !canRebuild) return;
    const state = join(root, YARN_STATE);
    const yarn = (await stat(state).catch(() => undefined)) !== undefined;
    const folders = yarn ? [...modules, state] : modules;
    for (const [index, folder] of folders.entries()) {
      if (!(await copy(folder, join(made, String(index)), context))) return;
    }
    const names = folders.map((folder) => relative(root, folder));
    await writeFile(join(made, 'kept.json'), JSON.stringify({ folders: names, scripts }));
    await rm(path, { recursive: true, force: true });
    await rename(made, path).catch((error: NodeJS.ErrnoException) => {
      // Another build put the same there meanwhile.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  await pruneKept(dirname(path), context.now().getTime());
}

async function pruneKept(folder: string, now: number): Promise<void> {
  const found = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const path = join(folder, name);
      return { path, used: (await stat(path).catch(() => undefined))?.mtimeMs ?? now };
    }),
  );
  const old = found
    .toSorted((a, b) => b.used - a.used)
    .filter(({ used }, index) => index >= MOST || now - used > UNUSED_MS);
  await Promise.all(old.map(({ path }) => rm(path, { recursive: true, force: true })));
}

/** What of a package.json npm installs by; versions and names are those of links between workspaces. */
function deciding(manifest: Readonly<Record<string, unknown>>): unknown {
  const fields = ['name', 'version', 'bin', 'workspaces', 'overrides', 'resolutions', 'pnpm', 'engines'];
  fields.push('os', 'cpu');
  const wanted = Object.keys(manifest).filter(
    (name) => fields.includes(name) || /[dD]ependencies(Meta)?$/.test(name),
  );
  return wanted.sort().map((name) => [name, manifest[name]]);
}

/** Those of the repository itself, in a certain order. */
async function packageFiles(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  await walk(root, (path, name) => {
    if (name === 'package.json') found.push(path);
    return true;
  });
  return found.sort();
}

/** `node_modules` of the root and of its workspaces. */
async function moduleFolders(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  await walk(root, (path, name) => {
    if (name !== 'node_modules') return true;
    found.push(path);
    return false;
  });
  return found.sort();
}

/** Whether a package that was installed has scripts for that; a `binding.gyp` stands for one. */
async function someInstallScript(folders: readonly string[]): Promise<boolean> {
  const manifests: string[] = [];
  let found = false;
  for (const folder of folders) {
    await walk(folder, (path, name) => {
      if (name === 'package.json') manifests.push(path);
      found ||= name === 'binding.gyp';
      return true;
    });
  }
  for (const path of manifests) {
    if (found) return true;
    const { scripts = {} } = packageSchema.safeParse(parsed(await readFile(path, 'utf8'))).data ?? {};
    found = ['preinstall', 'install', 'postinstall'].some((name) => scripts[name] !== undefined);
  }
  return found;
}

/** Every file and folder that is no link; `visit` says whether a folder is entered. */
async function walk(folder: string, visit: (path: string, name: string) => boolean): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) visit(path, entry.name);
    if (entry.isDirectory() && entry.name !== '.git' && visit(path, entry.name)) await walk(path, visit);
  }
}

/** The whole folder with its links and times, by sharing blocks where the file system can. */
async function copy(from: string, to: string, context: Context): Promise<boolean> {
  const done = await runTool('cp', ['-a', '--reflink=auto', from, to], context);
  return done.exitCode === 0;
}

async function firstText(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Undefined for what is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
