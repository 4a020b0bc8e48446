/** MariaDB as bash functions (see engine.ts): root comes in over the Unix socket, statements come on standard input. Pure. */
import { quote } from '../ssh/quote.ts';
import { LOOPBACK, type ScriptInput } from './servers.ts';

/** A text inside a statement. */
function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

export function mariadb({ database, password }: ScriptInput): string {
  const { user, port, definition, clients } = database;
  const { name } = definition;
  // From the host itself too, where it is tried whether the password is right.
  const places = [...new Set([LOOPBACK, ...clients])].sort();
  const account = (place: string) => `${literal(user)}@${literal(place)}`;
  const users = `SELECT GROUP_CONCAT(Host ORDER BY Host) FROM mysql.user WHERE User = ${literal(user)}`;
  const make = places.flatMap((place) => [
    `CREATE USER IF NOT EXISTS ${account(place)} IDENTIFIED BY ${literal(password)};`,
    `ALTER USER ${account(place)} IDENTIFIED BY ${literal(password)};`,
    // Everything in its own database, nothing outside, and no right to hand on. An underscore would stand for any letter.
    `GRANT ALL PRIVILEGES ON \`${name.replaceAll('_', '\\_')}\`.* TO ${account(place)};`,
  ]);
  const others = `SELECT CONCAT('DROP USER ', QUOTE(User), '@', QUOTE(Host), ';') FROM mysql.user WHERE User = ${literal(user)} AND Host NOT IN (${places.map(literal).join(', ')})`;
  const tables = `FROM information_schema.tables WHERE table_schema = ${literal(name)}`;
  return `sql() { printf '%s\\n' "$1" | mariadb --batch --skip-column-names; }
server_state() {
  local said
  command -v mariadbd >/dev/null || command -v mysqld >/dev/null || { echo absent; return; }
  if said=$(sql 'SELECT 1' 2>&1); then echo up; else echo "down $(printf %s "$said" | tail -n 1)"; fi
}
user_there() { [ "$(sql ${quote(users)})" != NULL ]; }
current() { [ "$(sql ${quote(users)})" = ${quote(places.join(','))} ]; }
signs_in() { MYSQL_PWD=${quote(password)} mariadb --protocol=tcp --host=${LOOPBACK} --port=${port} --user=${quote(user)} --batch -e 'SELECT 1' </dev/null >/dev/null 2>&1; }
make_database() { tried 'cannot make the database' sql ${quote(`CREATE DATABASE IF NOT EXISTS \`${name}\``)}; }
make_user() {
  tried 'cannot make the user' sql ${quote(make.join('\n'))}
  sql ${quote(others)} | while IFS= read -r drop; do tried 'cannot remove the user' sql "$drop"; done || exit
}
count() { sql ${quote(`SELECT COUNT(*) ${tables}`)}; }
bytes() { sql ${quote(`SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS UNSIGNED) ${tables}`)}; }
dump() { # FILE
  set -o pipefail
  mariadb-dump --single-transaction --quick --routines --triggers --events --hex-blob ${name} | gzip -3 >"$1"
}
clear_database() {
  tried 'cannot empty the database' sql ${quote(`DROP DATABASE IF EXISTS \`${name}\``)}
  make_database
}`;
}
