/**
 * What `databases:` of one application says about hosts, other applications and the environment: mistakes
 * that no single value shows. Pure.
 */
import { closest } from '../errors.ts';
import type { PathMistake } from './explain.ts';
import type { Path } from './positions.ts';
import type { AppConfig, ConfigValues, DatabaseConfig } from './schema.ts';
import { DATABASE_PARTS, databaseVariable, namesIn } from './variables.ts';

/** MongoDB's usual port, which FerretDB takes too where nothing else is said. */
export const MONGODB_PORT = 27_017;

/** Keys that one engine alone understands. */
const OWNED = { binary: 'ferretdb', sha256: 'ferretdb', port: 'ferretdb', repository: 'mongodb' } as const;

/** The entry of `hosts:` that runs a database of an application; undefined where several could be meant. */
export function databaseHost(app: Pick<AppConfig, 'hosts'>, database: DatabaseConfig): string | undefined {
  if (database.host !== undefined) return database.host;
  return app.hosts.length === 1 ? app.hosts[0] : undefined;
}

/** Mistakes in the databases of all applications. */
export function checkDatabases(config: ConfigValues): PathMistake[] {
  return [
    ...Object.entries(config.apps).flatMap(([name, app]) => [
      ...Object.entries(app.databases).flatMap(([key, database]) =>
        checkDatabase(config, app, ['apps', name, 'databases', key], database),
      ),
      ...checkVariables(name, app),
    ]),
    ...checkShared(config),
  ];
}

function checkDatabase(
  { hosts }: ConfigValues,
  app: AppConfig,
  path: Path,
  database: DatabaseConfig,
): PathMistake[] {
  const { engine } = database;
  const mistakes: PathMistake[] = [];
  const mistake = (key: string, message: string) => mistakes.push({ path: [...path, key], message });
  for (const [key, owner] of Object.entries(OWNED)) {
    if (database[key as keyof typeof OWNED] !== undefined && owner !== engine)
      mistake(key, `is for ${owner}, not for ${engine}`);
  }
  if (engine !== 'mariadb' && database.seed.some((one) => typeof one === 'string' || 'file' in one))
    mistake('seed', `SQL files are for mariadb; seed ${engine} by a command: seed: [{ command: … }]`);
  const host = databaseHost(app, database);
  const machines = app.hosts.reduce((sum, one) => sum + (hosts[one]?.count ?? 1), 0);
  if (database.host === undefined && machines > 1 && engine === 'mariadb')
    mistake('engine', 'the application has several hosts: say with host: which one runs the database');
  if (database.host !== undefined && hosts[database.host] === undefined) return mistakes;
  if (database.host !== undefined && (hosts[database.host]?.count ?? 1) > 1)
    mistake(
      'host',
      `"${host}" is several hosts (count: ${hosts[database.host]?.count}): a database runs on one`,
    );
  const alone = machines === 1 && app.hosts[0] === host;
  if (engine !== 'mariadb' && !alone)
    mistake(
      database.host === undefined ? 'engine' : 'host',
      `${engine} answers on its own host alone: run it on the application's only host, or take mariadb`,
    );
  if (app.fixed_port !== undefined && alone)
    mistake(
      'engine',
      'with fixed_port each instance has a network of its own, which does not reach the ' +
        'database: give the database another host (mariadb), or let the service read its port from ' +
        'the environment',
    );
  return mistakes;
}

/** Names that `env` refers to, and names that would be given twice. */
function checkVariables(name: string, app: AppConfig): PathMistake[] {
  const given = new Map(
    Object.keys(app.databases).flatMap((key) =>
      DATABASE_PARTS.map((part) => [databaseVariable(key, part), { key, part }] as const),
    ),
  );
  const known = new Set([...given.keys(), ...Object.keys(app.secrets)]);
  const doubled = (['env', 'secrets'] as const).flatMap((section) =>
    Object.keys(app[section]).flatMap((variable) => {
      const from = given.get(variable);
      // The password of a database that somebody else made comes from secrets.
      if (from === undefined || (section === 'secrets' && from.part === 'PASSWORD')) return [];
      const message = `databases.${from.key} gives this variable: remove it`;
      return [{ path: ['apps', name, section, variable], message }];
    }),
  );
  const unknown = Object.entries(app.env).flatMap(([variable, text]) =>
    namesIn(text)
      .filter((one) => !known.has(one))
      .map((one) => {
        const guess = closest(one, known);
        const hint =
          guess !== undefined
            ? `did you mean ${guess}?`
            : known.size === 0
              ? 'there are neither databases nor secrets'
              : `known are ${[...known].join(', ')}`;
        const message = `nothing gives \${${one}}: ${hint} (write $\${${one}} for the text itself)`;
        return { path: ['apps', name, 'env', variable], message };
      }),
  );
  return [...doubled, ...unknown];
}

/**
 * Two databases of one server cannot have the same name, nor the same user; two servers cannot have the same
 * port.
 */
function checkShared({ apps }: ConfigValues): PathMistake[] {
  const taken = new Map<string, string>();
  const mistakes: PathMistake[] = [];
  const take = (what: string, who: string, path: Path, message: (other: string) => string) => {
    const other = taken.get(what);
    if (other === undefined) taken.set(what, who);
    else mistakes.push({ path, message: message(other) });
  };
  for (const [app, definition] of Object.entries(apps)) {
    for (const [key, database] of Object.entries(definition.databases)) {
      const host = databaseHost(definition, database);
      if (host === undefined) continue;
      const path = ['apps', app, 'databases', key];
      const who = `${app}'s ${key}`;
      const { engine, name, user = name } = database;
      if (engine === 'ferretdb') {
        const port = database.port ?? MONGODB_PORT;
        const at = database.port === undefined ? path : [...path, 'port'];
        take(
          `${host} port ${port}`,
          who,
          at,
          (other) => `${other} has port ${port} on ${host} too: give one of them another port:`,
        );
        continue;
      }
      take(
        `${host} ${engine} ${name}`,
        who,
        [...path, 'name'],
        (other) => `${other} has this name on ${host} too`,
      );
      take(
        `${host} ${engine} user ${user}`,
        who,
        [...path, database.user === undefined ? 'name' : 'user'],
        (other) => `${other} has the user ${user} on ${host} too: give one of them another user:`,
      );
    }
  }
  return mistakes;
}
