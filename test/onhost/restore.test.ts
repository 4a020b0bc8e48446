/** A folder that is restored: killed before any step, the same calls finish it, and never is there a half. */
import { expect, test } from 'vitest';
import type { BackupPlan, RestoreOrder } from '../../src/contract/backup.ts';
import { pendingRestores, Restore } from '../../src/onhost/backup/restore.ts';
import type { BackupWorld, Command, Ran } from '../../src/onhost/backup/world.ts';

const PATH = '/var/lib/pipeline-persist/shop';
const item = { kind: 'folder', app: 'shop', key: 'files', path: PATH } as const;
const plan: BackupPlan = {
  host: 'web',
  every: 1000,
  keep: { daily: 1, weekly: 0 },
  repository: '/b',
  storage: '/b',
  sftp: null,
  items: [item],
};
const order: RestoreOrder = { item, snapshot: 'abc', at: 0, into: null };

class Killed extends Error {}

/** Files by path; a folder is whatever has something below it. Ends before the n-th step that changes anything. */
class Tree implements BackupWorld {
  readonly files_ = new Map<string, string>([[`${PATH}/a`, 'old']]);
  stored = 0;
  left = Number.POSITIVE_INFINITY;
  now = () => 0;
  sleep = async () => {};
  weights = async () => undefined;
  isReleasing = async () => false;
  #step(): void {
    if (this.left-- <= 0) throw new Killed();
  }
  #below(path: string): string[] {
    return [...this.files_.keys()].filter((one) => one === path || one.startsWith(`${path}/`));
  }
  files: BackupWorld['files'] = {
    read: async (path) => this.files_.get(path),
    write: async (path, text) => {
      this.#step();
      this.files_.set(path, text);
    },
    append: async (path, text) => void this.files_.set(path, text),
    exists: async (path) => path === '/var/lib' || this.#below(path).length > 0,
    list: async (path) => [
      ...new Set(this.#below(path).map((one) => one.slice(path.length + 1).split('/')[0] ?? '')),
    ],
    makeFolder: async () => {},
    remove: async (path) => {
      this.#step();
      for (const one of this.#below(path)) this.files_.delete(one);
    },
    readLink: async () => undefined,
    move: async (from, to) => {
      this.#step();
      if (this.#below(to).length > 0) throw new Error(`${to} is there`);
      for (const one of this.#below(from)) {
        this.files_.set(to + one.slice(from.length), this.files_.get(one) ?? '');
        this.files_.delete(one);
      }
    },
    freeBytes: async () => 1e12,
  };
  run = async ({ program, args }: Command): Promise<Ran> => {
    this.#step();
    const ok = (out: unknown) => ({ code: 0, out: JSON.stringify(out), err: '' });
    if (program !== 'restic') return ok('');
    const verb = args[0];
    if (verb === 'cat') return ok({ id: 'one' });
    if (verb === 'stats') return ok({ total_size: 1 });
    if (verb === 'restore') this.files_.set(`${args[3]}${PATH}/a`, 'restored');
    if (verb === 'backup') {
      this.stored++;
      return ok({ message_type: 'summary', snapshot_id: 'x', total_bytes_processed: 1 });
    }
    return ok([]);
  };
  pipe = () => Promise.reject(new Error('a folder is no stream'));
  /** What lies where it should, and what else is left of it. */
  state() {
    const all = [...this.files_].filter(([path]) => path.startsWith('/var/lib/pipeline-persist'));
    return all.map(([path, text]) => `${path.slice('/var/lib/pipeline-persist/'.length)}: ${text}`).sort();
  }
}

/** As the operator's command does. */
async function restore(world: Tree): Promise<void> {
  const one = new Restore(world, plan, order, () => {});
  const pending = await pendingRestores(world);
  if (!pending.some(({ phase }) => phase === 'replacing')) await one.prepare();
  await one.finish('me');
}

test('comes back, what was there is kept first, and nothing is left beside', async () => {
  const world = new Tree();
  await restore(world);
  expect(world.state()).toEqual(['shop/a: restored']);
  expect(world.stored).toBe(1);
  expect(await pendingRestores(world)).toEqual([]);
});

test('killed before any of its steps, it is finished by the next run', async () => {
  const whole = new Tree();
  whole.left = 1000;
  await restore(whole);
  const steps = 1000 - whole.left;
  expect(steps).toBeGreaterThan(15);
  for (let after = 0; after < steps; after++) {
    const world = new Tree();
    world.left = after;
    await expect(restore(world)).rejects.toThrow(Killed);
    // Nobody uses it between the two, but whatever is in its place is whole.
    expect(['shop/a: old', 'shop/a: restored', undefined]).toContain(
      world.state().find((one) => one.startsWith('shop/')),
    );
    world.left = Number.POSITIVE_INFINITY;
    await restore(world);
    expect(world.state()).toEqual(['shop/a: restored']);
    expect(world.stored).toBeGreaterThan(0);
    expect(await pendingRestores(world)).toEqual([]);
  }
});
