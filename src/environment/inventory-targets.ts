/** Hosts as an inventory names them, ready to be reached. */
import type { Config } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { hostsIn, type Inventory, type InventoryHost } from '../inventory/model.ts';
import { readInventory } from '../inventory/read.ts';
import { declaredTarget, sshTargets } from '../inventory/target.ts';
import type { SshTarget } from '../ssh/connection.ts';
import { lockHost } from './lock.ts';
import { chosenInventory } from './paths.ts';

export interface InventoryTargets {
  /** Absolute path of the inventory. */
  readonly path: string;
  readonly targets: readonly SshTarget[];
  /** Hosts that cannot be reached over SSH and that pipeline.yml does not use, each with the reason. */
  readonly leftOut: readonly LeftOut[];
  /** Targets by group; the same objects as in `targets`. */
  readonly groups: ReadonlyMap<string, readonly SshTarget[]>;
  /** The host that keeps the environment's lock. */
  readonly lockKeeper: SshTarget;
}

export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

/**
 * A host that cannot be reached as its variables say (Windows, `localhost`, a password from a vault) stands
 * in nobody's way unless pipeline.yml uses it.
 * @throws Failure `usage` where the file is missing, wrong, or names no host, or a host that is used cannot
 *   be reached as it says.
 */
export async function inventoryTargets(
  flag: string | undefined,
  config: Pick<Config, 'directory' | 'hosts'>,
  context: Context,
): Promise<InventoryTargets> {
  const path = chosenInventory(flag, context.cwd, config);
  const inventory = await readInventory(path, context);
  const { usable, leftOut } = usedHosts(inventory, Object.keys(config.hosts));
  const targets = await sshTargets(inventory, usable, context);
  const byName = new Map(targets.map((target) => [target.name, target]));
  const lockKeeper = lockHost(targets);
  if (lockKeeper === undefined) {
    throw new Failure('usage', `${path} names no host${leftOut.length > 0 ? ' that can be used' : ''}`, {
      output: leftOut.map(({ why }) => why),
      next: 'Make hosts: pipeline prod up',
    });
  }
  const groups = new Map(
    [...inventory.groups.keys()].map((group) => [
      group,
      hostsIn(inventory, group).flatMap(({ name }) => byName.get(name) ?? []),
    ]),
  );
  return { path, targets, leftOut, groups, lockKeeper };
}

function usedHosts(
  inventory: Inventory,
  groups: readonly string[],
): { readonly usable: readonly InventoryHost[]; readonly leftOut: readonly LeftOut[] } {
  const used = new Set(groups.flatMap((group) => hostsIn(inventory, group)));
  const judged = [...inventory.hosts.values()].map((host) => {
    const [why] = used.has(host) ? [] : declaredTarget(host).mistakes;
    return { host, why };
  });
  return {
    usable: judged.flatMap(({ host, why }) => (why === undefined ? [host] : [])),
    leftOut: judged.flatMap(({ host: { name }, why }) => (why === undefined ? [] : [{ name, why }])),
  };
}
