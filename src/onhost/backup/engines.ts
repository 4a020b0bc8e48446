/** The engine of a database. */
import type { DatabaseItem } from '../../contract/backup.ts';
import type { Engine } from './engine.ts';
import { ferretdb } from './ferretdb.ts';
import { mariadb } from './mariadb.ts';
import { mongodb } from './mongodb.ts';
import type { BackupWorld } from './world.ts';

export function engineOf(world: BackupWorld, item: DatabaseItem): Engine {
  const engines = { mariadb, mongodb, ferretdb };
  return engines[item.engine](world, item);
}
