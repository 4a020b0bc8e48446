/** Builds an application of any language on this machine: by its command, or as is usual for Go. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { MissingTool, runTool, type ToolResult } from '../process/tool.ts';
import { cleanEnvironment } from './clean-environment.ts';
import type { CommandRecipe } from './command-recipe.ts';
import { clearFor, engineSteps, engineTools } from './engine-build.ts';
import type { EngineRecipe } from './engine-recipe.ts';
import { told } from './war-build.ts';

/** Where `go build` puts programs, below the service's folder. */
const PROGRAMS = 'bin';

/**
 * Runs the build in the working tree.
 * @returns the command that starts the service
 * @throws Failure kind `host` (exit 3) with the last lines where the build fails; kind `usage` where a tool
 *   is missing or too old, or which program is meant cannot be told
 */
export async function buildCommand(
  app: string,
  how: CommandRecipe,
  engine: string | null,
  tree: string,
  context: Context,
): Promise<string> {
  const folder = join(tree, how.directory);
  const usual = how.build === null && how.language === 'go';
  const before = await programs(folder);
  if (how.engine !== null && engine !== null) {
    await buildOnEngine(app, how, how.engine, engine, tree, context);
  } else if (how.buildOn === 'here') {
    if (how.build !== null) await command(app, how.build, folder, context);
    else if (usual) await goBuild(app, folder, context);
  }
  if (how.start !== null) return how.start;
  const made = (await programs(folder)).filter((name) => !before.includes(name));
  return onlyProgram(app, made);
}

async function buildOnEngine(
  app: string,
  { build, directory }: CommandRecipe,
  engine: EngineRecipe,
  version: string,
  tree: string,
  context: Context,
): Promise<void> {
  const env = await engineTools(engine, version, tree, directory, context);
  for (const one of engineSteps(engine, build, directory)) {
    const [program = '', ...args] = one.argv;
    await clearFor(one, tree);
    const done = await step(one.label, program, args, join(tree, one.folder), env, context);
    if (done.exitCode !== 0) throw buildFailure(app, one.label, done);
  }
}

async function command(app: string, build: string, folder: string, context: Context): Promise<void> {
  const env = cleanEnvironment(context.env);
  const done = await step(build, 'sh', ['-c', build], folder, env, context);
  if (done.exitCode !== 0) throw buildFailure(app, build, done);
}

function step(
  label: string,
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  context: Context,
): Promise<ToolResult> {
  context.progress({ stage: 'build', state: 'running', detail: label });
  return runTool(program, args, context, {
    cwd,
    env,
    onLine: (line) => context.progress({ stage: 'build', state: 'running', detail: `${label}: ${line}` }),
  });
}

/**
 * One program for each package main: the module's own, else those of `cmd/`, else all. Without cgo, unless a
 * dependency is written in C: then a program runs whatever libraries the host has.
 */
async function goBuild(app: string, folder: string, context: Context): Promise<void> {
  const own = { ...cleanEnvironment(context.env), GOOS: 'linux' };
  const version = await step('go version', 'go', ['version'], folder, own, context).catch(
    (error: unknown) => {
      if (error instanceof MissingTool) throw noGo(app);
      throw error;
    },
  );
  const wants = /^go\s+(\d[\w.]*)/m.exec(await readFile(join(folder, 'go.mod'), 'utf8'))?.[1] ?? '1.0';
  const has = /\bgo(\d[\w.]*)/.exec(version.stdout)?.[1] ?? '0';
  if (version.exitCode !== 0 || olderThan(has, wants)) throw tooOld(app, wants, has, version);
  const listed = async (cgo: string, ...words: readonly string[]) => {
    const result = await runTool('go', ['list', '-e', ...words], context, {
      cwd: folder,
      env: { ...own, CGO_ENABLED: cgo },
    });
    return result.stdout.split('\n').filter((line) => line.trim() !== '');
  };
  const isMain = (await listed('0', '-f', '{{.Name}}', '.'))[0] === 'main';
  const commands = await readdir(join(folder, 'cmd')).catch(() => []);
  const packages = isMain ? '.' : commands.length > 0 ? './cmd/...' : './...';
  const inC = await listed(
    '1',
    '-deps',
    '-f',
    '{{if and .CgoFiles (not .Standard)}}{{.Name}}{{end}}',
    packages,
  );
  const env = { ...own, CGO_ENABLED: inC.length > 0 ? '1' : '0' };
  const args = ['build', '-trimpath', '-buildvcs=false', '-o', `${PROGRAMS}/`, packages];
  const done = await step(`go build ${packages}`, 'go', args, folder, env, context);
  if (done.exitCode !== 0) throw buildFailure(app, `go build ${packages}`, done);
}

/** `1.22` before `1.22.1`; parts that are no number (rc1) count as 0. */
export function olderThan(has: string, wants: string): boolean {
  const parts = (version: string) => version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const [own, needed] = [parts(has), parts(wants)];
  for (let i = 0; i < needed.length; i++) {
    const difference = (own[i] ?? 0) - (needed[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function noGo(app: string): Failure {
  return new Failure('usage', `${app} is a Go module, and there is no Go (go) on this machine.`, {
    step: 'build',
    next:
      `Install it (Debian: apt-get install golang-go), or let the host build: build_on: host of ${app} in ` +
      'pipeline.yml.',
  });
}

function tooOld(app: string, wants: string, has: string, { lastLines }: ToolResult): Failure {
  const own = has === '0' ? '' : `, and this machine has ${has}`;
  return new Failure('usage', `${app} needs Go ${wants} (go.mod)${own}.`, {
    step: 'build',
    output: lastLines.slice(-5),
    next: `Install Go ${wants} or newer on this machine, or lower the version in go.mod.`,
  });
}

async function programs(folder: string): Promise<readonly string[]> {
  return (await readdir(join(folder, PROGRAMS)).catch(() => [])).toSorted();
}

function onlyProgram(app: string, built: readonly string[]): string {
  const [only, second] = built;
  if (only !== undefined && second === undefined) return `./${PROGRAMS}/${only}`;
  throw new Failure('usage', `${app}: which of its programs serves cannot be told.`, {
    step: 'build',
    output: built.map((name) => `${PROGRAMS}/${name}`),
    next:
      only === undefined
        ? `Say with build: and start: of ${app} in pipeline.yml what is built and started.`
        : `Name it with start: of ${app} in pipeline.yml, e.g. start: ./${PROGRAMS}/${only}.`,
  });
}

function buildFailure(app: string, label: string, { exitCode, lastLines }: ToolResult): Failure {
  const missing =
    exitCode === 127 ? /(\S+): (?:command )?not found$/m.exec(lastLines.join('\n'))?.[1] : undefined;
  return new Failure('host', `${app}: ${label} failed (exit ${exitCode}).`, {
    step: 'build',
    output: told(lastLines),
    next:
      missing === undefined
        ? 'Correct it and commit, then build again. The whole output: the same command with --verbose.'
        : `Install ${missing} on this machine, or let the host build: build_on: host, with its package in ` +
          'packages:.',
  });
}
