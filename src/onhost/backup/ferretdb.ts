/** FerretDB: SQLite files in a folder of its own. Restored ones take their place while it stands still. */
import { dirname, join } from 'node:path';
import type { DatabaseItem } from '../../contract/backup.ts';
import { type Engine, must } from './engine.ts';
import archive from './ferretdb.sh' with { type: 'text' };
import type { BackupWorld, Command } from './world.ts';

const DATA = '/var/lib/ferretdb';
const ACCOUNT = 'ferretdb';

export function ferretdb(world: BackupWorld, item: DatabaseItem): Engine {
  return new FerretDb(world, item);
}

class FerretDb implements Engine {
  readonly file: string;
  readonly folder = DATA;
  /** SQLite's backup counts its changes in the file. */
  readonly exact = false;
  readonly #world: BackupWorld;
  readonly #data: string;
  readonly #unit: string;

  constructor(world: BackupWorld, item: DatabaseItem) {
    this.#world = world;
    this.file = `${item.app}-${item.key}.tar`;
    this.#data = `${DATA}/${item.app}.${item.key}`;
    this.#unit = `ferretdb@${item.app}.${item.key}.service`;
  }

  /** Beside the folder itself, on the same disk. */
  #folder(beside: string): string {
    return beside.startsWith('/') ? beside : join(dirname(this.#data), beside);
  }

  async #stores(folder: string): Promise<readonly string[]> {
    const names = await this.#world.files.list(folder);
    return names.filter((one) => one.endsWith('.sqlite') && one !== 'admin.sqlite');
  }

  async holdsData(): Promise<boolean> {
    return (await this.#stores(this.#data)).length > 0;
  }

  exists(beside: string): Promise<boolean> {
    return this.#world.files.exists(this.#folder(beside));
  }

  dump(beside?: string): Command {
    const folder = beside === undefined ? this.#data : this.#folder(beside);
    return { program: 'bash', args: ['-c', archive, 'pipeline', folder, ACCOUNT] };
  }

  async makeBeside(beside: string): Promise<void> {
    await this.removeBeside(beside);
    await this.#world.files.makeFolder(this.#folder(beside), 0o700);
    const own = { program: 'chown', args: [`${ACCOUNT}:${ACCOUNT}`, this.#folder(beside)] };
    await must(this.#world, 'a folder beside', own);
  }

  load(beside: string): Command {
    return { program: 'tar', args: ['-xf', '-', '-C', this.#folder(beside)] };
  }

  removeBeside(beside: string): Promise<void> {
    return this.#world.files.remove(this.#folder(beside));
  }

  async count(beside?: string): Promise<string> {
    const folder = beside === undefined ? this.#data : this.#folder(beside);
    const stores = await this.#stores(folder);
    const sql = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'; PRAGMA integrity_check;";
    const found = await Promise.all(
      stores.map((one) =>
        must(this.#world, one, { program: 'sqlite3', args: ['-readonly', join(folder, one), sql] }),
      ),
    );
    const whole = found.every((lines) => lines.trim().endsWith('ok'));
    const tables = found.reduce((sum, lines) => sum + Number(lines.split('\n')[0]), 0);
    return `${stores.length} files, ${tables} tables${whole ? '' : ', damaged'}`;
  }

  async replace(beside: string, _from: string, mark: (step: string) => Promise<void>): Promise<void> {
    await mark('moving');
    const { files } = this.#world;
    const fresh = this.#folder(beside);
    await must(this.#world, 'stop it', { program: 'systemctl', args: ['stop', '--quiet', this.#unit] });
    // What has moved already is no longer beside: only the others are replaced.
    const waiting = await this.#stores(fresh);
    if (await files.exists(fresh)) {
      const moved = `${fresh}/.moved`;
      if (!(await files.exists(moved))) {
        for (const name of await files.list(this.#data))
          if (/\.sqlite(-wal|-shm)?$/.test(name) && !name.startsWith('admin.'))
            await files.remove(join(this.#data, name));
        await files.write(moved, '', 0o600);
      }
      for (const name of waiting) await files.move(join(fresh, name), join(this.#data, name));
    }
    const start = { program: 'systemctl', args: ['start', this.#unit] };
    if (await files.exists(`/etc/systemd/system/multi-user.target.wants/${this.#unit}`))
      await must(this.#world, 'start it again', start);
    await this.removeBeside(beside);
  }
}
