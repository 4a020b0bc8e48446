/**
 * Brings a backup back in two steps: beside what is there, while that is used (`prepareRestore`), and in its
 * place, while nobody uses it (`finishRestore`). A file on the host says how far a restore is, so that after
 * a kill at any moment the same calls finish it.
 */
import { basename, dirname, join } from 'node:path';
import {
  type BackupPlan,
  type FolderItem,
  itemName,
  type PendingRestore,
  pendingRestoreSchema,
  type RestoreOrder,
} from '../../contract/backup.ts';
import { BACKUP_STATE } from '../../contract/backup-paths.ts';
import { Failure } from '../../errors.ts';
import { bytes } from '../../format.ts';
import { must } from './engine.ts';
import { engineOf } from './engines.ts';
import { giveTo } from './owner.ts';
import { Repository } from './repository.ts';
import { requireRoom } from './room.ts';
import { placeHost, placeMonitor, takeBackup } from './take.ts';
import { besideName, loadError } from './trial.ts';
import { audit, type Tell } from './work.ts';
import type { BackupWorld } from './world.ts';

const FOLDER = `${BACKUP_STATE}/restore`;

function journalPath({ item }: Pick<RestoreOrder, 'item'>): string {
  return `${FOLDER}/${itemName(item).replaceAll('/', '.')}.json`;
}

async function readJournal(world: BackupWorld, path: string): Promise<PendingRestore | undefined> {
  const text = await world.files.read(path);
  return text === undefined ? undefined : pendingRestoreSchema.parse(JSON.parse(text));
}

/** Restores that were begun on this host and have not ended. */
export async function pendingRestores(world: BackupWorld): Promise<readonly PendingRestore[]> {
  const names = (await world.files.list(FOLDER)).filter((name) => name.endsWith('.json'));
  const found = await Promise.all(names.map((name) => readJournal(world, `${FOLDER}/${name}`)));
  return found.flatMap((one) => one ?? []);
}

/** One restore, from its order. */
export class Restore {
  readonly #world: BackupWorld;
  readonly #plan: BackupPlan;
  readonly #order: RestoreOrder;
  readonly #tell: Tell;

  constructor(world: BackupWorld, plan: BackupPlan, order: RestoreOrder, tell: Tell) {
    this.#world = world;
    this.#plan = plan;
    this.#order = order;
    this.#tell = tell;
  }

  /** The application whose data it brings back. */
  get app(): string | undefined {
    const { item } = this.#order;
    return 'app' in item ? item.app : undefined;
  }

