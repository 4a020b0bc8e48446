/** How an application is built: decided from its definition and a few files of its repository. Pure. */
import { posix } from 'node:path';
import * as z from 'zod';
import { isCommand } from '../config/command-schema.ts';
import type { AppConfig } from '../config/schema.ts';
import { Failure } from '../errors.ts';
import {
  COMMAND_FILES,
  COMMAND_SIGNS,
  type CommandRecipe,
  commandRecipe,
  languagesIn,
} from './command-recipe.ts';
import { BUN_LOCKS, engineIn } from './engine-recipe.ts';
import { folderOf, upwards } from './folders.ts';
import { type NodeWish, nodeWish } from './node-version.ts';
import {
  lockFormat,
  MANAGER_LOCKS,
  type ManagerWish,
  managerWish,
  namedManager,
  workspaceFile,
} from './package-manager.ts';
import type { SourceFiles } from './source-files.ts';

interface CommonRecipe {
  /** Folder of the service in the repository; empty: its root. */
  readonly directory: string;
}

export interface NodeRecipe extends CommonRecipe {
  readonly runtime: 'node';
  readonly node: NodeWish;
  /** Folder with the lock file; `null`: no dependencies, nothing to install. */
  readonly lockFolder: string | null;
  readonly lockfileVersion: number;
  /** Who installs; absent: npm, in the version that fits lock file and Node. */
  readonly manager?: ManagerWish | undefined;
  /**
   * The package itself has scripts that npm runs while it installs, so its development dependencies are
   * needed there.
   */
  readonly ownInstallScripts: boolean;
  /** Shell command, run with the development dependencies in place. */
  readonly build: string | null;
  readonly start: string;
}

/** Files that nginx serves; built with Node where there is a build command. */
export interface StaticRecipe extends CommonRecipe {
  readonly runtime: 'static';
  readonly build: (Omit<NodeRecipe, 'runtime' | 'start' | 'build'> & { readonly build: string }) | null;
}

/** A WAR, built by Maven or by a command. */
export interface TomcatRecipe extends CommonRecipe {
  readonly runtime: 'tomcat';
  /** Shell command; `null`: Maven, the ordinary way. */
  readonly build: string | null;
  /** Where the WAR is afterwards, relative to the directory; a `*` stands for any name. */
  readonly artifact: string;
}

export type Recipe = NodeRecipe | StaticRecipe | TomcatRecipe | CommandRecipe;

const LOCK_FILES = Object.keys(MANAGER_LOCKS);
const ENTRY_FILES = ['server.js', 'index.js', 'app.js'] as const;
const READ = ['package.json', 'pom.xml', '.nvmrc', '.node-version', '.tool-versions', ...LOCK_FILES];

