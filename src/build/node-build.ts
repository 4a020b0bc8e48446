/**
 * Installs a Node application's dependencies and builds it, with the very Node and npm that its recipe asks
 * for.
 */
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { runTool } from '../process/tool.ts';
import { keepDependencies, keptDependencies, restoreDependencies } from './dependency-cache.ts';
import { type BuildStep, managerSteps, resolveManager } from './manager-steps.ts';
import { managerForBuilds, nodeForBuilds, npmForBuilds } from './node-runtime.ts';
import { npmFor } from './node-version.ts';
import { type ManagerName, managerEnvironment } from './package-manager.ts';
import type { NodeRecipe } from './recipe.ts';

/** What of a recipe an installation needs; `build: null` where there is no build command. */
export type Installation = Omit<NodeRecipe, 'runtime' | 'start'>;

/**
 * The commands, in order. Development dependencies are installed only where something runs that may need
 * them, and are gone afterwards. `npm` is npm's major version: npm 6 spells its options differently.
 */
export function buildSteps(installation: Installation, npm: number): readonly BuildStep[] {
  const { lockFolder, directory, build, ownInstallScripts } = installation;
  const whole = build !== null || ownInstallScripts;
  const [including, omitting] =
    npm > 6 ? ['--include=dev', '--omit=dev'] : ['--also=development', '--production'];
  const steps: BuildStep[] = [];
  const npmStep = (label: string, ...options: string[]) =>
    steps.push({ label, argv: ['npm', ...label.split(' ').slice(1), ...options], folder: lockFolder ?? '' });
  if (lockFolder !== null) npmStep('npm ci', whole ? including : omitting);
  if (build !== null) steps.push({ label: build, argv: ['sh', '-c', build], folder: directory });
  // The package's own scripts have had their turn: they may need what is gone now.
  if (lockFolder !== null && whole) npmStep('npm prune', omitting, '--ignore-scripts');
  return steps;
}

/**
 * Runs the steps in the working tree.
 * @throws Failure kind `host` (exit 3) with the step and its last lines where one fails; kind `usage` where
 *   no npm fits.
 */
export async function buildNode(
  app: string,
  installation: Installation,
  version: string,
  tree: string,
  context: Context,
): Promise<void> {
  const { name, exact, env } = await tools(app, installation, version, context);
  const major = Number(exact.split('.')[0]);
  const steps = name === 'npm' ? buildSteps(installation, major) : managerSteps(installation, name, major);
  const runStep = async (step: BuildStep) => {
    const [program = '', ...args] = step.argv;
    context.progress({ stage: 'build', state: 'running', detail: step.label });
    const done = await runTool(program, args, context, {
      cwd: join(tree, step.folder),
      env,
      onLine: (line) =>
        context.progress({ stage: 'build', state: 'running', detail: `${step.label}: ${line}` }),
    });
    if (done.exitCode === 0) return;
    throw new Failure(
      'host',
      `${app}: ${step.label} failed (exit ${done.exitCode}, Node ${version}, ${name} ${exact}).`,
      {
        step: 'build',
        output: told(done.lastLines),
        next: nextStep(done.lastLines),
      },
    );
  };
  const { lockFolder } = installation;
  for (const [index, step] of steps.entries()) {
    if (index === 0 && lockFolder !== null) {
      const manager = { name, rebuild: rebuildOf(name, major) };
      await install(step, tree, manager, [version, exact], runStep, context);
    } else await runStep(step);
  }
}

/** What runs the scripts of dependencies again; undefined: the manager has nothing for that. */
function rebuildOf(name: ManagerName, major: number): readonly string[] | undefined {
  return name === 'yarn' && major === 1 ? undefined : [name, 'rebuild'];
}

