/** Backups on a host, without one: what is due, what the storage may do, and what a dump's seal tells. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { type BackupEvent, type BackupPlan, backupStatusSchema } from '../../src/contract/backup.ts';
import {
  BACKUP_PLAN,
  BACKUP_REPLACING,
  BACKUP_STATE,
  BACKUP_STATUS,
} from '../../src/contract/backup-paths.ts';
import { APPS, AUDIT_LOG } from '../../src/contract/places.ts';
import { realWorld } from '../../src/onhost/backup/real.ts';
import { Counter, Opener, SEAL_BYTES, sealOf } from '../../src/onhost/backup/seal.ts';
import { dueTrial, isDue, merged, VERIFY_EVERY_MS } from '../../src/onhost/backup/status.ts';
import { backUpItems, readPlan, tick, verifyItems } from '../../src/onhost/backup/work.ts';
import type { BackupWorld, Command, Passage, Ran } from '../../src/onhost/backup/world.ts';

const DAY = 86_400_000;
const plan: BackupPlan = {
  host: 'web',
  every: DAY,
  keep: { daily: 7, weekly: 4 },
  repository: '/srv/backups/test',
  storage: '/srv/backups',
  sftp: null,
  items: [
    { kind: 'database', app: 'shop', key: 'main', engine: 'mariadb', name: 'shop', port: 3306 },
    { kind: 'host' },
  ],
};

/** A storage in memory: `id` is undefined where there is none. */
class World implements BackupWorld {
  clock = 1_000_000_000_000;
  storage: { id: string | undefined; full: boolean; made: string } = {
    id: undefined,
    full: false,
    made: 'first',
  };
  dumpFails = false;
  /** What it gives back is not what it was given; `check` finds a part of that. */
  lies = false;
  damaged = false;
  /** The host has an application's secrets. */
  apps = true;
  tables = 'orders\n';
  readonly stored: string[] = [];
  readonly texts = new Map<string, string>();
  readonly asked: string[] = [];
  now = () => this.clock;
  sleep = async () => {};
  weights = async () => undefined;
  isReleasing = async () => this.releasing-- > 0;
  /** How often a release is still found under way. */
  releasing = 0;
  /** Of the next dumps, how many give way to one. */
  stops = 0;
  files: BackupWorld['files'] = {
    read: async (path) => this.texts.get(path),
    write: async (path, text) => void this.texts.set(path, text),
    append: async (path, text) => void this.texts.set(path, (this.texts.get(path) ?? '') + text),
    exists: async (path) => path === '/' || this.texts.has(path),
    list: async (path) => (this.apps && path.startsWith(APPS) ? ['shop'] : []),
    makeFolder: async () => {},
    remove: async (path) => void this.texts.delete(path),
    readLink: async () => undefined,
    move: async () => {},
    freeBytes: async () => 1e12,
  };
  run = async ({ program, args }: Command): Promise<Ran> => {
    const verb = args.find((word) => !word.startsWith('-')) ?? '';
    this.asked.push(`${program} ${verb}`);
    if (program === 'mariadb') return { code: 0, out: this.tables, err: '' };
    if (verb === 'init') {
      this.storage.id ??= this.storage.made;
      return { code: 0, out: '', err: '' };
    }
    if (this.storage.id === undefined) return { code: 1, out: '', err: 'Fatal: unable to open config file' };
    if (verb === 'cat') return { code: 0, out: JSON.stringify({ id: this.storage.id }), err: '' };
    if (verb === 'backup') return this.#take('paths');
    if (verb === 'check' && this.damaged)
      return { code: 1, out: '', err: 'Fatal: repository contains errors' };
    if (verb === 'stats') return { code: 0, out: '{"total_size":1}', err: '' };
    if (verb === 'snapshots') return { code: 0, out: JSON.stringify(this.#snapshots()), err: '' };
    return { code: 0, out: '[]', err: '' };
  };
  #snapshots() {
    const time = new Date(this.clock).toISOString();
    return this.stored.map((what, id) => ({
      id: `${id + 1}`,
      time,
      hostname: 'web',
      tags: ['pipeline', `item=${what === 'stream' ? 'shop/main' : 'host'}`],
    }));
  }
  pipe = async (_from: Command, to: Command | undefined, passage?: Passage) => {
    this.asked.push(`pipe to ${to?.program}`);
    const none = { bytes: 10, sha256: '', whole: true, stopped: false };
    const nothing = { code: 0, out: '', err: '' };
    if (passage === 'open' && this.lies)
      return { ...none, from: { code: 1, err: 'ciphertext verification failed' }, to: nothing };
    if (passage !== 'seal') return { ...none, from: { code: 0, err: '' }, to: nothing };
    if (passage === 'seal' && this.stops-- > 0)
      return { ...none, stopped: true, from: { code: 255, err: '' }, to: { ...nothing, code: 255 } };
    if (this.dumpFails)
      return { ...none, from: { code: 2, err: 'lost connection' }, to: { code: 255, out: '', err: '' } };
    return { ...none, from: { code: 0, err: '' }, to: this.#take('stream') };
  };
  #take(what: string): Ran {
    if (this.storage.full) return { code: 1, out: '', err: 'Fatal: no space left on device' };
    this.stored.push(what);
    const snapshot_id = `${this.stored.length}`;
    const summary = { message_type: 'summary', snapshot_id, total_bytes_processed: 5 };
    return { code: 0, out: JSON.stringify(summary), err: '' };
  }
  status() {
    return backupStatusSchema.parse(JSON.parse(this.texts.get(BACKUP_STATUS) ?? '{}'));
  }
  audit() {
    return (this.texts.get(AUDIT_LOG) ?? '').split('\n').filter((line) => line !== '');
  }
}

const events: BackupEvent[] = [];
const tell = (event: BackupEvent) => void events.push(event);
const take = (world: World) => backUpItems(world, plan, plan.items, 'me', tell);

describe('a storage', () => {
  test('is made at the first backup', async () => {
    const world = new World();
    await take(world);
    expect(world.stored).toEqual(['stream', 'paths']);
    expect(world.status().items).toMatchObject([
      { item: 'shop/main', at: world.clock, error: '', snapshot: '1', bytes: 10 },
      { item: 'host', error: '', snapshot: '2' },
    ]);
    expect(JSON.parse(world.texts.get(`${BACKUP_STATE}/repository.json`) ?? '')).toMatchObject({
      id: 'first',
    });
  });

  test('that several share is made by one of them; the others wait for it', async () => {
    const shared: BackupPlan = { ...plan, madeBy: 'db' };
    const world = new World();
    world.sleep = async () => {
      world.storage.id = 'by db';
    };
    await backUpItems(world, shared, shared.items, 'me', tell);
    expect(world.stored).toEqual(['stream', 'paths']);
    expect(world.asked).not.toContain('restic init');

    const alone = new World();
    await expect(backUpItems(alone, shared, shared.items, 'me', tell)).rejects.toThrow(
      'the storage of backups, /srv/backups, is not there, which db makes: unable to open config file',
    );
    expect(alone.asked).not.toContain('restic init');
  });

  test('that has vanished is not made again: an empty folder is not taken for it', async () => {
    const world = new World();
    await take(world);
    world.storage.id = undefined;
    world.asked.length = 0;
    await expect(take(world)).rejects.toThrow(
      /the storage of backups, \/srv\/backups, cannot be used: .*config file/,
    );
    expect(world.asked).not.toContain('restic init');
    expect(world.status().items).toMatchObject([
      { at: world.clock, snapshot: '1', error: expect.stringContaining('cannot be used') },
      { error: expect.stringContaining('cannot be used') },
    ]);
  });

  test('that holds the backups of somebody else is not used', async () => {
    const world = new World();
    await take(world);
    world.storage.id = 'other';
    await expect(take(world)).rejects.toThrow('holds other backups than those that this host made');
    expect(world.stored).toHaveLength(2);
  });

  test('that is full: said, and nothing is forgotten', async () => {
    const world = new World();
    await take(world);
    world.storage.full = true;
    world.asked.length = 0;
    await expect(take(world)).rejects.toThrow('did not take the backup: no space left on device');
    expect(world.asked).not.toContain('restic forget');
    expect(world.asked).not.toContain('restic unlock');
  });

  test('at another place begins anew', async () => {
    const world = new World();
    await take(world);
    world.storage = { id: undefined, full: false, made: 'second' };
    const moved = { ...plan, repository: '/mnt/backups/test' };
    await backUpItems(world, moved, plan.items, 'me', tell);
    expect(world.stored).toHaveLength(4);
  });
});

describe('a storage that lies', () => {
  const DAMAGE = 'ciphertext verification failed';

  test('a new backup is tried at once where the one before did not come back', async () => {
    const world = new World();
    await take(world);
    expect(world.status().items).toMatchObject([{ verifyTriedAt: null }, {}]);
    world.lies = true;
    const [checked] = await verifyItems(world, plan, plan.items.slice(0, 1), tell);
    expect(checked?.error).toContain(DAMAGE);
    // restic takes it, and stores nothing twice: what is damaged is in the new one too.
    await expect(take(world)).rejects.toMatchObject({
      message: `the new backup of shop/main does not come back: the storage does not give it back: ${DAMAGE}`,
      next: expect.stringContaining('A damaged storage'),
    });
    expect(world.asked).not.toContain('restic forget --prune');
    expect(world.status().items).toMatchObject([{ verifyError: expect.stringContaining(DAMAGE) }, {}]);
    world.lies = false;
    await take(world);
    expect(world.status().items).toMatchObject([{ verifyError: '', verifiedAt: world.clock }, {}]);
  });

  test('damage elsewhere is said after all were tried', async () => {
    const world = new World();
    await take(world);
    world.damaged = true;
    await expect(verifyItems(world, plan, plan.items.slice(0, 1), tell)).rejects.toMatchObject({
      message: expect.stringContaining('is damaged: repository contains errors'),
      next: expect.stringContaining('A damaged storage'),
    });
    expect(world.status().items).toMatchObject([{ verifiedAt: world.clock, verifyError: '' }, {}]);
  });
});

test('a dump waits for a release, gives way to one, and is made after it', async () => {
  const world = new World();
  world.releasing = 3;
  world.stops = 2;
  await take(world);
  expect(world.stored).toEqual(['stream', 'paths']);
  expect(world.asked.filter((one) => one === 'pipe to restic')).toHaveLength(3);
  expect(world.status().items).toMatchObject([{ error: '', snapshot: '1' }, {}]);
  world.stops = 1e9;
  world.sleep = async () => {};
  const waits = world.now;
  world.now = () => (world.clock += 60_000);
  await expect(take(world)).rejects.toThrow('releases of shop have been under way for 2 h');
  world.now = waits;
});

describe('a stream between programs', () => {
  const print = (text: string) => ({ program: 'printf', args: ['%s', text] });
  const shell = (script: string) => ({ program: 'sh', args: ['-c', script] });
  const text = 'INSERT INTO t VALUES (1);\n'.repeat(4000);
  const sealed = async () => {
    const { to } = await realWorld.pipe(print(text), { program: 'cat', args: [] }, 'seal');
    return to.out;
  };

  test('arrives with its seal, and without it', async () => {
    const stored = await sealed();
    expect(stored.length).toBe(text.length + SEAL_BYTES);
    const back = await realWorld.pipe(print(stored), { program: 'cat', args: [] }, 'open');
    expect(back).toMatchObject({ whole: true, bytes: text.length, to: { code: 0, out: text } });
  });

  test('is whole where its reader had enough before the end, as tar has', async () => {
    const back = await realWorld.pipe(print(await sealed()), shell('head -c 10 >/dev/null'), 'open');
    expect(back).toMatchObject({ whole: true, from: { code: 0 }, to: { code: 0 } });
  });

  test('is stopped where it is asked to be', async () => {
    const stopped = await realWorld.pipe(shell('sleep 60'), shell('cat'), 'seal', async () => true);
    expect(stopped).toMatchObject({ stopped: true, to: { out: '' } });
  });

  test('ends where its reader fails, whose code says why', async () => {
    const back = await realWorld.pipe(shell('yes'), shell('head -c 10 >/dev/null; exit 7'), 'open');
    expect(back).toMatchObject({ whole: false, to: { code: 7 } });
  });

  test('that is cut off never ends well for its reader', async () => {
    const cut = (await sealed()).slice(0, -1);
    const back = await realWorld.pipe(print(cut), shell('cat >/dev/null'), 'open');
    expect(back.whole).toBe(false);
    expect(back.to.code).not.toBe(0);
  });
});

test('a dump that fails: the program is named, other items go on, the audit log says it once', async () => {
  const world = new World();
  world.dumpFails = true;
  await expect(take(world)).rejects.toThrow('mariadb-dump failed: lost connection');
  await expect(take(world)).rejects.toThrow();
  expect(world.stored).toEqual(['paths', 'paths']);
  expect(world.audit().map((line) => JSON.parse(line))).toMatchObject([
    {
      action: 'backup',
      result: 'failed',
      app: 'shop',
      message: 'main: mariadb-dump failed: lost connection',
    },
  ]);
});

describe('the timer', () => {
  test('backs up what is due, and tries again what failed', async () => {
    const world = new World();
    await tick(world, plan, tell);
    expect(world.stored).toHaveLength(2);
    await tick(world, plan, tell);
    expect(world.stored).toHaveLength(2);
    world.clock += 0.95 * DAY;
    world.dumpFails = true;
    await expect(tick(world, plan, tell)).rejects.toThrow('lost connection');
    world.clock += 60_000;
    world.dumpFails = false;
    await tick(world, plan, tell);
    expect(world.stored).toEqual(['stream', 'paths', 'paths', 'stream']);
  });

  test('on a host that is being made anew does nothing; an empty one is no backup of another', async () => {
    const world = new World();
    world.texts.set(BACKUP_REPLACING, '');
    await tick(world, plan, tell);
    expect(world.stored).toEqual([]);
    world.texts.delete(BACKUP_REPLACING);
    world.apps = false;
    await tick(world, plan, tell);
    expect(world.stored).toEqual(['stream']);
  });

  test('a database that comes after the first look is backed up at the next', async () => {
    const world = new World();
    world.tables = '';
    await tick(world, plan, tell);
    expect(world.stored).toEqual(['paths']);
    await tick(world, plan, tell);
    expect(world.stored).toEqual(['paths']);
    world.tables = 'orders\n';
    await tick(world, plan, tell);
    expect(world.stored).toEqual(['paths', 'stream']);
  });

  test('restores on trial by itself a day after the first backup, and a month after the last trial', async () => {
    const world = new World();
    const trials = () => world.status().items.map(({ verifiedAt }) => verifiedAt);
    const begin = world.clock;
    await tick(world, plan, tell);
    expect(trials()).toEqual([null, null]);
    world.clock += 1.1 * DAY;
    // What is due to be backed up comes first, then one trial a look.
    for (let look = 0; look < 3; look++) await tick(world, plan, tell);
    expect(trials()).toEqual([world.clock, world.clock]);
    for (let day = 2; day < 31; day++) {
      world.clock = begin + day * DAY;
      for (let look = 0; look < 3; look++) await tick(world, plan, tell);
      expect(trials()).toEqual([begin + 1.1 * DAY, begin + 1.1 * DAY]);
    }
    world.clock = begin + 31.2 * DAY;
    for (let look = 0; look < 3; look++) await tick(world, plan, tell);
    expect(trials()).toEqual([world.clock, world.clock]);
  });

  test('a host without a plan says what to do', async () => {
    const world = new World();
    expect(world.texts.has(BACKUP_PLAN)).toBe(false);
    await expect(readPlan(world)).rejects.toMatchObject({
      kind: 'usage',
      next: expect.stringContaining('prod up'),
    });
  });

  const [known] = merged(plan, undefined, 0).items;
  if (known === undefined) throw new Error('it has items');
  test.each([
    ['never', { ...known, at: null }, true],
    ['just now', { ...known, at: 0.5 * DAY }, false],
    ['a tenth early', { ...known, at: 0.1 * DAY }, true],
    ['failed', { ...known, at: 0.9 * DAY, error: 'no' }, true],
  ])('backed up %s: due is %s', (_title, one, due) => {
    expect(isDue(one, DAY, DAY)).toBe(due);
  });

  test.each([
    ['without a backup', { at: null }, DAY * 40, false],
    ['in its first hours', { at: 1 }, DAY / 2, false],
    ['after a day, if never', { at: 1 }, DAY + 1, true],
    ['within a month', { at: 1, verifiedAt: DAY }, DAY * 20, false],
    ['after a month', { at: 1, verifiedAt: DAY }, DAY + VERIFY_EVERY_MS, true],
    ['a failed one again soon', { at: 1, verifyError: 'no', verifyTriedAt: 5 * DAY }, 6.1 * DAY, true],
    ['but not at once', { at: 1, verifyError: 'no', verifyTriedAt: 5 * DAY }, 5.5 * DAY, false],
  ])('is restored on trial %s: %s', (_title, change, now, due) => {
    const status = { every: DAY, items: [{ ...known, ...change }] };
    expect(dueTrial(status, now) !== undefined).toBe(due);
  });
});

describe('the seal behind a dump', () => {
  const through = async (parts: readonly string[]) => {
    const opener = new Opener();
    const out = await buffer(Readable.from(parts.map((part) => Buffer.from(part))).pipe(opener));
    return { text: out.toString(), whole: opener.whole };
  };
  const sealed = async (text: string) => {
    const counter = new Counter();
    await buffer(Readable.from([Buffer.from(text)]).pipe(counter));
    return text + sealOf(counter.sha256);
  };

  test.each([1, 7, SEAL_BYTES, 1000])('is taken off, in parts of %s bytes', async (size) => {
    const text = await sealed('INSERT INTO t VALUES (1);\n'.repeat(20));
    const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
      text.slice(i * size, (i + 1) * size),
    );
    expect(await through(parts)).toEqual({ text: 'INSERT INTO t VALUES (1);\n'.repeat(20), whole: true });
  });

  test('an empty dump has one too', async () => {
    expect(await through([await sealed('')])).toEqual({ text: '', whole: true });
  });

  test.each([
    ['cut off', (text: string) => text.slice(0, -1)],
    ['cut off before the seal', (text: string) => text.slice(0, 50)],
    ['changed', (text: string) => text.replace('1', '2')],
    ['nothing', () => ''],
  ])('%s: not whole', async (_title, harm) => {
    const text = harm(await sealed('INSERT INTO t VALUES (1);\n'.repeat(20)));
    expect((await through([text])).whole).toBe(false);
  });
});
