/** Hosts as an inventory names them, ready to be reached. */
import type { Config } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { hostsIn } from '../inventory/model.ts';
import { readInventory } from '../inventory/read.ts';
import { sshTargets } from '../inventory/target.ts';
import type { SshTarget } from '../ssh/connection.ts';
import { lockHost } from './lock.ts';
import { chosenInventory } from './paths.ts';

export interface InventoryTargets {
  /** Absolute path of the inventory. */
  readonly path: string;
  readonly targets: readonly SshTarget[];
  /** Targets by group; the same objects as in `targets`. */
  readonly groups: ReadonlyMap<string, readonly SshTarget[]>;
  /** The host that keeps the environment's lock. */
  readonly lockKeeper: SshTarget;
}

/** @throws Failure `usage` where the file is missing, wrong, or names no host. */
export async function inventoryTargets(
  flag: string | undefined,
  config: Pick<Config, 'directory'>,
  context: Context,
): Promise<InventoryTargets> {
  const path = chosenInventory(flag, context.cwd, config);
  const inventory = await readInventory(path, context);
  const targets = await sshTargets(inventory, [...inventory.hosts.values()], context);
  const byName = new Map(targets.map((target) => [target.name, target]));
  const lockKeeper = lockHost(targets);
  if (lockKeeper === undefined) {
    throw new Failure('usage', `${path} names no host`, { next: 'Make hosts: pipeline prod up' });
  }
  const groups = new Map(
    [...inventory.groups.keys()].map((group) => [
      group,
      hostsIn(inventory, group).flatMap(({ name }) => byName.get(name) ?? []),
    ]),
  );
  return { path, targets, groups, lockKeeper };
}
