/** How services that run on Bun or Deno are installed, built and started. Pure. */
import { posix } from 'node:path';
import * as z from 'zod';
import { LANGUAGE_SIGNS, LANGUAGES } from '../config/languages.ts';
import type { EngineName } from '../contract/tools.ts';
import { Failure } from '../errors.ts';
import { upwards } from './folders.ts';
import { MANAGER_LOCKS } from './package-manager.ts';
import type { SourceFiles } from './source-files.ts';

/** A program that comes to hosts from npm's registry, as Node does. */
export interface EngineRecipe {
  readonly name: EngineName;
  /** A semver range. */
  readonly range: string;
  /** Where it says so. */
  readonly from: string;
  /** Folder whose dependencies are installed; null: there are none. */
  readonly install: string | null;
  /** Files whose imports are fetched as well; Deno's. */
  readonly entries: readonly string[];
}

export const BUN_LOCKS = ['bun.lock', 'bun.lockb'] as const;
/** Read beside package.json. */
export const ENGINE_FILES = ['deno.json', 'deno.jsonc', '.bun-version', '.deno-version', '.tool-versions'];

const words = z.record(z.string(), z.string()).default({}).catch({});
const packageSchema = z.looseObject({
  main: z.string().optional(),
  module: z.string().optional(),
  packageManager: z.string().optional(),
  engines: words,
  scripts: words,
  dependencies: words,
  devDependencies: words,
});
const task = z.union([
  z.string(),
  z.looseObject({ command: z.string() }).transform(({ command }) => command),
]);
const denoSchema = z.looseObject({
  tasks: z.record(z.string(), task).default({}).catch({}),
  imports: words,
  lock: z.unknown().optional(),
});

/** What package.json, or a start command in it, says of who runs it; undefined: Node, or nothing. */
function engineOfStart(start: string | undefined): EngineName | undefined {
  const program = /^(bun|bunx|deno)\b/.exec(start?.trim() ?? '')?.[1];
  return program === undefined ? undefined : program === 'deno' ? 'deno' : 'bun';
}

/**
 * Bun or Deno, where package.json starts with it, or where its files are the only ones of their kind;
 * undefined: others' conventions hold.
 */
export function engineIn(directory: string, files: SourceFiles): 'bun' | 'deno' | undefined {
  const has = (name: string) => files.existing.has(posix.join(directory, name));
  const others = LANGUAGES.filter((one) => one !== 'bun' && one !== 'deno').flatMap(
    (one) => LANGUAGE_SIGNS[one],
  );
  if ([...Object.keys(MANAGER_LOCKS), ...others].some(has)) return undefined;
  const text = files.text[posix.join(directory, 'package.json')];
  // What cannot be read is said where it is needed.
  const { scripts = {}, dependencies = {} } = packageSchema.safeParse(json(text ?? '')).data ?? {};
  const named = engineOfStart(scripts.start);
  if (named === 'bun' || named === 'deno') return named in dependencies ? undefined : named;
  if (text !== undefined && BUN_LOCKS.some(has)) return 'bun';
  return scripts.start === undefined && LANGUAGE_SIGNS.deno.some(has) ? 'deno' : undefined;
}

/** How it is built and started by the conventions; null: they do not say. */
export interface EngineConvention {
  readonly engine: EngineRecipe;
  readonly build: string | null;
  readonly start: string | null;
}

