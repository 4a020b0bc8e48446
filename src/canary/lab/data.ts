/**
 * Each side's own databases, with the same content byte by byte: the baseline's is filled by its seed, or a
 * backup, and both get the copy of it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppConfig } from '../../config/schema.ts';
import { databaseVariable } from '../../config/variables.ts';
import type { Context } from '../../context.ts';
import {
  appDatabases,
  bringDatabase,
  copyInto,
  copyOutOf,
  databaseVariables,
  lookAtDatabases,
  type ScriptInput,
  type SeedSource,
  seedDatabase,
} from '../../database/index.ts';
import { SIDES } from '../../judge/sides.ts';
import type { PerSide } from '../../judge/types.ts';
import { hidden } from '../../release/secrets.ts';
import { labEnvironmentOf } from './definition.ts';
import type { LabHost } from './hosts.ts';
import type { ReleaseOnSide } from './release.ts';

/** What a database is filled with: files of this machine by the database's key; absent: by its seed. */
export type Backups = ReadonlyMap<string, string>;

/** Brings the servers, and fills them alike. Nothing of the application runs yet. */
export async function fillDatabases(
  hosts: PerSide<LabHost>,
  releases: PerSide<ReleaseOnSide>,
  backups: Backups,
  context: Context,
): Promise<void> {
  const { app, config, secrets } = releases.baseline;
  const definition = config.apps[app];
  if (definition === undefined || Object.keys(definition.databases).length === 0) return;
  const own: Context = { ...context, env: { ...context.env, ...labEnvironmentOf(secrets) } };
  const [baseline, candidate] = await Promise.all(
    SIDES.map((side) => bringDatabases(hosts[side], releases[side], definition, own)),
  );
  if (baseline === undefined || candidate === undefined) throw new Error('there are two sides');
  const folder = await mkdtemp(join(tmpdir(), 'pipeline-lab-'));
  try {
    for (const [index, first] of baseline.entries()) {
      const { input, source } = first;
      const given = backups.get(input.database.key);
      const file = given ?? join(folder, input.database.key);
      if (given === undefined) {
        await seedDatabase(input, source, own);
        await copyOutOf(input, file, own);
      }
      const second = candidate[index];
      if (second === undefined) throw new Error('both sides have the same databases');
      await Promise.all([first, second].map((one) => copyInto(one.input, file, own)));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A database that is there, and what would fill it. */
interface Fillable {
  readonly input: ScriptInput;
  readonly source: SeedSource;
}

/** Servers, databases and users of one side. What an earlier experiment left is replaced afterwards. */
async function bringDatabases(
  host: LabHost,
  { app, config, artifact, secrets }: ReleaseOnSide,
  definition: AppConfig,
  context: Context,
): Promise<readonly Fillable[]> {
  const databases = appDatabases(app, definition, [host]);
  const values = { ...databaseVariables(databases), ...secrets };
  const source = { config, definition, artifact, values, hidden: hidden(secrets) };
  const occasion = { change: false, release: 'canary', reseed: false, seed: source };
  // Servers and users alone.
  const bare = databases.map((one) => ({ ...one, definition: { ...one.definition, seed: [] } }));
  // One after the other: two may need the same package.
  for (const seen of await lookAtDatabases(bare, secrets, config, context)) {
    await bringDatabase(seen, config, occasion, context);
  }
  return databases.map((database) => {
    const password = secrets[databaseVariable(database.key, 'PASSWORD')] ?? '';
    return { input: { database, password }, source };
  });
}