  #say(state: 'started' | 'done', detail: string): void {
    this.#tell({ event: 'step', item: itemName(this.#order.item), state, detail });
  }

  #write(phase: PendingRestore['phase'], step = ''): Promise<void> {
    const journal: PendingRestore = { order: this.#order, phase, step };
    return this.#world.files.write(journalPath(this.#order), `${JSON.stringify(journal)}\n`, 0o600);
  }

  /**
   * Loads it beside; what is there is used meanwhile, and stays as it is.
   * @throws Failure kind `host`: what was loaded is gone again
   */
  async prepare(): Promise<void> {
    const { item, snapshot, into } = this.#order;
    const before = await readJournal(this.#world, journalPath(this.#order));
    if (before?.phase === 'replacing') {
      if (before.order.snapshot === snapshot) return;
      throw new Failure('usage', `an earlier restore of ${itemName(item)} is not finished`, {
        next: 'Run it again without a time: it finishes that one first.',
      });
    }
    const repository = await Repository.open(this.#world, this.#plan);
    if (into === null) await this.#write('loading');
    this.#say('started', 'loading');
    try {
      if (item.kind === 'database') await this.#loadDatabase(repository);
      else await this.#loadFolder(repository);
    } catch (error) {
      if (into === null) await this.#world.files.remove(journalPath(this.#order));
      throw error;
    }
    if (into === null) await this.#write('ready');
    this.#say('done', into === null ? 'loaded beside' : `loaded into ${into}`);
  }

  async #loadDatabase(repository: Repository): Promise<void> {
    const { item, snapshot, into } = this.#order;
    if (item.kind !== 'database') return;
    const engine = engineOf(this.#world, item);
    const beside = into ?? besideName(item, 'new');
    if (into !== null && (into === item.name || (await engine.exists(into))))
      throw new Failure('usage', `there is a database ${into} already`, { next: 'Take another name.' });
    await requireRoom(this.#world, repository, snapshot, engine.folder);
    await engine.makeBeside(beside);
    const from = repository.dump(snapshot, engine.file);
    const loaded = await this.#world.pipe(from, engine.load(beside), 'open');
    const error = loadError(loaded);
    if (error === '') return;
    await engine.removeBeside(beside);
    throw new Failure('host', `the backup of ${itemName(item)} does not come back: ${error}`, {
      next: 'Nothing was replaced. Take an earlier one: pipeline backup list',
    });
  }

  async #loadFolder(repository: Repository): Promise<void> {
    const { snapshot, into } = this.#order;
    const { files } = this.#world;
    const beside = into ?? this.#besideFolder();
    if (into !== null && (await files.exists(into)))
      throw new Failure('usage', `${into} is there already`, { next: 'Take another folder.' });
    await requireRoom(this.#world, repository, snapshot, beside);
    await files.remove(beside);
    await files.makeFolder(beside, 0o700);
    try {
      await repository.restore(snapshot, beside);
    } catch (error) {
      await files.remove(beside);
      throw error;
    }
  }

  /** On the disk of what it replaces. */
  #besideFolder(): string {
    const { item } = this.#order;
    if (item.kind !== 'folder') return `${FOLDER}/${item.kind}.new`;
    return join(dirname(item.path), `.${basename(item.path)}.pipeline-new`);
  }

  /**
   * Puts it in the place of what is there, of which a backup is kept first. Nobody may use it meanwhile.
   * @throws Failure kind `host`; run again, it goes on
   */
  async finish(by: string): Promise<void> {
    const { item, at } = this.#order;
    const journal = await readJournal(this.#world, journalPath(this.#order));
    if (journal === undefined || journal.phase === 'loading')
      throw new Failure('usage', `nothing is prepared for ${itemName(item)}`, { next: 'Run it again.' });
    if (journal.phase === 'ready') {
      await this.#keepBefore();
      await this.#write('replacing');
    }
    this.#say('started', 'replacing');
    if (item.kind === 'database') {
      const mark = (step: string) => this.#write('replacing', step);
      const from = journal.phase === 'replacing' ? journal.step : '';
      await engineOf(this.#world, item).replace(besideName(item, 'new'), from, mark);
    } else await this.#replaceFolder();
    await this.#world.files.remove(journalPath(this.#order));
    this.#say('done', 'in place');
    await audit(this.#world, item, by, 'done', `as of ${new Date(at).toISOString()}`, 'restore');
  }

  /** @throws Failure kind `host`: nothing was replaced */
  async #keepBefore(): Promise<void> {
    const { item } = this.#order;
    if (item.kind === 'host' || item.kind === 'monitor') return;
    this.#say('started', 'keeping what is there');
    const repository = await Repository.open(this.#world, this.#plan);
    const kept = await takeBackup(this.#world, repository, item, true);
    this.#say(
      'done',
      kept === undefined ? 'nothing was there' : `what was there is kept: ${bytes(kept.bytes)}`,
    );
  }

  async #replaceFolder(): Promise<void> {
    const { item } = this.#order;
    const beside = this.#besideFolder();
    if (item.kind === 'host') await placeHost(this.#world, beside);
    else if (item.kind === 'monitor') await placeMonitor(this.#world, beside);
    else if (item.kind === 'folder') await this.#swapFolder(item, beside);
    await this.#world.files.remove(beside);
  }

  /** The old one goes aside, the new one comes, and the old one goes: each step may be the last. */
  async #swapFolder(item: FolderItem, beside: string): Promise<void> {
    const { files } = this.#world;
    const fresh = `${beside}${item.path}`;
    const aside = `${beside}.old`;
    if (await files.exists(fresh)) {
      await giveTo(this.#world, item.app, fresh);
      if (await files.exists(item.path)) {
        await files.remove(aside);
        await files.move(item.path, aside);
      }
      await files.move(fresh, item.path);
    }
    await files.remove(aside);
    await must(this.#world, 'write to the disk', { program: 'sync', args: ['-f', dirname(item.path)] });
  }
}
