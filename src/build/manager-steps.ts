/** The package manager at work: its exact version, and the commands of a build with pnpm or yarn. */
import { createHash } from 'node:crypto';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { cachePath } from './cache.ts';
import type { ManagerName, ManagerWish } from './package-manager.ts';
import type { NodeRecipe } from './recipe.ts';
import { keptForADay, versionsInRange } from './registry.ts';
import yarnProduction from './yarn-production.sh' with { type: 'text' };

/** One command of a build. */
export interface BuildStep {
  readonly label: string;
  readonly argv: readonly string[];
  /** Relative to the working tree. */
  readonly folder: string;
}

/** The line of versions that wrote a lock file of this format. */
function usualRange(name: Exclude<ManagerName, 'npm'>, format: number): string {
  if (name === 'pnpm') return format >= 9 ? '9' : format >= 6 ? '8' : '7';
  return format === 1 ? '1' : format >= 8 ? '4' : '3';
}

/**
 * The exact version. Of a range, one that usually writes such lock files where there is one, else the newest;
 * `usual` is that of npm.
 * @throws Failure kind `usage` where there is none
 */
export async function resolveManager(
  app: string,
  wish: ManagerWish,
  format: number,
  usual: string | undefined,
  context: Context,
): Promise<string> {
  const { name, range } = wish;
  if (range !== undefined && /^\d+\.\d+\.\d+$/.test(range)) return range;
  if (name === 'npm' && range === undefined && usual !== undefined) return usual;
  const likely = name === 'npm' ? (usual ?? '*') : usualRange(name, format);
  const wanted = range ?? likely;
  const key = createHash('sha256')
    .update(JSON.stringify([name, wanted, likely]))
    .digest('hex')
    .slice(0, 16);
  return keptForADay(cachePath(context, 'node', 'managers', key), context, async () => {
    const modern = name === 'yarn' && likely !== '1';
    const of = async (one: string) => {
      const all = await versionsInRange(modern ? '@yarnpkg/cli-dist' : name, one, context);
      return all
        .filter((version) => /^\d+\.\d+\.\d+$/.test(version))
        .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
    };
    const [asked, probable] = await Promise.all([of(wanted), of(likely)]);
    const chosen = asked.find((version) => probable.includes(version)) ?? asked[0];
    if (chosen !== undefined) return chosen;
    throw new Failure(
      'usage',
      `${app} asks for ${name} "${wanted}" (${wish.from ?? 'lock file'}): there is none.`,
      {
        next: 'Correct it in package.json and commit.',
      },
    );
  });
}

/**
 * The commands of pnpm and yarn, in order, as `buildSteps` has them for npm.
 */
export function managerSteps(
  { lockFolder, directory, build, ownInstallScripts }: Omit<NodeRecipe, 'runtime' | 'start'>,
  name: Exclude<ManagerName, 'npm'>,
  major: number,
): readonly BuildStep[] {
  const whole = build !== null || ownInstallScripts;
  const folder = lockFolder ?? '';
  const told = (...words: string[]): BuildStep => ({
    label: `${name} ${words[0] ?? ''}`,
    argv: [name, ...words],
    folder,
  });
  const steps: BuildStep[] = [];
  if (name === 'pnpm') steps.push(told('install', '--frozen-lockfile', whole ? '--prod=false' : '--prod'));
  else if (major > 1) steps.push(told('install', '--immutable'));
  else steps.push(told('install', '--frozen-lockfile', '--non-interactive', `--production=${!whole}`));
  if (build !== null) steps.push({ label: build, argv: ['sh', '-c', build], folder: directory });
  if (name === 'pnpm' && whole) {
    steps.push(told('install', '--frozen-lockfile', '--prod', '--ignore-scripts', '--prefer-offline'));
  } else if (name === 'yarn' && major === 1 && whole) {
    steps.push(
      told('install', '--frozen-lockfile', '--non-interactive', '--production=true', '--ignore-scripts'),
    );
  } else if (name === 'yarn' && major >= 4) {
    const focus = ['workspaces', 'focus', '--all', '--production'];
    steps.push({ label: 'yarn focus', argv: ['env', 'YARN_ENABLE_SCRIPTS=false', name, ...focus], folder });
  } else if (name === 'yarn' && major > 1) {
    steps.push({ label: 'yarn for production', argv: ['sh', '-c', yarnProduction], folder });
  }
  return steps;
}
