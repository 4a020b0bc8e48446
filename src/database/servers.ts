/** Which databases an application has, and what that asks of the hosts they are on. Pure. */
import { databaseHost, MONGODB_PORT } from '../config/databases.ts';
import type { AppConfig, Config, DatabaseConfig } from '../config/schema.ts';
import { databaseVariable } from '../config/variables.ts';
import { Failure } from '../errors.ts';
import { MARIADB_PORT } from '../roles/mariadb.ts';
import { type Connection, publicAddress } from '../ssh/connection.ts';

export const LOOPBACK = '127.0.0.1';

/** A host of an inventory with the connection to it. */
export interface DatabaseHost {
  readonly name: string;
  readonly connection: Connection;
}

/** One database of one application, and where it is. */
export interface AppDatabase {
  readonly app: string;
  /** Its key in `databases:`. */
  readonly key: string;
  readonly definition: DatabaseConfig;
  readonly user: string;
  readonly port: number;
  /** What the application takes for its address. */
  readonly address: string;
  /** Addresses that the application comes from. */
  readonly clients: readonly string[];
  readonly host: DatabaseHost;
  /** Hosts of the application that reach it over the network. */
  readonly from: readonly DatabaseHost[];
}

/**
 * The databases of an application on the hosts that were found for it.
 * @param others hosts of the groups that run databases; a group that is not there runs on the application's
 * own
 * @throws Failure `usage` where a group has no host, or several
 */
export function appDatabases(
  app: string,
  definition: Pick<AppConfig, 'hosts' | 'databases'>,
  hosts: readonly DatabaseHost[],
  others: ReadonlyMap<string, readonly DatabaseHost[]> = new Map(),
): readonly AppDatabase[] {
  return Object.entries(definition.databases).map(([key, database]) => {
    const group = databaseHost(definition, database);
    const members = group === undefined ? [] : (others.get(group) ?? hosts);
    const [host, ...more] = members;
    const found = group === undefined ? 'databases say none' : `[${group}] has ${members.length}`;
    if (host === undefined || more.length > 0)
      throw new Failure('usage', `${app}: the database ${key} needs one host, and ${found}`, {
        next: `Say with host: of databases.${key} which host runs it, and name one in the inventory.`,
      });
    const alone = hosts.length === 1 && hosts[0]?.name === host.name;
    return {
      app,
      key,
      definition: database,
      user: userOf(database),
      port: databasePort(database),
      address: alone ? LOOPBACK : fleetAddress(host),
      clients: alone ? [LOOPBACK] : [...new Set(hosts.map(fleetAddress))].sort(),
      host,
      from: alone ? [] : hosts,
    };
  });
}

function fleetAddress({ connection: { target } }: DatabaseHost): string {
  return target.privateAddress ?? publicAddress(target);
}

/** What a script about a database is made from. */
export interface ScriptInput {
  readonly database: AppDatabase;
  readonly password: string;
  /** ferretdb: SHA-256 of the program that should run; absent: whichever is there. */
  readonly program?: string | undefined;
}

/** The engines that run on an entry of `hosts:`, with what each is asked for. */
export interface HostDatabases {
  readonly engines: readonly DatabaseConfig['engine'][];
  /** Entries of `hosts:` whose applications use this host's MariaDB from elsewhere. */
  readonly clients: readonly string[];
  readonly repository?: string | undefined;
  /** Databases that speak MongoDB's protocol. */
  readonly mongodb: readonly {
    readonly app: string;
    readonly engine: DatabaseConfig['engine'];
    readonly name: string;
    readonly port: number;
  }[];
}

/** What applications want of one entry of `hosts:`. */
export function databasesOn({ apps }: Pick<Config, 'apps'>, group: string): HostDatabases {
  const here = Object.entries(apps).flatMap(([name, app]) =>
    Object.values(app.databases)
      .filter((database) => databaseHost(app, database) === group)
      .map((database) => ({ name, app, database })),
  );
  return {
    engines: [...new Set(here.map(({ database }) => database.engine))],
    clients: [
      ...new Set(here.flatMap(({ app, database }) => (database.engine === 'mariadb' ? app.hosts : []))),
    ].filter((host) => host !== group),
    mongodb: here
      .filter(({ database }) => database.engine !== 'mariadb')
      .map(({ name, database }) => ({
        app: name,
        engine: database.engine,
        name: database.name,
        port: databasePort(database),
      })),
    repository: here.find(({ database }) => database.repository !== undefined)?.database.repository,
  };
}

/** The user that a database's application signs in as. */
function userOf({ name, user }: DatabaseConfig): string {
  return user ?? name;
}

/** The port that a database listens on. */
export function databasePort({ engine, port }: DatabaseConfig): number {
  return port ?? (engine === 'mariadb' ? MARIADB_PORT : MONGODB_PORT);
}

/** What the application is told besides the passwords, by name of variable. */
export function databaseVariables(databases: readonly AppDatabase[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    databases.flatMap(({ key, definition, user, port, address }) => [
      [databaseVariable(key, 'HOST'), address],
      [databaseVariable(key, 'PORT'), String(port)],
      [databaseVariable(key, 'USER'), user],
      [databaseVariable(key, 'DATABASE'), definition.name],
    ]),
  );
}

/**
 * The same where an application runs without its databases (a canary): nothing answers there, so that the
 * service behaves as with a database that is down, and no name that its definition uses is unknown.
 */
export function missingDatabases({
  databases,
}: Pick<AppConfig, 'databases'>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(databases).flatMap(([key, database]) => [
      [databaseVariable(key, 'HOST'), LOOPBACK],
      [databaseVariable(key, 'PORT'), String(databasePort(database))],
      [databaseVariable(key, 'USER'), userOf(database)],
      [databaseVariable(key, 'PASSWORD'), 'none'],
      [databaseVariable(key, 'DATABASE'), database.name],
    ]),
  );
}

/** Length of a password that is made here: letters and digits. */
const PASSWORD_LENGTH = 32;

/**
 * The application's secrets with the passwords of its databases: made once and kept, unless `secrets:` says
 * where one comes from.
 */
export function withPasswords({ databases, secrets }: AppConfig): AppConfig['secrets'] {
  const passwords = Object.keys(databases).map((key) => [
    databaseVariable(key, 'PASSWORD'),
    { generate: PASSWORD_LENGTH },
  ]);
  return { ...Object.fromEntries(passwords), ...secrets };
}
