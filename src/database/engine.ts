/** What an engine is to the rest: bash functions as text, the same names for each, and the beginning of every script about a database. Pure. */
import { DATABASES } from '../roles/ferretdb.ts';
import { quote } from '../ssh/quote.ts';
import { ferretdb } from './ferretdb.ts';
import { mariadb } from './mariadb.ts';
import { mongodb } from './mongodb.ts';
import type { AppDatabase, ScriptInput } from './servers.ts';

/**
 * Each defines: `server_state` (prints `up`, `absent`, or `down` and why), `user_there`, `signs_in`, `current` (server and user are set up as wanted),
 * `make_database`, `make_user` (with rights and password), `count` (tables or collections), `bytes`, `dump FILE`, `clear_database`.
 */
const FUNCTIONS: Readonly<Record<AppDatabase['definition']['engine'], (input: ScriptInput) => string>> = {
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

/** Reports are lines that begin with `@@`; `run.ts` reads them. */
export function preamble(input: ScriptInput): string {
  const { app, key, user, definition } = input.database;
  return `set -u
folder=${quote(`${DATABASES}/${app}.${key}`)} user=${quote(user)} unit=${quote(databaseUnit(input.database))}
say() { printf '@@ %s\\n' "$*"; }
fail() { say "failed $*"; exit 30; }
own() { [ "$(cat "$folder/made" 2>/dev/null)" = "$user" ]; }
keep() { # FILE: what comes on standard input, for root alone
  (umask 077; mkdir -p "$folder" && cat >"$folder/$1.new" && sync "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1") || fail "cannot write $folder/$1"
}
tried() { # WHAT COMMAND…: its last line where it fails
  local what=$1 said
  shift
  said=$("$@" 2>&1) || fail "$what: $(printf %s "$said" | tail -n 2 | tr '\\n' ' ')"
}
${FUNCTIONS[definition.engine](input)}`;
}
