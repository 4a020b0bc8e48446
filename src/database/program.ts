/** FerretDB's program: from a path or an address to the host that runs it, once for each version of it. */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { cachePath, exclusively } from '../build/cache.ts';
import type { DatabaseConfig } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { bytes } from '../format.ts';
import { FERRETDB_PROGRAMS } from '../roles/ferretdb.ts';
import { withValues } from '../ssh/script.ts';
import place from './place-program.sh' with { type: 'text' };
import { runOnDatabaseHost, stageOf } from './run.ts';
import type { AppDatabase } from './servers.ts';

/** Names the program where `binary:` does not. */
const PROGRAM_VARIABLE = 'PIPELINE_FERRETDB';
const RELEASE = 'https://github.com/FerretDB/FerretDB/releases/download/v1.24.0';
const DOWNLOAD_MS = 10 * 60_000;

export type DebianArchitecture = 'amd64' | 'arm64';

export interface Program {
  readonly path: string;
  readonly sha256: string;
}

/** Where the program comes from: `binary:`, the environment variable, the official release. Pure. */
function programSource(
  { binary }: Pick<DatabaseConfig, 'binary'>,
  architecture: DebianArchitecture,
  env: Context['env'],
): string {
  return binary ?? (env[PROGRAM_VARIABLE] || `${RELEASE}/ferretdb-linux-${architecture}`);
}

/**
 * The program on this machine. What an address gave is kept; with `cachedOnly` nothing is fetched, and
 * undefined is the answer where nothing is here.
 * @throws Failure kind `cloud` where the address cannot be reached, kind `usage` where there is no such file
 * or its hash is another one
 */
export async function findProgram(
  database: AppDatabase,
  architecture: DebianArchitecture,
  directory: string,
  context: Context,
  options: { readonly cachedOnly?: boolean } = {},
): Promise<Program | undefined> {
  const { definition, key } = database;
  const source = programSource(definition, architecture, context.env);
  const setting = `databases.${key}.binary (or the environment variable ${PROGRAM_VARIABLE})`;
  const isAddress = /^\w+:\/\//.test(source);
  if (isAddress && !source.startsWith('https://'))
    throw new Failure('usage', `${source}: a server program is fetched over https alone`, {
      step: stageOf(database),
      next: `Correct ${setting}.`,
    });
  const path = isAddress
    ? cachePath(context, 'ferretdb', createHash('sha256').update(source).digest('hex').slice(0, 16))
    : resolve(directory, source);
  const there = await stat(path).catch(() => undefined);
  if (there === undefined && options.cachedOnly) return undefined;
  if (there === undefined && !isAddress)
    throw new Failure('usage', `${stageOf(database)}: there is no FerretDB at ${path}`, {
      step: stageOf(database),
      next: `Correct ${setting}: path or https address of FerretDB 1.x, as binary or .deb package.`,
    });
  if (there === undefined) await download(source, path, setting, database, context);
  const sha256 = await hashOf(path);
  if (definition.sha256 === undefined || definition.sha256 === sha256) return { path, sha256 };
  if (isAddress) await rm(path, { force: true });
  throw new Failure('usage', `${source} has the SHA-256 ${sha256}, which is not what databases.${key} says`, {
    step: stageOf(database),
    next: `Correct sha256: of databases.${key}, or find out who changed the file.`,
  });
}

async function download(
  source: string,
  path: string,
  setting: string,
  database: AppDatabase,
  context: Context,
): Promise<void> {
  const stage = 'fetch FerretDB';
  await mkdir(cachePath(context, 'ferretdb'), { recursive: true });
  context.progress({ stage, state: 'started', detail: source });
  try {
    await exclusively(`${path}.lock`, context, async () => {
      const signal = AbortSignal.any([context.signal, AbortSignal.timeout(DOWNLOAD_MS)]);
      const answer = await fetch(source, { signal });
      if (!answer.ok || answer.body === null) throw new Error(`it answers ${answer.status}`);
      await pipeline(Readable.fromWeb(answer.body), createWriteStream(`${path}.partial`), { signal });
      await rename(`${path}.partial`, path);
    });
  } catch (error) {
    context.signal.throwIfAborted();
    context.progress({ stage, state: 'failed' });
    if (error instanceof Failure) throw error;
    throw new Failure('cloud', `FerretDB cannot be fetched from ${source}: ${reasonOf(error)}`, {
      step: stageOf(database),
      next:
        'Name a binary or .deb package of FerretDB 1.x that this machine has or reaches, ' +
        `with ${setting}.`,
      cause: error,
    });
  }
  context.progress({ stage, state: 'done' });
}

/** `fetch` says "fetch failed", and what failed underneath. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * Puts it on the host where it is not there yet: named by its hash, a package unpacked.
 * @throws Failure kind `host`
 */
export async function sendProgram(database: AppDatabase, program: Program, context: Context): Promise<void> {
  const { host } = database;
  const target = `${FERRETDB_PROGRAMS}/programs/${program.sha256}`;
  const there = await host.connection.script(`test -x ${target}`, {
    label: 'look for FerretDB',
    signal: context.signal,
  });
  if (there.exitCode === 0) return;
  const stage = 'upload FerretDB';
  const { size } = await stat(program.path);
  context.progress({ host: host.name, stage, state: 'started' });
  await host.connection.upload({ path: program.path }, `${target}.sent`, {
    mode: '0600',
    signal: context.signal,
    onProgress: (done) =>
      context.progress({ host: host.name, stage, state: 'running', count: { done, of: size } }),
  });
  const script = withValues(place, { target });
  const next =
    'Name a binary or .deb package of FerretDB 1.x for this host with ' +
    `databases.${database.key}.binary or ${PROGRAM_VARIABLE}.`;
  await runOnDatabaseHost(database, { script, secrets: [], doing: 'the server program', next }, context);
  context.progress({
    host: host.name,
    stage,
    state: 'done',
    detail: bytes(size),
  });
}