const packageSchema = z.looseObject({
  main: z.string().optional(),
  volta: z.looseObject({ node: z.string().optional() }).optional().catch(undefined),
  engines: z.looseObject({ node: z.string().optional() }).optional().catch(undefined),
  scripts: z.record(z.string(), z.string()).default({}),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
type Package = z.output<typeof packageSchema>;

/** Every path that decides something, and those among them whose text does. */
export function decidingPaths(definition: AppConfig): { readonly all: string[]; readonly read: string[] } {
  const directory = folderOf(definition);
  const read: string[] = [];
  const all: string[] = [];
  for (const folder of upwards(directory)) {
    read.push(...READ.map((name) => posix.join(folder, name)));
    all.push(workspaceFile(folder), ...BUN_LOCKS.map((name) => posix.join(folder, name)));
  }
  read.push(...COMMAND_FILES.map((name) => posix.join(directory, name)));
  all.push(...read, ...[...ENTRY_FILES, ...COMMAND_SIGNS].map((name) => posix.join(directory, name)));
  all.push(posix.join(directory, 'index.html'), ...(directory === '' ? [] : [directory]));
  return { all: [...new Set(all)], read: [...new Set(read)] };
}

/**
 * The recipe.
 * @throws Failure kind `usage` where the repository has not what the definition says, or no lock file.
 */
export function recipe(app: string, definition: AppConfig, files: SourceFiles): Recipe {
  const directory = folderOf(definition);
  if (directory !== '' && !files.existing.has(directory)) {
    throw new Failure('usage', `${app}: there is no folder ${directory} in the repository at this commit.`, {
      next: `Correct directory: of ${app} in pipeline.yml, or choose another ref.`,
    });
  }
  const at = (name: string) => posix.join(directory, name);
  const runtime = definition.runtime ?? guessRuntime(app, directory, files);
  if (isCommand(runtime)) return commandRecipe(app, definition, directory, files);
  if (definition.build_on === 'host') {
    throw new Failure('usage', `${app}: build_on is host, and ${runtime} applications are built here.`, {
      next: `Remove build_on of ${app} in pipeline.yml.`,
    });
  }
  if (runtime === 'tomcat') {
    return {
      runtime,
      directory,
      build: definition.build ?? null,
      artifact: definition.artifact ?? 'target/*.war',
    };
  }
  const text = files.text[at('package.json')];
  if (runtime === 'static') {
    const has = text !== undefined && parsePackage(app, at('package.json'), text).scripts.build !== undefined;
    if (definition.build === undefined && !has) return { runtime, directory, build: null };
    const installed = installation(app, definition, directory, files);
    const build = definition.build ?? `${installed.manager?.name ?? 'npm'} run build`;
    return { runtime, directory, build: { ...installed, build } };
  }
  if (text === undefined) {
    throw new Failure(
      'usage',
      `${app}: there is no ${at('package.json')} in the repository at this commit.`,
      {
        next:
          `Name the folder of the service with directory: of ${app} in pipeline.yml, or choose another ` +
          'ref.',
      },
    );
  }
  const manifest = parsePackage(app, at('package.json'), text);
  const installed = installation(app, definition, directory, files);
  const manager = installed.manager?.name ?? 'npm';
  return {
    runtime,
    ...installed,
    build: definition.build ?? (manifest.scripts.build === undefined ? null : `${manager} run build`),
    start: definition.start ?? startOf(app, directory, manifest, files),
  };
}

function guessRuntime(app: string, directory: string, files: SourceFiles): Recipe['runtime'] {
  const languages = languagesIn(directory, files);
  const manifest = files.existing.has(posix.join(directory, 'package.json'));
  if (engineIn(directory, files) !== undefined) return 'command';
  // Others have one for their pages' scripts: then it does not say how a service starts.
  if (manifest && (languages.length === 0 || startsNode(directory, files))) return 'node';
  const pom = files.text[posix.join(directory, 'pom.xml')];
  if (pom !== undefined && /<packaging>\s*war\s*<\/packaging>/.test(pom)) return 'tomcat';
  if (languages.length > 0) return 'command';
  if (files.existing.has(posix.join(directory, 'index.html'))) return 'static';
  const where = directory === '' ? 'The repository' : `Its folder ${directory}`;
  throw new Failure('usage', `${app}: what kind of application this is cannot be told.`, {
    output: [
      `${where} has no package.json, no pom.xml of packaging war, no requirements.txt, go.mod or ` +
        'Gemfile.lock, and no index.html at this commit.',
    ],
    next:
      `Name the folder with directory: of ${app} in pipeline.yml, or the kind with runtime: (any program ` +
      'with runtime: command, build: and start:).',
  });
}

/** Whether package.json says how a service starts. */
function startsNode(directory: string, files: SourceFiles): boolean {
  const manifest = packageSchema.safeParse(
    parseJson(files.text[posix.join(directory, 'package.json')] ?? ''),
  ).data;
  if (manifest?.scripts.start !== undefined || manifest?.main !== undefined) return true;
  return ENTRY_FILES.some((name) => files.existing.has(posix.join(directory, name)));
}

/** Node version, lock file and whether the package's own scripts run at installation. */
function installation(app: string, definition: AppConfig, directory: string, files: SourceFiles) {
  const path = posix.join(directory, 'package.json');
  const manifest = parsePackage(app, path, files.text[path] ?? '{}');
  const nearest = (name: string) =>
    upwards(directory)
      .map((folder) => files.text[posix.join(folder, name)])
      .find((text) => text !== undefined);
  const node = nodeWish({
    config: definition.node,
    nvmrc: nearest('.nvmrc'),
    nodeVersion: nearest('.node-version'),
    toolVersions: nearest('.tool-versions'),
    volta: manifest.volta?.node,
    engines: manifest.engines?.node,
  });
  const lock = findLock(app, directory, manifest, files);
  return {
    directory,
    node,
    lockFolder: lock?.folder ?? null,
    lockfileVersion: lock?.version ?? 0,
    ...(lock === undefined || isUsual(lock.manager) ? {} : { manager: lock.manager }),
    ownInstallScripts: [
      'preinstall',
      'install',
      'postinstall',
      'prepublish',
      'preprepare',
      'prepare',
      'postprepare',
    ].some((name) => manifest.scripts[name] !== undefined),
  };
}

/** npm, and nobody says which. */
function isUsual({ name, range }: ManagerWish): boolean {
  return name === 'npm' && range === undefined;
}

/** The nearest lock file, upwards from the service: in a workspace it lies in the root. */
function findLock(app: string, directory: string, manifest: Package, files: SourceFiles) {
  const packageAt = (folder: string) => parseJson(files.text[posix.join(folder, 'package.json')] ?? '');
  for (const folder of upwards(directory)) {
    const there = LOCK_FILES.filter((name) => files.text[posix.join(folder, name)] !== undefined);
    const named = namedManager(packageAt(folder));
    const chosen = there.find((name) => MANAGER_LOCKS[name] === named) ?? there[0];
    const manager = MANAGER_LOCKS[chosen ?? ''];
    if (chosen === undefined || manager === undefined) continue;
    if (folder !== directory && !isRoot(folder, manager, files)) continue;
    const path = posix.join(folder, chosen);
    const text = files.text[path] ?? '';
    const version = manager === 'npm' ? lockVersion(app, path, text) : lockFormat(manager, text);
    if (version === undefined) {
      throw new Failure('usage', `${app}: ${path} is no lock file of ${manager} at this commit.`, {
        next: `Make it anew and commit it: ${manager} install.`,
      });
    }
    return { folder, version, manager: managerWish(manager, [packageAt(folder), packageAt(directory)]) };
  }
  const dependencies = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies];
  if (dependencies.every((some) => Object.keys(some).length === 0)) return undefined;
  throw noLock(app, directory, files);
}

function noLock(app: string, directory: string, files: SourceFiles): Failure {
  const where = directory === '' ? '' : `cd ${directory} && `;
  const other = upwards(directory)
    .flatMap((folder) => BUN_LOCKS.map((name) => posix.join(folder, name)))
    .find((path) => files.existing.has(path));
  const has = other === undefined ? '' : ` (${other} is one of bun)`;
  return new Failure(
    'usage',
    `${app} has no lock file of npm, pnpm or yarn at this commit${has}, so its dependencies are not fixed.`,
    {
      next:
        `Make one and commit it: ${where}npm install --package-lock-only && git add package-lock.json ` +
        `&& git commit.` +
        (other === undefined ? '' : ` Or run it on Bun: runtime: bun of ${app} in pipeline.yml.`),
    },
  );
}

/** Whether a lock file there is for the packages below, too. */
function isRoot(folder: string, manager: ManagerWish['name'], files: SourceFiles): boolean {
  return manager === 'pnpm' ? files.existing.has(workspaceFile(folder)) : hasWorkspaces(folder, files);
}

function hasWorkspaces(folder: string, files: SourceFiles): boolean {
  const manifest = parseJson(files.text[posix.join(folder, 'package.json')] ?? '');
  return z.looseObject({ workspaces: z.unknown() }).safeParse(manifest).data?.workspaces !== undefined;
}

function lockVersion(app: string, path: string, text: string): number {
  const version = z.looseObject({ lockfileVersion: z.int().default(1) }).safeParse(parseJson(text));
  if (version.success) return version.data.lockfileVersion;
  throw new Failure('usage', `${app}: ${path} is no lock file of npm at this commit.`, {
    next: 'Make it anew and commit it: rm package-lock.json && npm install --package-lock-only.',
  });
}

/** `scripts.start` with its `prestart`, else what npm starts by itself, else `main`. */
function startOf(app: string, directory: string, manifest: Package, files: SourceFiles): string {
  const { start, prestart } = manifest.scripts;
  if (start !== undefined) {
    requireNode(app, start, manifest);
    return prestart === undefined ? start : `${prestart} && ${start}`;
  }
  const has = (name: string) => files.existing.has(posix.join(directory, name));
  const entry = has('server.js') ? 'server.js' : (manifest.main ?? ENTRY_FILES.find(has));
  if (entry !== undefined)
    return `node ${/^[\w./-]+$/.test(entry) ? entry : `'${entry.replaceAll("'", "'\\''")}'`}`;
  throw new Failure('usage', `${app}: how the service is started cannot be told.`, {
    next:
      `Add scripts.start to ${posix.join(directory, 'package.json')}, or start: of ${app} in ` +
      'pipeline.yml.',
  });
}

/** Hosts have Node: what another runtime starts would end with 127 there. */
function requireNode(app: string, start: string, { dependencies }: Package): void {
  const other = /^(bun|bunx|deno)\b/.exec(start.trim())?.[1];
  if (other === undefined || other in dependencies) return;
  throw new Failure('usage', `${app} starts with ${other} ("${start}"), and hosts run it with Node.`, {
    next:
      `Start it with Node ("start": "node …", or start: of ${app} in pipeline.yml), or let it run on ` +
      `${other === 'deno' ? 'Deno: runtime: deno' : 'Bun: runtime: bun'}.`,
  });
}

function parsePackage(app: string, path: string, text: string): Package {
  const parsed = packageSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new Failure(
    'usage',
    `${app}: ${path} is not a package.json that npm can read${where} at this commit.`,
    {
      next: 'Correct it and commit, or choose another ref.',
    },
  );
}

/** Undefined for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
