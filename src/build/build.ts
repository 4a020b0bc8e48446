/** From a git ref to an artifact, cached by commit. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import * as z from 'zod';
import type { AppConfig, Config } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { closest, Failure } from '../errors.ts';
import { writeFileAtomic } from '../files.ts';
import { redact } from '../redact.ts';
import type { Artifact } from './artifact.ts';
import { cachePath, exclusively } from './cache.ts';
import { buildCommand } from './command-build.ts';
import { commandArtifact } from './command-recipe.ts';
import { folderOf } from './folders.ts';
import { givenArtifact } from './given.ts';
import { addHostNpm } from './host-npm.ts';
import { buildNode } from './node-build.ts';
import { resolveEngine, resolveNode } from './node-runtime.ts';
import { boundTo, pack, sha256 } from './pack.ts';
import { includedFiles } from './python-recipe.ts';
import { decidingPaths, type NodeRecipe, type Recipe, recipe, type StaticRecipe } from './recipe.ts';
import {
  type Commit,
  checkOut,
  existingAt,
  lfsPointers,
  openSource,
  readAt,
  resolveRef,
  type Source,
} from './source.ts';
import { readWar } from './war.ts';
import { buildWar } from './war-build.ts';

export interface BuildOptions {
  /** This very file instead of a build: a WAR, a program or a .tar.gz, relative to the current folder. */
  readonly file?: string | undefined;
  /** Build again although the cache has it. */
  readonly fresh?: boolean | undefined;
}

/** Part of every cache key: raised where the same recipe gives another artifact. */
const FORMAT = 2;

/** What the cache remembers beside the file. */
const keptSchema = z.object({
  sha256: z.string(),
  bytes: z.int(),
  architecture: z.enum(['x64', 'arm64']).nullable(),
  servlet: z.enum(['javax', 'jakarta']).nullable().default(null),
  /** Where the build alone tells how the service starts. */
  start: z.string().optional(),
});

/**
 * The artifact of an application at a ref: from the cache, or built.
 * @param ref branch, tag or commit; absent: `ref:` of the definition, else the repository's default branch.
 * @throws Failure kind `usage` for an unknown application, source or ref, or a ref that cannot be built as it
 *   is (no lock file); kind `host` with
 * the last lines of its output where the build fails.
 */
export async function buildArtifact(
  config: Config,
  app: string,
  ref: string | undefined,
  context: Context,
  options: BuildOptions = {},
): Promise<Artifact> {
  const definition = appNamed(config, app);
  if (options.file !== undefined) return givenArtifact(app, definition, ref, options.file, context);
  const source = openSource(definition.source, config.directory, context);
  context.progress({ stage: 'source', state: 'started', detail: redact(definition.source) });
  const commit = await resolveRef(app, source, ref ?? definition.ref, context);
  context.progress({
    stage: 'source',
    state: 'done',
    detail: `${commit.ref} → ${commit.commit.slice(0, 7)}`,
  });

  const how = await readRecipe(app, definition, source, commit, context);
  const node = await nodeOf(app, how, context);
  const stem = stemOf(app, { source, commit, how, node }, context);
  const common = describe(app, commit, how, node, stem);

  context.progress({ stage: 'build', state: 'started' });
  try {
    return await exclusively(`${stem}.lock`, context, async () => {
      const kept = options.fresh === true ? undefined : await fromCache(stem, common.path);
      if (kept !== undefined) {
        context.progress({
          stage: 'build',
          state: 'done',
          detail: `cached (sha256 ${kept.sha256.slice(0, 8)}…)`,
        });
        return { ...common, ...kept, start: kept.start ?? common.start, cached: true, seconds: 0 };
      }
      const started = context.now().getTime();
      const made = await make(app, how, node, source, commit, { stem, path: common.path }, context);
      const seconds = (context.now().getTime() - started) / 1000;
      context.progress({ stage: 'build', state: 'done', detail: `sha256 ${made.sha256.slice(0, 8)}…` });
      return { ...common, ...made, start: made.start ?? common.start, cached: false, seconds };
    });
  } catch (error) {
    context.progress({ stage: 'build', state: 'failed' });
    throw error;
  }
}

interface Ingredients {
  readonly source: Source;
  readonly commit: Commit;
  readonly how: Recipe;
  readonly node: string | null;
}

/** Where the cache keeps it, without an ending. All that the artifact depends on is part of the name. */
function stemOf(app: string, { source, commit, how, node }: Ingredients, context: Context): string {
  const key = createHash('sha256')
    .update(
      JSON.stringify([FORMAT, source.address, commit.commit, how, node, process.platform, process.arch]),
    )
    .digest('hex');
  return cachePath(context, 'artifacts', app, `${commit.commit.slice(0, 12)}-${key.slice(0, 12)}`);
}

/** What is known of an artifact before it is made. */
function describe(app: string, commit: Commit, how: Recipe, node: string | null, stem: string) {
  return {
    app,
    ref: commit.ref,
    commit: commit.commit,
    subject: commit.subject,
    runtime: how.runtime,
    path: `${stem}${how.runtime === 'tomcat' ? '.war' : '.tar.gz'}`,
    node: how.runtime === 'node' || how.runtime === 'command' ? node : null,
    start: how.runtime === 'node' || how.runtime === 'command' ? how.start : null,
    ...(how.runtime === 'command' ? { command: commandArtifact(how) } : {}),
    directory: how.runtime === 'tomcat' ? '' : how.directory,
  };
}

