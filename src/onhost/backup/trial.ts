/** Restores a backup beside what is there, compares, and takes it away again. */

import type { BackupItem, DatabaseItem } from '../../contract/backup.ts';
import { BACKUP_STATE } from '../../contract/backup-paths.ts';
import { asFailure } from '../../errors.ts';
import type { Engine } from './engine.ts';
import { engineOf } from './engines.ts';
import type { Repository } from './repository.ts';
import { requireRoom } from './room.ts';
import { type BackupWorld, lastLine, type Piped } from './world.ts';

export interface Trial {
  /** Why it does not come back; empty: it does. */
  readonly error: string;
  /** What came back, for people. */
  readonly said: string;
}

const FOLDER = `${BACKUP_STATE}/trial`;

/** A name beside a database that nobody else uses. */
export function besideName({ name }: Pick<DatabaseItem, 'name'>, what: 'new' | 'trial'): string {
  return `${name.slice(0, 40)}__pipeline_${what}`;
}

export async function tryOut(
  world: BackupWorld,
  repository: Repository,
  item: BackupItem,
  snapshot: string,
): Promise<Trial> {
  try {
    return item.kind === 'database'
      ? await tryDatabase(world, repository, item, snapshot)
      : await tryFolder(world, repository, snapshot);
  } catch (error) {
    return { error: asFailure(error).message, said: '' };
  }
}

async function tryFolder(world: BackupWorld, repository: Repository, id: string): Promise<Trial> {
  const { files } = world;
  await requireRoom(world, repository, id, FOLDER);
  await files.remove(FOLDER);
  await files.makeFolder(FOLDER, 0o700);
  try {
    await repository.restore(id, FOLDER);
    const { out } = await world.run({ program: 'find', args: [FOLDER, '-type', 'f', '-printf', '.'] });
    return { error: '', said: `${out.length} files` };
  } finally {
    await files.remove(FOLDER);
  }
}

async function tryDatabase(
  world: BackupWorld,
  repository: Repository,
  item: DatabaseItem,
  id: string,
): Promise<Trial> {
  const engine = engineOf(world, item);
  const beside = besideName(item, 'trial');
  await requireRoom(world, repository, id, engine.folder);
  await engine.makeBeside(beside);
  try {
    const loaded = await world.pipe(repository.dump(id, engine.file), engine.load(beside), 'open');
    const error = loadError(loaded);
    if (error !== '') return { error, said: '' };
    const said = await engine.count(beside);
    if (said.includes('damaged')) return { error: `it comes back damaged: ${said}`, said };
    return { error: engine.exact ? await differs(world, engine, beside, loaded) : '', said };
  } finally {
    await engine.removeBeside(beside);
  }
}

/** A dump of what came back must be the dump that went. */
async function differs(world: BackupWorld, engine: Engine, beside: string, loaded: Piped): Promise<string> {
  const again = await world.pipe(engine.dump(beside), undefined, undefined);
  if (again.from.code !== 0) return `what came back cannot be read: ${lastLine(again.from)}`;
  if (again.sha256 === loaded.sha256) return '';
  return `what came back is not what was backed up: ${again.bytes} bytes instead of ${loaded.bytes}`;
}

/** Why a stream from the storage did not become a database; empty: it did. */
export function loadError({ from, to, whole }: Piped): string {
  if (from.code !== 0) return `the storage does not give it back: ${lastLine(from)}`;
  if (!whole) return 'it was cut off when it was made, or changed since';
  return to.code === 0 ? '' : `it cannot be loaded: ${lastLine(to)}`;
}
