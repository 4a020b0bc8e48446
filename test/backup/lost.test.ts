/** What is said of a lost host, and what comes back to it. */
import { describe, expect, test } from 'vitest';
import { appsOf, backupLines, lastBackups, lostWords, releaseToBring } from '../../src/backup/lost.ts';
import { configSchema } from '../../src/config/schema.ts';
import type { BackupItem, ServedRelease, Snapshot } from '../../src/contract/backup.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const MINUTE = 60_000;
const database: BackupItem = {
  kind: 'database',
  app: 'shop',
  key: 'orders',
  engine: 'mariadb',
  name: 'shop',
  port: 3306,
};
const files: BackupItem = { kind: 'folder', app: 'shop', key: 'files', path: '/f' };
const own: BackupItem = { kind: 'host' };
const snapshot = (item: string, minutesAgo: number, more: Partial<Snapshot> = {}): Snapshot => ({
  id: `${item}-${minutesAgo}`,
  host: 'web',
  item,
  at: NOW - minutesAgo * MINUTE,
  before: false,
  ...more,
});

describe('the newest backup of each thing', () => {
  const snapshots = [
    snapshot('shop/orders', 1, { host: 'web-2' }),
    snapshot('shop/orders', 2, { before: true }),
    snapshot('shop/orders', 14),
    snapshot('shop/files', 30),
    snapshot('shop/orders', 1454),
  ];
  const backups = lastBackups('web', [database, files, own], snapshots);

  test('is this host’s, and none that a restore replaced', () => {
    expect(backups.map((one) => one.snapshot?.id)).toEqual(['shop/orders-14', 'shop/files-30', undefined]);
  });

  test('the first sentence says what is lost, by the oldest of them', () => {
    expect(lostWords('web', backups, NOW)).toBe(
      'web is made anew, and what was written there in the last 30 minutes is lost.',
    );
    expect(backupLines(backups, NOW)).toEqual([
      'the database orders of shop: as of 2026-11-29 11:46 UTC, 14 minutes ago',
      'the files of shop: as of 2026-11-29 11:30 UTC, 30 minutes ago',
      'the secrets of the host: no backup',
    ]);
  });

  test.each([
    ['nobody is left to ask', undefined, 'no other host can say'],
    [
      'there is none',
      lastBackups('web', [database], []),
      'all that it held is lost: no backup of it is elsewhere',
    ],
    ['it held nothing', lastBackups('web', [own], []), 'nothing that it holds is lost'],
  ])('where %s', (_title, found, words) => {
    expect(lostWords('web', found, NOW)).toContain(words);
  });
});

test('applications that a group serves, balances, or keeps data of', () => {
  const config = {
    ...configSchema.parse({
      project: 'test',
      hosts: { web: { roles: ['nginx'] }, db: {}, front: { roles: ['nginx'] } },
      apps: {
        shop: {
          source: '.',
          hosts: ['web'],
          site: { balancer: 'front' },
          databases: { orders: { engine: 'mariadb', name: 'shop', host: 'db' } },
        },
        blog: { source: '.', hosts: ['web'], site: { port: 81 } },
      },
    }),
    path: '',
    directory: '',
  };
  expect(appsOf(config, 'web')).toEqual(['shop', 'blog']);
  expect(appsOf(config, 'db')).toEqual(['shop']);
  expect(appsOf(config, 'front')).toEqual(['shop']);
});

test('the release to bring is what serves elsewhere, else what the last backup says', () => {
  const served = (app: string, release: string): ServedRelease => ({
    app,
    release,
    commit: release,
    ref: 'main',
    at: '',
  });
  const live = [served('shop', '20261101-a'), served('blog', '20261129-c'), served('shop', '20261103-b')];
  const before = [served('shop', '20261128-d'), served('mail', '20261128-e')];
  expect(releaseToBring('shop', { live, before })?.release).toBe('20261103-b');
  expect(releaseToBring('mail', { live, before })?.release).toBe('20261128-e');
  expect(releaseToBring('other', { live, before })).toBeUndefined();
});