/** The application's definition. @throws Failure kind `usage` where there is none of that name. */
export function appNamed(config: Config, app: string): AppConfig {
  const definition = config.apps[app];
  if (definition !== undefined) return definition;
  const names = Object.keys(config.apps);
  const near = closest(app, names);
  throw new Failure('usage', `There is no application "${app}" in ${config.path}.`, {
    next:
      near !== undefined
        ? `Did you mean "${near}"?`
        : names.length === 0
          ? 'Describe it under apps: there.'
          : `There are: ${names.join(', ')}.`,
  });
}

async function readRecipe(
  app: string,
  definition: AppConfig,
  source: Source,
  commit: Commit,
  context: Context,
): Promise<Recipe> {
  const paths = decidingPaths(definition);
  const existing = await existingAt(source, commit.commit, paths.all, context);
  const texts = await Promise.all(
    paths.read
      .filter((path) => existing.has(path))
      .map(async (path) => [path, (await readAt(source, commit.commit, path, context)) ?? ''] as const),
  );
  const text: Record<string, string> = Object.fromEntries(texts);
  await readIncluded(posix.join(folderOf(definition), 'requirements.txt'), text, (path) =>
    readAt(source, commit.commit, path, context),
  );
  return recipe(app, definition, { existing, text });
}

/** Adds the files that a requirements file includes, and those that they include. */
async function readIncluded(
  path: string,
  text: Record<string, string>,
  read: (path: string) => Promise<string | undefined>,
): Promise<void> {
  for (const included of includedFiles(path, text[path] ?? '')) {
    if (text[included] !== undefined || included.startsWith('../')) continue;
    const found = await read(included);
    if (found === undefined) continue;
    text[included] = found;
    await readIncluded(included, text, read);
  }
}

async function nodeOf(app: string, how: Recipe, context: Context): Promise<string | null> {
  if (how.runtime === 'command') return how.engine && resolveEngine(app, how.engine, context);
  const node = installationOf(how)?.node;
  return node === undefined ? null : resolveNode(app, node, context);
}

function installationOf(how: Recipe): Omit<NodeRecipe, 'runtime' | 'start'> | null {
  if (how.runtime === 'node') return how;
  return how.runtime === 'static' ? (how as StaticRecipe).build : null;
}

/** What the cache has, if the file is whole. */
async function fromCache(stem: string, path: string) {
  const text = await readFile(`${stem}.json`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const kept = keptSchema.safeParse(JSON.parse(text));
  const size = (await stat(path).catch(() => undefined))?.size;
  if (!kept.success || size !== kept.data.bytes || (await sha256(path)) !== kept.data.sha256)
    return undefined;
  return kept.data;
}

/** Builds in a folder whose name is the same every time: some tools write it into what they make. */
async function make(
  app: string,
  how: Recipe,
  node: string | null,
  source: Source,
  commit: Commit,
  target: { readonly stem: string; readonly path: string },
  context: Context,
): Promise<z.output<typeof keptSchema>> {
  const tree = `${target.stem}.tree`;
  const partial = `${target.stem}.partial`;
  try {
    await mkdir(tree, { recursive: true });
    await checkOut(source, commit.commit, tree, context);
    requireContents(app, await lfsPointers(tree, context));
    if (how.runtime === 'tomcat') {
      await copyFile(join(tree, await buildWar(app, how, tree, context)), partial);
      return await keep(app, how.runtime, null, target, partial);
    }
    const installation = installationOf(how);
    if (installation !== null && node !== null) await buildNode(app, installation, node, tree, context);
    if (how.runtime === 'static' && installation?.lockFolder != null) {
      await rm(join(tree, installation.lockFolder, 'node_modules'), { recursive: true, force: true });
    }
    if (how.runtime === 'node') await addHostNpm(tree, how.directory);
    const start = how.runtime === 'command' ? await buildCommand(app, how, node, tree, context) : undefined;
    const binary = how.runtime === 'node' || how.runtime === 'command';
    const architecture = binary ? await boundTo(tree) : null;
    if (architecture !== null && process.platform !== 'linux') {
      throw new Failure(
        'usage',
        `${app} has native modules, which were built for ${process.platform} here.`,
        {
          next: 'Build on a Linux machine.',
        },
      );
    }
    context.progress({ stage: 'build', state: 'running', detail: 'packing' });
    await pack(tree, partial, commit.time, context);
    return await keep(app, how.runtime, architecture, target, partial, start);
  } finally {
    await Promise.all([tree, partial].map((path) => rm(path, { recursive: true, force: true })));
  }
}

/** Puts a finished file into the cache, with what is remembered beside it. */
async function keep(
  app: string,
  runtime: Recipe['runtime'],
  architecture: Artifact['architecture'],
  target: { readonly stem: string; readonly path: string },
  partial: string,
  start?: string | undefined,
): Promise<z.output<typeof keptSchema>> {
  const servlet = runtime === 'tomcat' ? await readWar(app, partial) : null;
  const made = {
    sha256: await sha256(partial),
    bytes: (await stat(partial)).size,
    architecture,
    servlet,
    start,
  };
  await rename(partial, target.path);
  await writeFileAtomic(`${target.stem}.json`, JSON.stringify(made));
  return made;
}

/** A pointer would be shipped as if it were the picture or the archive that it stands for. */
function requireContents(app: string, pointers: readonly string[]): void {
  if (pointers.length === 0) return;
  const count = pointers.length === 1 ? '1 file is' : `${pointers.length} files are`;
  throw new Failure('usage', `${app}: ${count} kept by Git LFS, and git here has no LFS extension.`, {
    step: 'source',
    output: pointers.slice(0, 10),
    next: 'Install it (git-lfs, then "git lfs install") and run the command again.',
  });
}
