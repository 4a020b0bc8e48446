/** What is there → what is done: a table. */
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { quietContext } from '../../src/context.ts';
import { decideDatabase, type Occasion } from '../../src/database/decide.ts';
import type { DatabaseFacts } from '../../src/database/look.ts';
import { appDatabases, databasesOn, databaseVariables, withPasswords } from '../../src/database/servers.ts';
import { Failure } from '../../src/errors.ts';
import { connect } from '../../src/ssh/openssh.ts';

const hostAt = (name: string, address: string, privateAddress?: string) => ({
  name,
  connection: connect({ name, address, privateAddress, port: 22, user: 'root' }, quietContext()),
});
const CONFIG = configSchema.parse({
  project: 'test',
  hosts: { web: {}, more: {}, db: {} },
  apps: {
    shop: {
      source: '.',
      hosts: ['web'],
      secrets: { KEY: { generate: 20 } },
      databases: {
        'main-store': { engine: 'mariadb', name: 'shop', seed: ['a.sql'] },
        notes: { engine: 'ferretdb', name: 'n', user: 'u' },
      },
    },
    far: {
      source: '.',
      hosts: ['web', 'more'],
      secrets: { D_PASSWORD: { env: 'MINE' } },
      databases: { d: { engine: 'mariadb', name: 'far', host: 'db', backups: 0 } },
    },
  },
});
const { shop, far } = CONFIG.apps;
if (shop === undefined || far === undefined) throw new Error('both are declared');
const web = hostAt('web', '192.0.2.1', '10.0.0.1');
const [main] = appDatabases('shop', shop, [web]);
const [remote] = appDatabases(
  'far',
  far,
  [web, hostAt('more', '192.0.2.2')],
  new Map([['db', [hostAt('db', '192.0.2.3', '10.0.0.3')]]]),
);
if (main === undefined || remote === undefined) throw new Error('both have one');

const WELL: DatabaseFacts = {
  server: 'up',
  reason: '',
  user: 'made',
  signsIn: true,
  current: true,
  count: 3,
  seed: 'done',
  architecture: 'amd64',
};
const QUIET: Occasion = { change: false, reseed: false };

describe('what is done for a database', () => {
  const nothing = { server: false, make: false, backup: false, seed: false };
  test.each<[string, Partial<DatabaseFacts>, Partial<Occasion>, Partial<typeof nothing>]>([
    ['all is well', {}, {}, {}],
    ['a new version comes', {}, { change: true }, { backup: true }],
    ['a new version comes to an empty one', { count: 0 }, { change: true }, {}],
    [
      'there is no server',
      { server: 'absent', user: 'none' },
      { change: true },
      { server: true, make: true },
    ],
    [
      'it is new',
      { user: 'none', signsIn: false, count: 0, seed: 'none' },
      { change: true },
      { make: true, seed: true },
    ],
    ['the password was lost on one side', { signsIn: false }, {}, { make: true }],
    ['the user comes from other hosts now', { current: false }, {}, { make: true }],
    ['somebody else made the user, which signs in', { user: 'foreign', current: false }, {}, {}],
    ['it was empty all the time', { count: 0, seed: 'none' }, {}, { seed: true }],
    ['it holds data that nobody seeded', { seed: 'none' }, {}, {}],
    ['an earlier run ended while it was filled', { seed: 'begun' }, { change: true }, { seed: true }],
    ['it is to be filled anew', {}, { reseed: true }, { backup: true, seed: true }],
  ])('%s', (_name, facts, occasion, expected) => {
    expect(decideDatabase(main, { ...WELL, ...facts }, { ...QUIET, ...occasion })).toEqual({
      ...nothing,
      ...expected,
    });
  });

  test('backups can be turned off, and without a seed none is looked for', () => {
    expect(decideDatabase(remote, { ...WELL, count: 1 }, { change: true, reseed: false })).toEqual(nothing);
    expect(decideDatabase(remote, { ...WELL, count: 0, seed: 'none' }, QUIET)).toEqual(nothing);
  });

  test.each<[string, Partial<DatabaseFacts>, string, RegExp, RegExp]>([
    [
      'a server that is down',
      { server: 'down', reason: 'connection refused' },
      'host',
      /^web: the database server \(mariadb\.service\) does not answer: connection refused$/,
      /systemctl start mariadb\.service/,
    ],
    [
      'a stranger’s user',
      { user: 'foreign', signsIn: false },
      'usage',
      /the user shop of shop was not made by pipeline/,
      /MAIN_STORE_PASSWORD/,
    ],
  ])('%s ends the deploy', (_name, facts, kind, message, next) => {
    let thrown: unknown;
    try {
      decideDatabase(main, { ...WELL, ...facts }, QUIET);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject({ kind, host: 'web', step: 'database main-store' });
    expect((thrown as Failure).message).toMatch(message);
    expect((thrown as Failure).next).toMatch(next);
  });
});

test('the application is told where its databases are', () => {
  expect(databaseVariables(appDatabases('shop', shop, [web]))).toEqual({
    MAIN_STORE_HOST: '127.0.0.1',
    MAIN_STORE_PORT: '3306',
    MAIN_STORE_USER: 'shop',
    MAIN_STORE_DATABASE: 'shop',
    NOTES_HOST: '127.0.0.1',
    NOTES_PORT: '27017',
    NOTES_USER: 'u',
    NOTES_DATABASE: 'n',
  });
  expect(withPasswords(shop)).toEqual({
    KEY: { generate: 20 },
    MAIN_STORE_PASSWORD: { generate: 32 },
    NOTES_PASSWORD: { generate: 32 },
  });
  expect(withPasswords(far)).toEqual({ D_PASSWORD: { env: 'MINE' } });
});

test('a database on another host is reached at its private address, by its applications’ hosts alone', () => {
  expect(remote).toMatchObject({ address: '10.0.0.3', clients: ['10.0.0.1', '192.0.2.2'] });
  expect(databasesOn(CONFIG, 'db')).toEqual({
    engines: ['mariadb'],
    clients: ['web', 'more'],
    mongodb: [],
    repository: undefined,
  });
  expect(databasesOn(CONFIG, 'web')).toMatchObject({
    engines: ['mariadb', 'ferretdb'],
    clients: [],
    mongodb: [{ engine: 'ferretdb', name: 'n', port: 27_017 }],
  });
});

test('a group with several hosts cannot be meant', () => {
  const several = new Map([['db', [web, hostAt('db-2', '192.0.2.4')]]]);
  expect(() => appDatabases('far', far, [web], several)).toThrow(
    'far: the database d needs one host, and [db] has 2',
  );
});
