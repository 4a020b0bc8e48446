/** Room for what comes back, beside what serves: a full disk would harm that. */
import { dirname } from 'node:path';
import { Failure } from '../../errors.ts';
import { bytes } from '../../format.ts';
import type { Repository } from './repository.ts';
import type { BackupWorld } from './world.ts';

/** What stays free besides. */
const SPARE = 256 * 1024 ** 2;
/** Tables take more than their dump, with their keys. */
const GROWTH = 1.5;

/**
 * @param folder where it comes to, or will
 * @throws Failure kind `host`: there is none; nothing was touched
 */
export async function requireRoom(
  world: BackupWorld,
  repository: Repository,
  snapshot: string,
  folder: string,
): Promise<void> {
  let there = folder;
  while (!(await world.files.exists(there))) there = dirname(there);
  const free = await world.files.freeBytes(there);
  const needed = (await repository.size(snapshot)) * GROWTH + SPARE;
  if (free >= needed) return;
  throw new Failure(
    'host',
    `no room to bring the backup back: it needs ${bytes(needed)}, and ${bytes(free)} are free in ${there}`,
    { next: 'Nothing was touched. Make room there, then run the command again.' },
  );
}
