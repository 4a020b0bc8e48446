/** Which hosts back up what, which backup is meant, and what is said of it. */
import { describe, expect, test } from 'vitest';
import { backupPlan, coveredOn } from '../../src/backup/coverage.ts';
import { chosenSnapshot, lossWords, minutes, plannedRestores } from '../../src/backup/decide.ts';
import { storageOf } from '../../src/config/backups-schema.ts';
import { configSchema } from '../../src/config/schema.ts';
import { type BackupItem, itemName, type Snapshot } from '../../src/contract/backup.ts';
import { Failure } from '../../src/errors.ts';

const config = {
  ...configSchema.parse({
    project: 'test',
    hosts: { web: { count: 2 }, db: {}, watch: {} },
    apps: {
      shop: {
        source: '.',
        hosts: ['web'],
        databases: { orders: { engine: 'mariadb', name: 'shop', host: 'db' } },
      },
      blog: { source: '.', hosts: ['db'], databases: { notes: { engine: 'ferretdb', name: 'n' } } },
    },
    monitor: { host: 'watch' },
    backups: { to: 'sftp://me@store:2222//srv/b/', credentials: { env: 'KEY' } },
  }),
  path: '/p/pipeline.yml',
  directory: '/p',
};
const { backups } = config;
if (backups === undefined) throw new Error('it is there');

describe('what is covered', () => {
  test.each([
    ['web', ['shop/files', 'shop/state', 'host']],
    ['db', ['shop/orders', 'blog/notes', 'blog/files', 'blog/state', 'host']],
    ['watch', ['host', 'monitor']],
  ])('on %s', (group, names) => {
    expect(coveredOn(config, [group]).map(itemName)).toEqual(names);
  });

  test('a host is told where, and how it gets there', () => {
    const plan = backupPlan({ ...config, backups }, { name: 'web-1', groups: ['web'], first: 'web-1' });
    expect(plan).toMatchObject({ host: 'web-1', repository: 'sftp:me@store:/srv/b/test', every: 86_400_000 });
    expect(plan.sftp?.join(' ')).toContain('-p 2222 -o BatchMode=yes -o IdentitiesOnly=yes');
    expect(plan.sftp).toContain('StrictHostKeyChecking=yes');
  });

  test.each([
    ['one of several', 'sftp:me@store:/srv/b', 'db', 'web-1'],
    ['the first of all makes it', 'sftp:me@store:/srv/b', 'web-1', undefined],
    ['each its own folder', '/srv/b', 'db', undefined],
  ])('a storage is made by one host: %s', (_what, to, name, madeBy) => {
    const at = { name, groups: [name], first: 'web-1' };
    expect(backupPlan({ ...config, backups: { ...backups, to } }, at).madeBy).toBe(madeBy);
  });
});

test.each([
  ['/srv/backups/', { kind: 'folder', path: '/srv/backups' }],
  ['sftp:me@store:/srv', { kind: 'sftp', user: 'me', host: 'store', port: 22, path: '/srv' }],
  ['sftp://me@store//srv', { kind: 'sftp', user: 'me', host: 'store', port: 22, path: '/srv' }],
  ['s3:https://ams3.example.com/bucket/', { kind: 's3', address: 'https://ams3.example.com/bucket' }],
  ['s3:https://id:secret@ams3.example.com/bucket', undefined],
  ['s3:https://ams3.example.com', undefined],
  ['sftp:store:/srv', undefined],
  ['sftp:-oProxyCommand=x@store:/srv', undefined],
  ["/srv/it's", undefined],
  ['/', undefined],
  ['backups', undefined],
])('%s', (to, storage) => {
  expect(storageOf(to)).toEqual(storage);
});

const item: BackupItem = {
  kind: 'database',
  app: 'shop',
  key: 'orders',
  engine: 'mariadb',
  name: 'shop',
  port: 3306,
};
const NOW = Date.parse('2026-11-29T12:00:00Z');
const snapshot = (id: string, at: string, before = false): Snapshot => ({
  id: `${id}${'0'.repeat(60)}`,
  host: 'db',
  item: 'shop/orders',
  at: Date.parse(at),
  before,
});
const SNAPSHOTS = [
  snapshot('dddd', '2026-11-29T11:58:00Z', true),
  snapshot('cccc', '2026-11-29T03:00:00Z'),
  snapshot('bbbb', '2026-11-28T03:00:00Z'),
  snapshot('aaaa', '2026-11-27T03:00:00Z'),
];

describe('which backup is meant', () => {
  test.each([
    ['nothing: the newest that no restore made', undefined, 'cccc'],
    ['its identifier, also one before a restore', 'dddd', 'dddd'],
    ['a day: the last one of it', '2026-11-28', 'bbbb'],
    ['a moment: the last one before', '2026-11-29T02:59', 'bbbb'],
    ['the moment itself', '2026-11-28T03:00', 'bbbb'],
    ['another zone', '2026-11-29T04:00+02:00', 'bbbb'],
    ['how long ago', '1d', 'bbbb'],
  ])('%s', (_title, when, id) => {
    expect(chosenSnapshot(item, SNAPSHOTS, when, NOW).id.slice(0, 4)).toBe(id);
  });

  test.each([
    ['2026-11-26', 'there is no backup of the database orders of shop as of 2026-11-26'],
    ['yesterday', '"yesterday" is neither a time nor a backup'],
    ['ffff', '"ffff" is neither a time nor a backup'],
    ['2026-13-45', '"2026-13-45" is neither a time nor a backup'],
  ])('%s is none', (when, message) => {
    expect(() => chosenSnapshot(item, SNAPSHOTS, when, NOW)).toThrow(Failure);
    expect(() => chosenSnapshot(item, SNAPSHOTS, when, NOW)).toThrow(message);
  });
});

describe('what is done', () => {
  const asked = { when: undefined, into: null, now: NOW };

  test('says what is lost, in minutes', () => {
    const [planned] = plannedRestores('db', [item], SNAPSHOTS, [], asked);
    expect(planned && lossWords(planned, NOW)).toBe(
      'the database orders of shop goes back to 2026-11-29 03:00 UTC: what was written in the last ' +
        '540 minutes (9 h) is lost (what is there now is backed up first).',
    );
  });

  test('what is in the middle of replacing is finished, whatever is asked for', () => {
    const order = { item, snapshot: 'bbbb', at: NOW, into: null };
    const half = { order, phase: 'replacing', step: 'moving' } as const;
    const [planned] = plannedRestores('db', [item], SNAPSHOTS, [half], asked);
    expect(planned).toEqual({ order, host: 'db', resumed: true });
  });

  test('what was only loaded is loaded again', () => {
    const order = { item, snapshot: 'bbbb', at: NOW, into: null };
    const ready = { order, phase: 'ready', step: '' } as const;
    const [planned] = plannedRestores('db', [item], SNAPSHOTS, [ready], asked);
    expect(planned).toMatchObject({ resumed: false, order: { snapshot: SNAPSHOTS[1]?.id } });
  });

  test.each([
    [10_000, '1 minute'],
    [89 * 60_000, '89 minutes'],
    [26 * 3_600_000, '1560 minutes (26 h)'],
  ])('%s ms: %s', (ms, words) => {
    expect(minutes(ms)).toBe(words);
  });
});
