/** Brings the databases of an application to what its definition says, before a release is placed. */

import type { Config } from '../config/schema.ts';
import { databaseVariable } from '../config/variables.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { bytes } from '../format.ts';
import { converge } from '../host/converge.ts';
import { rolesFor } from '../roles/index.ts';
import { type Backup, backUp } from './backup.ts';
import { decideDatabase, type Occasion } from './decide.ts';
import { databaseScript } from './engine.ts';
import { type DatabaseFacts, lookAtDatabase } from './look.ts';
import makeProgram from './make.sh' with { type: 'text' };
import { findProgram, sendProgram } from './program.ts';
import { runOnDatabaseHost, stageOf } from './run.ts';
import { type SeedSource, seedDatabase } from './seed.ts';
import { type AppDatabase, LOOPBACK, type ScriptInput } from './servers.ts';

/** A database with what its host says of it. */
export interface SeenDatabase {
  readonly input: ScriptInput;
  readonly facts: DatabaseFacts;
}

/** What was done for one database. */
export interface DatabaseOutcome {
  readonly database: AppDatabase;
  readonly changed: boolean;
  readonly backup?: Backup | undefined;
  readonly seeded: boolean;
}

/** Asks every host, side by side. Nothing is changed. */
export async function lookAtDatabases(
  databases: readonly AppDatabase[],
  secrets: Readonly<Record<string, string>>,
  config: Config,
  context: Context,
): Promise<readonly SeenDatabase[]> {
  return Promise.all(
    databases.map(async (database) => {
      const input = {
        database,
        password: secrets[databaseVariable(database.key, 'PASSWORD')] ?? '',
      };
      const facts = await lookAtDatabase(input, context);
      if (database.definition.engine !== 'ferretdb' || facts.server !== 'up') return { input, facts };
      // Another program than the one that runs is wanted only where it is at hand: nothing is fetched to find
      // out.
      const program = await findProgram(database, facts.architecture, config.directory, context, {
        cachedOnly: true,
      });
      if (program === undefined) return { input, facts };
      const exact = { ...input, program: program.sha256 };
      return { input: exact, facts: await lookAtDatabase(exact, context) };
    }),
  );
}

/**
 * Server, database, user, rights and password; a backup where a new version comes. Killed at any moment, the
 * next run finishes it.
 * @throws Failure kind `host` or `usage`: nothing of the application was touched
 */
export async function bringDatabase(
  seen: SeenDatabase,
  config: Config,
  occasion: Occasion & { readonly release: string; readonly seed: SeedSource },
  context: Context,
): Promise<DatabaseOutcome> {
  const { database } = seen.input;
  const stage = stageOf(database);
  let { input, facts } = seen;
  let work = decideDatabase(database, facts, occasion);
  if (!Object.values(work).includes(true)) return { database, changed: false, seeded: false };
  const tell = (state: 'started' | 'done', detail?: string) =>
    context.progress({ host: database.host.name, stage, state, detail });
  tell('started');
  const changed = work.server || work.make;
  if (work.server) {
    input = await bringServer(input, facts, config, context);
    facts = await lookAtDatabase(input, context);
    if (facts.server !== 'absent') work = decideDatabase(database, facts, occasion);
    else if (database.definition.engine !== 'ferretdb') throw stillAbsent(database);
    else work = { ...work, seed: database.definition.seed.length > 0 };
  } else if (work.make && input.program !== undefined) {
    input = await bringServer(input, facts, config, context);
  }
  const backup = work.backup ? await backUp(input, `before-${occasion.release}`, context) : undefined;
  if (work.make) await make(input, context);
  if (work.make || work.backup) await reach(database, context);
  if (work.seed) await seedDatabase(input, occasion.seed, context);
  tell('done', describe(database, changed, backup, work.seed));
  return { database, changed: changed || work.seed, backup, seeded: work.seed };
}

function describe(
  { definition, user }: AppDatabase,
  changed: boolean,
  backup: Backup | undefined,
  seeded: boolean,
): string {
  return [
    ...(changed ? [`${definition.engine} ${definition.name}, user ${user}`] : []),
    ...(backup === undefined ? [] : [`backup ${bytes(backup.bytes)}: ${backup.path}`]),
    ...(seeded ? ['seeded'] : []),
  ].join(', ');
}

/** The role on a host that lacks it: a server that somebody set up stays as it is. */
async function bringServer(
  input: ScriptInput,
  facts: DatabaseFacts,
  config: Config,
  context: Context,
): Promise<ScriptInput> {
  const { database } = input;
  const { definition, host, clients } = database;
  const params = {
    fleet: [],
    operators: [],
    sshPorts: [],
    exposures: [],
    databases: {
      clients: clients.filter((one) => one !== LOOPBACK),
      repository: definition.repository,
    },
  };
  if (facts.server === 'absent')
    await converge(host.connection, rolesFor(definition.engine, params), context);
  if (definition.engine !== 'ferretdb') return input;
  const program = await findProgram(database, facts.architecture, config.directory, context);
  if (program === undefined) throw new RangeError('a program was asked for');
  await sendProgram(database, program, context);
  return { ...input, program: program.sha256 };
}

function stillAbsent({ host, definition, ...database }: AppDatabase): Failure {
  return new Failure('host', `${host.name}: ${definition.engine} is not there after it was installed`, {
    host: host.name,
    step: stageOf(database),
    next: 'The whole output: the same command with --verbose.',
  });
}

/** @throws Failure kind `host` where a host of the application does not get through to the server */
async function reach(
  { key, address, port, definition, host, from }: AppDatabase,
  context: Context,
): Promise<void> {
  await Promise.all(
    from.map(async ({ name, connection }) => {
      const { exitCode } = await connection.script(
        `timeout 5 bash -c '</dev/tcp/${address}/${port}' 2>/dev/null`,
        {
          label: `reach the database ${key}`,
          signal: context.signal,
        },
      );
      if (exitCode === 0) return;
      throw new Failure(
        'host',
        `${name} does not reach ${definition.engine} on ${host.name} (${address}:${port})`,
        {
          host: name,
          step: stageOf({ key }),
          next:
            'Where pipeline made the hosts: pipeline prod up. Else let the server listen on that address ' +
            `(bind-address), and open port ${port} for ${name}.`,
        },
      );
    }),
  );
}

async function make(input: ScriptInput, context: Context): Promise<void> {
  const { database, password } = input;
  await runOnDatabaseHost(
    database,
    {
      script: databaseScript(input, makeProgram),
      secrets: [password],
      doing: 'the preparation',
      next:
        'Nothing of the application was changed. Correct the cause and deploy again; ' +
        'the whole output: the same command with --verbose.',
    },
    context,
  );
}