/** @throws Failure kind `usage` where nothing fixes the dependencies */
export function engineConvention(
  app: string,
  name: EngineName,
  directory: string,
  files: SourceFiles,
  start: string | undefined,
): EngineConvention {
  const at = (file: string) => files.text[posix.join(directory, file)];
  const read = <T>(file: string, schema: z.ZodType<T>): T => {
    const text = at(file);
    const result = schema.safeParse(text === undefined ? {} : json(text));
    if (result.success) return result.data;
    throw unreadable(app, posix.join(directory, file));
  };
  const manifest = read('package.json', packageSchema);
  const wish = version(name, manifest, at);
  if (name === 'bun') {
    const install = bunFolder(app, directory, manifest, files);
    const own = bunStart(directory, manifest, files);
    const { build } = manifest.scripts;
    const engine = { name, ...wish, install, entries: [] };
    return { engine, build: build === undefined ? null : 'bun run build', start: start ?? own };
  }
  const { tasks, imports, lock } = read(
    at('deno.json') === undefined ? 'deno.jsonc' : 'deno.json',
    denoSchema,
  );
  const wants = Object.keys({ ...imports, ...manifest.dependencies });
  const locked = typeof lock === 'string' ? lock : 'deno.lock';
  if (wants.length > 0 && !files.existing.has(posix.join(directory, locked))) {
    throw noLock(app, locked, 'deno install', directory);
  }
  const own = start ?? (engineOfStart(tasks.start) === 'deno' ? tasks.start : undefined);
  const began = own ?? (tasks.start === undefined ? undefined : 'deno task start') ?? manifest.scripts.start;
  const entries = /(?<=\s)[\w./-]+\.[cm]?[jt]sx?\b/.exec(began ?? '');
  const engine = { name, ...wish, install: directory, entries: entries === null ? [] : [entries[0]] };
  return { engine, build: tasks.build === undefined ? null : 'deno task build', start: began ?? null };
}

function version(
  name: EngineName,
  manifest: z.output<typeof packageSchema>,
  at: (file: string) => string | undefined,
): Pick<EngineRecipe, 'range' | 'from'> {
  const said = {
    packageManager: new RegExp(`^${name}@([^+]+)`).exec(manifest.packageManager ?? '')?.[1],
    [`.${name}-version`]: at(`.${name}-version`)?.trim(),
    '.tool-versions': new RegExp(`^${name}[ \\t]+(\\S+)`, 'm').exec(at('.tool-versions') ?? '')?.[1],
    [`engines.${name} of package.json`]: manifest.engines[name],
  };
  const found = Object.entries(said).find(([, range]) => range !== undefined && range !== '');
  return { range: found?.[1]?.replace(/^v(?=\d)/, '') ?? '*', from: found?.[0] ?? 'default' };
}

/** Folder of the lock file: in a workspace it lies in the root. */
function bunFolder(
  app: string,
  directory: string,
  { dependencies, devDependencies }: z.output<typeof packageSchema>,
  files: SourceFiles,
): string | null {
  const locked = upwards(directory).find((folder) =>
    BUN_LOCKS.some((lock) => files.existing.has(posix.join(folder, lock))),
  );
  if (locked !== undefined) return locked;
  if (Object.keys({ ...dependencies, ...devDependencies }).length === 0) return null;
  throw noLock(app, 'bun.lock', 'bun install', directory);
}

function bunStart(
  directory: string,
  { scripts, module, main }: z.output<typeof packageSchema>,
  files: SourceFiles,
): string | null {
  const { start } = scripts;
  if (engineOfStart(start) === 'bun' && start !== undefined) return start;
  // Bun stands for node then, which hosts of Bun do not have.
  if (start !== undefined) return 'bun --bun run start';
  const entry = module ?? main ?? BUN_ENTRIES.find((name) => files.existing.has(posix.join(directory, name)));
  return entry === undefined || /[^\w./-]/.test(entry) ? null : `bun ${entry}`;
}

/** What Bun's own generator makes. */
export const BUN_ENTRIES = ['index.ts', 'server.ts', 'index.js', 'server.js'] as const;

function unreadable(app: string, path: string): Failure {
  return new Failure('usage', `${app}: ${path} cannot be read as JSON of its kind at this commit.`, {
    next: 'Correct it and commit, or choose another ref.',
  });
}

function noLock(app: string, lock: string, command: string, directory: string): Failure {
  const where = directory === '' ? '' : `cd ${directory} && `;
  return new Failure('usage', `${app} has no ${lock} at this commit, so its dependencies are not fixed.`, {
    next: `Make it and commit it: ${where}${command} && git add ${lock} && git commit.`,
  });
}

/** JSON with comments and trailing commas, as deno.jsonc may have; undefined where it is none. */
function json(text: string): unknown {
  const plain = text
    .replace(/^\uFEFF/, '')
    .replaceAll(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[\s\S]*?\*\//g, '$1')
    .replaceAll(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, '$1');
  try {
    return JSON.parse(plain);
  } catch {
    return undefined;
  }
}
