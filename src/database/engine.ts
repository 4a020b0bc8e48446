/**
 * What an engine is to the rest: bash functions as text, the same names for each, and the beginning of every
 * script about a database. Pure.
 */
import { DATABASES } from '../roles/ferretdb.ts';
import { type Value, withValues } from '../ssh/script.ts';
import { ferretdb } from './ferretdb.ts';
import functions from './functions.sh' with { type: 'text' };
import { mariadb } from './mariadb.ts';
import { mongodb } from './mongodb.ts';
import type { AppDatabase, ScriptInput } from './servers.ts';

/**
 * Each defines: `server_state` (prints `up`, `absent`, or `down` and why), `user_there`, `signs_in`,
 * `current` (server and user are set up as wanted), `make_database`, `make_user` (with rights and password),
 * `count` (tables or collections), `bytes`, `dump FILE`, `restore FILE`, `clear_database`.
 */
const ENGINES: Readonly<Record<AppDatabase['definition']['engine'], (input: ScriptInput) => string>> = {
  mariadb,
  mongodb,
  ferretdb,
};

/** How a backup's file name ends. */
export const BACKUP_SUFFIX = { mariadb: 'sql.gz', mongodb: 'archive.gz', ferretdb: 'tar.gz' } as const;

/** The unit that serves a database. */
export function databaseUnit({
  app,
  key,
  definition,
}: Pick<AppDatabase, 'app' | 'key' | 'definition'>): string {
  const units = {
    mariadb: 'mariadb.service',
    mongodb: 'mongod.service',
    ferretdb: `ferretdb@${app}.${key}.service`,
  };
  return units[definition.engine];
}

/** A script about a database: the functions of its engine before the program, which has values of its own. */
export function databaseScript(
  input: ScriptInput,
  program: string,
  values: Readonly<Record<string, Value>> = {},
): string {
  const { app, key, user, definition } = input.database;
  const own = { folder: `${DATABASES}/${app}.${key}`, user, unit: databaseUnit(input.database) };
  const engine = ENGINES[definition.engine](input);
  return [withValues(functions, own), engine, withValues(program, values)].join('\n');
}
