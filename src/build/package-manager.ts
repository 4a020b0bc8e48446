/** Which package manager installs a repository's dependencies, and in which version it asks for it. Pure. */
import { posix } from 'node:path';
import * as z from 'zod';

export type ManagerName = 'npm' | 'pnpm' | 'yarn';

/** What a repository asks for. */
export interface ManagerWish {
  readonly name: ManagerName;
  /** Range of versions; absent: what reads the lock file, and runs on the chosen Node. */
  readonly range?: string | undefined;
  /** Where it says so, e.g. `packageManager`. */
  readonly from?: string | undefined;
}

/** By name of the file, nearest first where a folder has several. */
export const MANAGER_LOCKS: Readonly<Record<string, ManagerName>> = {
  'npm-shrinkwrap.json': 'npm',
  'package-lock.json': 'npm',
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
};

const text = z.string().optional().catch(undefined);
const managers = z.looseObject({ npm: text, pnpm: text, yarn: text }).optional().catch(undefined);
const tool = z.looseObject({ name: z.string(), version: text });
const saidSchema = z.looseObject({
  packageManager: text,
  devEngines: z
    .looseObject({ packageManager: z.union([tool, z.array(tool)]).optional() })
    .optional()
    .catch(undefined),
  volta: managers,
  engines: managers,
});

/** `packageManager` of a package.json: whom it names. */
export function namedManager(manifest: unknown): string | undefined {
  const { packageManager } = saidSchema.safeParse(manifest).data ?? {};
  return /^(\w+)@/.exec(packageManager ?? '')?.[1];
}

/** What these package.json say of a manager, the first one that says anything. */
export function managerWish(name: ManagerName, manifests: readonly unknown[]): ManagerWish {
  for (const manifest of manifests) {
    const said = saidSchema.safeParse(manifest).data;
    const exact = new RegExp(`^${name}@([^+]+)`).exec(said?.packageManager ?? '')?.[1];
    const tools = [said?.devEngines?.packageManager ?? []].flat();
    const wishes = {
      packageManager: exact,
      'devEngines.packageManager': tools.find((one) => one.name === name)?.version,
      [`volta.${name}`]: said?.volta?.[name],
      [`engines.${name}`]: said?.engines?.[name],
    };
    const [found] = Object.entries(wishes).filter(([, range]) => range !== undefined);
    if (found !== undefined) return { name, range: found[1], from: found[0] };
  }
  return { name };
}

/** Major version of the format, as the lock file says it; undefined where it is none. */
export function lockFormat(name: Exclude<ManagerName, 'npm'>, lock: string): number | undefined {
  const said =
    name === 'pnpm'
      ? /^lockfileVersion:\s*['"]?(\d+)/m.exec(lock)?.[1]
      : (/^# yarn lockfile v(1)/m.exec(lock)?.[1] ?? /^__metadata:\s*\n\s+version:\s*(\d+)/m.exec(lock)?.[1]);
  return said === undefined ? undefined : Number(said);
}

/** Name in the registry. */
export function packageOf(name: ManagerName, version: string): string {
  return name === 'yarn' && !version.startsWith('1.') ? '@yarnpkg/cli-dist' : name;
}

/** Settings of theirs that npm's own do not reach. */
export function managerEnvironment(registry: string): Readonly<Record<string, string>> {
  return {
    npm_config_registry: registry,
    YARN_NPM_REGISTRY_SERVER: registry.replace(/\/$/, ''),
    // A start command finds its modules in node_modules; what a build changes there is nobody else's.
    YARN_NODE_LINKER: 'node-modules',
    YARN_ENABLE_TELEMETRY: '0',
    npm_config_package_import_method: 'copy',
    // The version is what the repository asks for already.
    npm_config_manage_package_manager_versions: 'false',
    COREPACK_ENABLE_STRICT: '0',
  };
}

/** The file that makes a folder the root of a workspace, for those that have one. */
export function workspaceFile(folder: string): string {
  return posix.join(folder, 'pnpm-workspace.yaml');
}
