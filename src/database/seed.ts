/**
 * Fills an empty database once: SQL files as the application's own user, commands on this machine with the
 * database reached through SSH.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix, resolve } from 'node:path';
import type { Artifact } from '../build/artifact.ts';
import { checkOut, openSource, readAt } from '../build/source.ts';
import type { AppConfig, Config, SeedConfig } from '../config/schema.ts';
import { databaseVariable, replaceNames } from '../config/variables.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { unreadableWords } from '../files.ts';
import { runTool } from '../process/tool.ts';
import { redactor } from '../redact.ts';
import { databaseScript } from './engine.ts';
import { runOnDatabaseHost, stageOf } from './run.ts';
import loadFile from './seed-file.sh' with { type: 'text' };
import setState from './seed-state.sh' with { type: 'text' };
import { LOOPBACK, type ScriptInput } from './servers.ts';

/** Where seeds come from. */
export interface SeedSource {
  readonly config: Config;
  readonly definition: AppConfig;
  readonly artifact: Pick<Artifact, 'commit'>;
  /** What the application is told: variables of its databases, and secrets. */
  readonly values: Readonly<Record<string, string>>;
  /** Those of them that are hidden wherever output is shown. */
  readonly hidden: readonly string[];
}

const LIMIT_MS = 60 * 60_000;

/**
 * Empties the database and fills it. What was begun is marked on the host first: a run that is killed in the
 * middle leaves the mark, and the next one begins anew. A run that fails empties it again.
 * @throws Failure kind `host` (SQL) or `usage` (a command) with what was printed; the database is empty then
 */
export async function seedDatabase(input: ScriptInput, source: SeedSource, context: Context): Promise<void> {
  const { database } = input;
  const { definition, host } = database;
  const stage = stageOf(database);
  // All of them are read before anything is emptied.
  const steps = await Promise.all(definition.seed.map((seed) => stepOf(input, seed, source, context)));
  await mark(input, 'begun', context);
  try {
    for (const { name, work } of steps) {
      context.progress({ host: host.name, stage, state: 'running', detail: `seed: ${name}` });
      await work();
    }
  } catch (error) {
    if (!context.signal.aborted) await mark(input, 'none', context);
    throw error;
  }
  await mark(input, 'done', context);
}

interface SeedStep {
  readonly name: string;
  readonly work: () => Promise<void>;
}

async function stepOf(
  input: ScriptInput,
  seed: SeedConfig,
  source: SeedSource,
  context: Context,
): Promise<SeedStep> {
  if (typeof seed === 'object' && 'command' in seed)
    return { name: firstLine(seed.command), work: () => runHere(input, seed.command, source, context) };
  const name = typeof seed === 'string' ? seed : seed.file;
  const text =
    typeof seed === 'string'
      ? await textOfArtifact(input, seed, source, context)
      : await textBeside(input, seed.file, source.config);
  return { name, work: () => load(input, name, text, context) };
}

function firstLine(command: string): string {
  const [first = ''] = command.trim().split('\n');
  return first.length > 60 ? `${first.slice(0, 59)}…` : first;
}

/** `begun` and `none` empty it. One at a time: what a killed run left on the host ends first. */
async function mark(input: ScriptInput, state: 'begun' | 'none' | 'done', context: Context): Promise<void> {
  const { database, password } = input;
  const script = databaseScript(input, setState, { state });
  const next = 'Correct the cause and deploy again: it begins anew.';
  const doing = state === 'done' ? 'the end of the seed' : 'emptying';
  await runOnDatabaseHost(database, { script, secrets: [password], doing, next }, context);
}

/** A file of the repository at the commit that is deployed. */
async function textOfArtifact(
  { database }: ScriptInput,
  path: string,
  { config, definition, artifact }: SeedSource,
  context: Context,
): Promise<string> {
  const { key, host } = database;
  const inside = posix.join(definition.directory, path);
  const wrong = (message: string, next: string) =>
    new Failure('usage', `${stageOf(database)}: ${message}`, {
      host: host.name,
      step: stageOf(database),
      next,
    });
  if (artifact.commit === null)
    throw wrong(
      `the artifact was given as a file, so nobody knows which ${path} belongs to it`,
      `Name a file beside pipeline.yml instead: databases.${key}.seed: [{ file: … }]`,
    );
  const found =
    inside.startsWith('../') || path.startsWith('/')
      ? undefined
      : await readAt(
          openSource(definition.source, config.directory, context),
          artifact.commit,
          inside,
          context,
        );
  if (found !== undefined) return found;
  throw wrong(
    `there is no ${inside} in the repository at ${artifact.commit.slice(0, 7)}`,
    `Correct databases.${key}.seed: such paths are relative to directory:.`,
  );
}

async function textBeside({ database }: ScriptInput, file: string, { directory }: Config): Promise<string> {
  try {
    return await readFile(resolve(directory, file), 'utf8');
  } catch (error) {
    throw new Failure('usage', `${stageOf(database)}: ${file} cannot be read: ${unreadableWords(error)}`, {
      step: stageOf(database),
      next: `Correct databases.${database.key}.seed: file: is relative to pipeline.yml.`,
      cause: error,
    });
  }
}

/** As the application's user, so that it stays within its own database. */
async function load(input: ScriptInput, file: string, text: string, context: Context): Promise<void> {
  const { database, password } = input;
  const { app, key, host } = database;
  const sent = `/var/lib/pipeline/seed-${app}.${key}.sql`;
  await host.connection.upload({ data: Buffer.from(text) }, sent, {
    mode: '0600',
    signal: context.signal,
  });
  const script = databaseScript(input, loadFile, { sent });
  await runOnDatabaseHost(
    database,
    {
      script,
      secrets: [password],
      timeoutMs: LIMIT_MS,
      doing: `the seed ${file}`,
      next: 'The database was emptied again. Correct the file and deploy again.',
    },
    context,
  );
}

/**
 * In a checkout of the commit, with the environment that the application will have, except that its databases
 * are reached through this machine.
 */
async function runHere(
  input: ScriptInput,
  command: string,
  { config, definition, artifact, values, hidden }: SeedSource,
  context: Context,
): Promise<void> {
  const { database } = input;
  const hide = redactor(hidden);
  const quiet: Context = { ...context, trace: (line) => context.trace(hide(line)) };
  const { key, host, port } = database;
  const folder = await mkdtemp(join(tmpdir(), 'pipeline-seed-'));
  try {
    const cwd = join(folder, 'checkout');
    const { commit } = artifact;
    if (commit !== null)
      await checkOut(openSource(definition.source, config.directory, context), commit, cwd, context);
    const result = await host.connection.tunnel(port, (local) => {
      const given: Readonly<Record<string, string>> = {
        ...values,
        [databaseVariable(key, 'HOST')]: LOOPBACK,
        [databaseVariable(key, 'PORT')]: String(local),
      };
      const own = Object.entries(definition.env).map(([name, text]) => [
        name,
        replaceNames(text, (one) => given[one] ?? ''),
      ]);
      return runTool('sh', ['-ec', command], quiet, {
        cwd: commit === null ? config.directory : join(cwd, definition.directory),
        env: { ...context.env, ...Object.fromEntries(own), ...given },
      });
    });
    if (result.exitCode === 0) return;
    throw new Failure(
      'usage',
      `the seed of the database ${key} failed: ${firstLine(command)} ended with exit code ${result.exitCode}`,
      {
        host: host.name,
        step: stageOf(database),
        output: result.lastLines.slice(-25).map(hide),
        next: 'The database was emptied again. Correct the command and deploy again.',
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
