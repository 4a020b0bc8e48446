/** Hosts in groups with variables, as Ansible sees an inventory. */

/** What a variable can hold: what Python's literals can say. */
export type InventoryValue =
  | string
  | number
  | boolean
  | null
  | readonly InventoryValue[]
  | { readonly [key: string]: InventoryValue };

/** Our own variable: where other hosts reach a host, if not where this machine does. */
export const PRIVATE_ADDRESS = 'pipeline_private_address';

export type InventoryVars = Readonly<Record<string, InventoryValue>>;

export interface InventoryHost {
  readonly name: string;
  /** Its variables after all groups were laid under its own: what Ansible calls hostvars. */
  readonly vars: InventoryVars;
}

export interface InventoryGroup {
  readonly name: string;
  /** Names of the hosts that stand in the group itself. */
  readonly hosts: readonly string[];
  /** Names of the groups inside it. */
  readonly children: readonly string[];
  /** The group's own variables. */
  readonly vars: InventoryVars;
}

export interface Inventory {
  /** Where it was read from; used in messages. */
  readonly path: string;
  /** In the order in which they were first named. */
  readonly hosts: ReadonlyMap<string, InventoryHost>;
  /** Every group, `all` and `ungrouped` among them. */
  readonly groups: ReadonlyMap<string, InventoryGroup>;
}

/**
 * The hosts of a group and of the groups inside it, each once, nearest first. Empty for a group that does not
 * exist.
 */
export function hostsIn(inventory: Inventory, group: string): readonly InventoryHost[] {
  const found = new Map<string, InventoryHost>();
  const seen = new Set<string>();
  let level = [group];
  while (level.length > 0) {
    const next: string[] = [];
    for (const name of level) {
      const members = inventory.groups.get(name);
      if (members === undefined || seen.has(name)) continue;
      seen.add(name);
      for (const host of members.hosts) {
        const known = inventory.hosts.get(host);
        if (known !== undefined) found.set(host, known);
      }
      next.push(...members.children);
    }
    level = next;
  }
  return [...found.values()];
}
