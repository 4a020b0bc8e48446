/** MariaDB as bash functions (see engine.ts), with the SQL that they run. Pure. */
import { withValues } from '../ssh/script.ts';
import functions from './mariadb.sh' with { type: 'text' };
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
  const make = places.flatMap((place) => [
    `CREATE USER IF NOT EXISTS ${account(place)} IDENTIFIED BY ${literal(password)};`,
    `ALTER USER ${account(place)} IDENTIFIED BY ${literal(password)};`,
    // Everything in its own database, nothing outside, and no right to hand on. An underscore would stand for
    // any letter.
    `GRANT ALL PRIVILEGES ON \`${name.replaceAll('_', '\\_')}\`.* TO ${account(place)};`,
  ]);
  const drop =
    `SELECT CONCAT('DROP USER ', QUOTE(User), '@', QUOTE(Host), ';') FROM mysql.user ` +
    `WHERE User = ${literal(user)} AND Host NOT IN (${places.map(literal).join(', ')})`;
  const tables = `FROM information_schema.tables WHERE table_schema = ${literal(name)}`;
  return withValues(functions, {
    name,
    loopback: LOOPBACK,
    port: String(port),
    password,
    places: places.join(','),
    find_places: `SELECT GROUP_CONCAT(Host ORDER BY Host) FROM mysql.user WHERE User = ${literal(user)}`,
    create: `CREATE DATABASE IF NOT EXISTS \`${name}\``,
    make_accounts: make.join('\n'),
    drop_accounts: drop,
    count_tables: `SELECT COUNT(*) ${tables}`,
    sum_bytes: `SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS UNSIGNED) ${tables}`,
    drop: `DROP DATABASE IF EXISTS \`${name}\``,
  });
}
