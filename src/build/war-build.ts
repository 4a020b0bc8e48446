/** Builds a WAR on this machine: with Maven the ordinary way, or with the application's own command. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { MissingTool, runTool } from '../process/tool.ts';
import type { TomcatRecipe } from './recipe.ts';

/** Without its tests: they belong to the time before a commit, and often need what this machine has not. */
const MAVEN = ['mvn', '--batch-mode', '--no-transfer-progress', '-DskipTests', 'package'] as const;
/**
 * Java 17 has closed packages that older versions of Maven's WAR plugin look into, among them the one that
 * Maven 3.8 brings. Java 8 does not read the variable.
 */
const OPENED = [
  'java.base/java.util',
  'java.base/java.lang.reflect',
  'java.base/java.text',
  'java.desktop/java.awt.font',
]
  .map((name) => `--add-opens=${name}=ALL-UNNAMED`)
  .join(' ');
/** Lines of Maven that say nothing of the cause. */
const NOISE = [
  /^\[ERROR\]\s*$/,
  /\[Help \d\]/,
  /^NOTE: Picked up JDK_JAVA_OPTIONS/,
  /Re-run Maven/,
  /To see the full stack trace/,
  /For more information about the errors/,
];
const JAVA_PACKAGES = 'apt-get install maven default-jdk-headless';

/**
 * Runs the build in the working tree, with the user's own Maven settings.
 * @returns the WAR, relative to the tree.
 * @throws Failure kind `host` (exit 3) with the last lines where the build fails; kind `usage` where there is
 *   no Maven, or not exactly one WAR.
 */
export async function buildWar(
  app: string,
  how: TomcatRecipe,
  tree: string,
  context: Context,
): Promise<string> {
  const folder = join(tree, how.directory);
  const [program, ...args] = how.build === null ? MAVEN : (['sh', '-c', how.build] as const);
  const label = how.build ?? 'mvn package';
  context.progress({ stage: 'build', state: 'running', detail: label });
  const done = await runTool(program, args, context, {
    cwd: folder,
    env: {
      ...context.env,
      ...(how.build === null
        ? { JDK_JAVA_OPTIONS: `${context.env.JDK_JAVA_OPTIONS ?? ''} ${OPENED}`.trim() }
        : {}),
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      CI: 'true',
      NO_COLOR: '1',
    },
    onLine: (line) => context.progress({ stage: 'build', state: 'running', detail: `${label}: ${line}` }),
  }).catch((error: unknown) => {
    if (how.build === null && error instanceof MissingTool) throw noMaven(app);
    throw error;
  });
  if (done.exitCode !== 0) throw buildFailure(app, label, done.exitCode, done.lastLines);
  return findWar(app, how, await wars(folder));
}

/**
 * Which of the WARs that lie in the service's folder is meant; paths are relative to it.
 * @throws Failure kind `usage` where it is none, or several.
 */
export function findWar(
  app: string,
  { artifact, directory }: TomcatRecipe,
  found: readonly string[],
): string {
  const pattern = new RegExp(
    `^${artifact
      .replace(/^\.\//, '')
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^/]*')}$`,
  );
  const fitting = found.filter((path) => pattern.test(path));
  const [only, second] = fitting;
  if (only !== undefined && second === undefined) return join(directory, only);
  const listed = fitting.length > 1 ? fitting : found;
  throw new Failure(
    'usage',
    fitting.length > 1
      ? `${app}: the build left several WARs that fit "${artifact}".`
      : `${app}: the build left no WAR "${artifact}".`,
    {
      step: 'build',
      output: listed.slice(0, 10),
      next:
        listed.length > 0
          ? `Name the one that is meant: artifact: ${listed[0]} of ${app} in pipeline.yml.`
          : `Say where the build puts it: artifact: of ${app} in pipeline.yml, relative to its directory.`,
    },
  );
}

async function wars(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.war'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replace(/^\/+/, ''))
    .sort();
}

function noMaven(app: string): Failure {
  return new Failure('usage', `${app} is built by Maven, and there is no Maven (mvn) on this machine.`, {
    step: 'build',
    next:
      `Install it (Debian: ${JAVA_PACKAGES}), give the command with build: of ${app} in pipeline.yml ` +
      `(e.g. ./mvnw -B -DskipTests package), or hand over a WAR: pipeline deploy ${app} --artifact ` +
      'FILE.war.',
  });
}

function buildFailure(app: string, label: string, exitCode: number, lines: readonly string[]): Failure {
  const noCompiler = lines.some((line) => /No compiler is provided in this environment/.test(line));
  const missing =
    exitCode === 127 ? /(\S+): (?:command )?not found$/m.exec(lines.join('\n'))?.[1] : undefined;
  const java = noCompiler || (missing !== undefined && /^(mvn|javac?|jar)$/.test(missing));
  return new Failure('host', `${app}: ${label} failed (exit ${exitCode}).`, {
    step: 'build',
    output: told(lines),
    next: java
      ? `Install what is missing (Debian: ${JAVA_PACKAGES}), then build again.`
      : 'Correct it and commit, then build again. The whole output: the same command with --verbose.',
  });
}

/** The last lines that say something: Maven ends with hints about itself. */
export function told(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.trim() !== '' && !NOISE.some((one) => one.test(line))).slice(-25);
}
