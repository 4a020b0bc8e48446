/** Installs and builds a service that runs on Bun or Deno, with the very version that hosts get. */
import { rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Context } from '../context.ts';
import { DENO_MODULES } from '../contract/tools.ts';
import { runTool } from '../process/tool.ts';
import { cleanEnvironment } from './clean-environment.ts';
import type { EngineRecipe } from './engine-recipe.ts';
import { engineForBuilds } from './node-runtime.ts';

/** A command of its build. */
export interface EngineStep {
  readonly label: string;
  readonly argv: readonly string[];
  /** Relative to the working tree. */
  readonly folder: string;
  /** Its `node_modules` go before. */
  readonly anew?: boolean;
}

/** The commands, in order. Development dependencies are there for the build, and gone afterwards. Pure. */
export function engineSteps(engine: EngineRecipe, build: string | null, directory: string): EngineStep[] {
  const { name, install, entries } = engine;
  const run = build === null ? [] : [{ label: build, argv: ['sh', '-c', build], folder: directory }];
  const told = (folder: string, ...words: string[]): EngineStep => ({
    label: `${name} install`,
    argv: [name, 'install', ...words],
    folder,
  });
  if (name === 'deno') {
    const frozen = install === null ? [] : [told(install, '--frozen')];
    const more = entries.map((entry) => told(directory, '--frozen=false', '--entrypoint', entry));
    return [...frozen, ...run, ...more];
  }
  if (install === null) return run;
  const production = told(install, '--frozen-lockfile', '--production');
  if (build === null) return [production];
  return [told(install, '--frozen-lockfile'), ...run, { ...production, anew: true }];
}

/** What runs the steps, and the environment of each. */
export async function engineTools(
  engine: EngineRecipe,
  version: string,
  tree: string,
  directory: string,
  context: Context,
): Promise<Readonly<Record<string, string | undefined>>> {
  const [bin, registry] = await Promise.all([
    engineForBuilds(version, context),
    runTool('npm', ['config', 'get', 'registry'], context),
  ]);
  const clean = cleanEnvironment(context.env);
  const deno = { DENO_DIR: posix.join(tree, directory, DENO_MODULES), DENO_TLS_CA_STORE: 'mozilla,system' };
  return {
    ...clean,
    ...(engine.name === 'deno' ? { DENO_NO_UPDATE_CHECK: '1', ...deno } : { DO_NOT_TRACK: '1' }),
    npm_config_registry: registry.stdout.trim(),
    NPM_CONFIG_REGISTRY: registry.stdout.trim(),
    PATH: `${bin}:${join(tree, directory, 'node_modules/.bin')}:${clean.PATH}`,
  };
}

/** What a step leaves of the one before. */
export async function clearFor(step: EngineStep, tree: string): Promise<void> {
  if (step.anew === true) await rm(join(tree, step.folder, 'node_modules'), { recursive: true, force: true });
}
