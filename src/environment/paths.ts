/** Where things lie beside `pipeline.yml`. */
import { join, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';

/** The inventory that `prod up` writes. */
export function inventoryPath(config: Pick<Config, 'directory'>): string {
  return join(config.directory, 'inventory.ini');
}

/**
 * The inventory that a command reads: `-i FILE` from the current folder, else the one that `prod up` writes.
 */
export function chosenInventory(
  flag: string | undefined,
  cwd: string,
  config: Pick<Config, 'directory'>,
): string {
  return flag === undefined ? inventoryPath(config) : resolve(cwd, flag);
}