/** `npm ci`, and others' word for it, or what it installed for the same lock file before. */
async function install(
  step: BuildStep,
  tree: string,
  { name, rebuild }: { readonly name: ManagerName; readonly rebuild: readonly string[] | undefined },
  tools: readonly string[],
  runStep: (step: BuildStep) => Promise<void>,
  context: Context,
): Promise<void> {
  const root = join(tree, step.folder);
  const kept = await keptDependencies(tree, step.folder, name, [...tools, ...step.argv], context);
  if (kept === undefined) return runStep(step);
  const scripts = await restoreDependencies(kept, root, context);
  if (scripts !== undefined) {
    context.progress({ stage: 'build', state: 'running', detail: 'dependencies of the same lock file' });
    // Theirs may look at the repository, as those that generate code from it do.
    if (scripts && rebuild !== undefined) await runStep({ ...step, label: rebuild.join(' '), argv: rebuild });
    return;
  }
  await runStep(step);
  await keepDependencies(kept, root, rebuild !== undefined, context);
}

/** Node, npm and the package manager of a build, and the environment that finds them. */
async function tools(app: string, installation: Installation, version: string, context: Context) {
  const { lockfileVersion, manager = { name: 'npm' } } = installation;
  const { name } = manager;
  const reads = npmFor(version, name === 'npm' ? lockfileVersion : 0);
  if (reads === undefined && name === 'npm' && manager.range === undefined) {
    throw new Failure('usage', `${app}: no npm that runs on Node ${version} reads this lock file.`, {
      next:
        `Choose a newer Node with node: of ${app} in pipeline.yml or .nvmrc, or make the lock file with an ` +
        'older npm.',
    });
  }
  const exact = await resolveManager(app, manager, lockfileVersion, reads, context);
  const npm = name === 'npm' ? exact : reads;
  const [node, npmBin, ownBin] = await Promise.all([
    nodeForBuilds(version, context),
    npm === undefined ? undefined : npmForBuilds(npm, context),
    name === 'npm' ? undefined : managerForBuilds(name, exact, context),
  ]);
  const globalConfig = await runTool('npm', ['config', 'get', 'globalconfig'], context);
  const registry = await runTool('npm', ['config', 'get', 'registry'], context);
  const bins = [ownBin, npmBin].filter((bin) => bin !== undefined).join(':');
  const env = {
    ...buildEnvironment(context.env, node, bins, globalConfig.stdout.trim()),
    // As root, npm 6 would otherwise run scripts as nobody, who may not write here.
    ...(npm?.startsWith('6.') ? { npm_config_unsafe_perm: 'true' } : {}),
    ...(name === 'npm' ? {} : managerEnvironment(registry.stdout.trim())),
  };
  return { name, exact, env };
}

/** Variables of a run of npm or Node around this one, which would steer the build's. */
const FOREIGN =
  /^(NODE_|INIT_CWD|LC_|LANG|npm_(package|lifecycle|command|(node_)?execpath|config_(local|global)_prefix))/;

/**
 * The environment of a build: the user's, so that tokens and proxies work, without what a surrounding npm or
 * Node left in it, and with the same language everywhere.
 */
export function buildEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  node: string,
  npmBin: string,
  globalConfig: string,
): Record<string, string | undefined> {
  const kept = Object.entries(own).filter(([name]) => !FOREIGN.test(name) || name === 'NODE_EXTRA_CA_CERTS');
  return {
    ...Object.fromEntries(kept),
    PATH: [npmBin, join(node, 'bin'), own.PATH ?? '/usr/local/bin:/usr/bin:/bin'].join(':'),
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    CI: 'true',
    NO_COLOR: '1',
    npm_config_globalconfig: globalConfig,
    // Headers of this very Node, not of the one that the machine has.
    npm_config_nodedir: node,
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
    npm_config_progress: 'false',
  };
}

/** The last lines that say something: npm ends with its manual page, and with where its log is. */
function told(lines: readonly string[]): readonly string[] {
  const manual = lines.findIndex((line) => /^npm (error|ERR!) Clean install a project/.test(line));
  return (manual < 0 ? lines : lines.slice(0, manual))
    .filter(
      (line) =>
        line.trim() !== '' &&
        !/^npm (error|ERR!)\s*$|A complete log of this run|^npm warn Unknown (env|user) config/.test(line),
    )
    .slice(-25);
}

function nextStep(lines: readonly string[]): string {
  if (lines.some((line) => /package\.json and .*are not in sync|can only install.*lock/i.test(line))) {
    return (
      'The lock file does not fit package.json: run npm install, commit package-lock.json, then build ' +
      'again.'
    );
  }
  return 'Correct it and commit, then build again. The whole output: the same command with --verbose.';
}
