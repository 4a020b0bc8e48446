/**
 * MongoDB: pipeline's own user signs in with a file. Collections cannot change places, so they are copied.
 */
import type { DatabaseItem } from '../../contract/backup.ts';
import { BACKUP_STATE } from '../../contract/backup-paths.ts';
import { Failure } from '../../errors.ts';
import { type Engine, must } from './engine.ts';
import runTool from './mongodb-tool.sh' with { type: 'text' };
import { type BackupWorld, type Command, lastLine } from './world.ts';

const ADMIN_FILE = '/etc/pipeline/databases/mongodb-admin';
const SIGN_IN = `${BACKUP_STATE}/restore/mongodb.yml`;

export function mongodb(world: BackupWorld, item: DatabaseItem): Engine {
  return new MongoDb(world, item);
}

class MongoDb implements Engine {
  readonly file: string;
  readonly folder = '/var/lib/mongodb';
  /** The archive holds collections in whatever order they were read. */
  readonly exact = false;
  readonly #world: BackupWorld;
  readonly #item: DatabaseItem;

  constructor(world: BackupWorld, item: DatabaseItem) {
    this.#world = world;
    this.#item = item;
    this.file = `${item.app}-${item.key}.archive`;
  }

  /** A program of MongoDB's tools, with the password in a file for root alone while it runs. */
  #tool(program: string, args: readonly string[]): Command {
    const how = [`--host=127.0.0.1`, `--port=${this.#item.port}`, '--username=pipeline'];
    const all = [...how, '--authenticationDatabase=admin', '--quiet', ...args];
    return { program: 'bash', args: ['-c', runTool, 'pipeline', ADMIN_FILE, program, ...all] };
  }

  async #shell(database: string, code: string): Promise<string> {
    const { files } = this.#world;
    const password = ((await files.read(ADMIN_FILE)) ?? '').trim();
    const admin = `connect('mongodb://127.0.0.1:${this.#item.port}/admin')`;
    const sign = `const admin = ${admin}; admin.auth('pipeline', ${JSON.stringify(password)});`;
    const db = `const db = admin.getSiblingDB(${JSON.stringify(database)});`;
    await files.write(SIGN_IN, `${sign} ${db} ${code}\n`, 0o600);
    try {
      const args = ['--quiet', '--norc', '--nodb', SIGN_IN];
      return await must(this.#world, `the database ${this.#item.name}`, { program: 'mongosh', args });
    } finally {
      await files.remove(SIGN_IN);
    }
  }

  async #collections(database: string): Promise<number> {
    return Number(await this.#shell(database, 'print(db.getCollectionNames().length)'));
  }

  async holdsData(): Promise<boolean> {
    if (!(await this.#world.files.exists(ADMIN_FILE))) return false;
    return (await this.#collections(this.#item.name)) > 0;
  }

  async exists(beside: string): Promise<boolean> {
    return (await this.#collections(beside)) > 0;
  }

  dump(beside = this.#item.name): Command {
    return this.#tool('mongodump', [`--db=${beside}`, '--archive']);
  }

  makeBeside(beside: string): Promise<void> {
    return this.removeBeside(beside);
  }

  load(beside: string): Command {
    return this.#restore(this.#item.name, beside);
  }

  #restore(from: string, to: string): Command {
    const renamed = [`--nsFrom=${from}.*`, `--nsTo=${to}.*`];
    return this.#tool('mongorestore', ['--archive', '--drop', '--stopOnError', ...renamed]);
  }

  async removeBeside(beside: string): Promise<void> {
    await this.#shell(beside, 'db.dropDatabase()');
  }

  async count(beside = this.#item.name): Promise<string> {
    const code =
      'const all = db.getCollectionNames(); print(all.length + " collections, " + all.reduce((n, c) => ' +
      'n + db[c].countDocuments({}), 0) + " documents")';
    return (await this.#shell(beside, code)).trim();
  }

  async replace(beside: string, _from: string, mark: (step: string) => Promise<void>): Promise<void> {
    await mark('copying');
    const own = this.#item.name;
    await this.#shell(own, 'db.dropDatabase()');
    const { from, to } = await this.#world.pipe(this.dump(beside), this.#restore(beside, own), undefined);
    const failed = from.code === 0 ? to : from;
    if (failed.code !== 0) throw new Failure('host', `the database ${own}: ${lastLine(failed)}`);
    await this.removeBeside(beside);
  }
}
