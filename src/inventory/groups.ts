/** Groups while an inventory is being read, and what they mean for each host: pure. */
import type { Inventory, InventoryGroup, InventoryHost, InventoryValue } from './model.ts';

type Vars = Record<string, InventoryValue>;

interface OpenGroup {
  readonly name: string;
  readonly hosts: Set<string>;
  /** Child → line that names it. */
  readonly children: Map<string, number>;
  vars: Vars;
  /** `ansible_group_priority`: among groups of the same depth the higher wins. */
  priority: number;
}

/** Which groups have a section of their own, and who speaks of groups. */
export interface Declarations {
  readonly declared: ReadonlySet<string>;
  /** `by`: the parent that names it as a child; absent where the group has a `:vars` section. */
  readonly references: readonly { readonly group: string; readonly by?: string; readonly line: number }[];
}

export class GroupTree implements Declarations {
  readonly declared = new Set(['all', 'ungrouped']);
  readonly references: { group: string; by?: string; line: number }[] = [];
  readonly #groups = new Map<string, OpenGroup>();
  readonly #hosts = new Map<string, Vars>();

  constructor() {
    this.#group('all');
    this.#group('ungrouped');
  }

  declare(group: string, kind: 'hosts' | 'vars' | 'children', line: number): void {
    this.#group(group);
    if (kind === 'vars') this.references.push({ group, line });
    else this.declared.add(group);
  }

  addChild(parent: string, child: string, line: number): void {
    this.references.push({ group: child, by: parent, line });
    const { children } = this.#group(parent);
    if (!children.has(child)) children.set(child, line);
  }

  /** A port in the pattern counts only where the host is named for the first time. */
  addHost(
    group: string,
    name: string,
    port: number | undefined,
    vars: readonly (readonly [string, InventoryValue])[],
  ): void {
    const before = this.#hosts.get(name) ?? (port === undefined || port === 0 ? {} : { ansible_port: port });
    this.#hosts.set(name, { ...before, ...Object.fromEntries(vars) });
    this.#group(group).hosts.add(name);
  }

  /** @throws SyntaxError for a priority that is no whole number. */
  setGroupVar(group: string, key: string, value: InventoryValue): void {
    const open = this.#group(group);
    if (key !== 'ansible_group_priority') {
      open.vars = { ...open.vars, [key]: value };
    } else if (Number.isInteger(Number(value)) && value !== '' && value !== null) {
      open.priority = Number(value);
    } else {
      throw new SyntaxError(`ansible_group_priority must be a whole number, got: ${String(value)}`);
    }
  }

  /** Groups that contain themselves, each once, at the line that closes the circle. */
  loops(): { line: number; message: string }[] {
    const found: { line: number; message: string }[] = [];
    const done = new Set<string>();
    const visit = (name: string, path: readonly string[]) => {
      if (done.has(name)) return;
      for (const [child, line] of this.#groups.get(name)?.children ?? []) {
        const start = [...path, name].indexOf(child);
        if (child === 'all' || start !== -1) {
          const circle = child === 'all' ? [child, name] : [...path, name].slice(start);
          found.push({
            line,
            message: `the group ${child} contains itself: ${[...circle, child].join(' > ')}`,
          });
        } else {
          visit(child, [...path, name]);
        }
      }
      done.add(name);
    };
    for (const name of this.#groups.keys()) visit(name, []);
    return found;
  }

  /**
   * The finished inventory. Call it where there are neither loops nor references to groups that do not exist.
   */
  resolve(path: string): Inventory {
    this.#reconcile();
    const depths = this.#depths();
    const parents = new Map<string, string[]>();
    for (const { name, children } of this.#groups.values()) {
      for (const child of children.keys()) parents.set(child, [...(parents.get(child) ?? []), name]);
    }
    const direct = new Map<string, string[]>();
    for (const { name, hosts } of this.#groups.values()) {
      for (const host of hosts) direct.set(host, [...(direct.get(host) ?? []), name]);
    }
    const hosts = new Map<string, InventoryHost>();
    for (const [name, own] of this.#hosts) {
      const groups = withAncestors(['all', ...(direct.get(name) ?? [])], parents)
        .map((group) => this.#group(group))
        .sort(
          (a, b) =>
            (depths.get(a.name) ?? 0) - (depths.get(b.name) ?? 0) ||
            a.priority - b.priority ||
            (a.name < b.name ? -1 : 1),
        );
      hosts.set(name, { name, vars: merged([...groups.map(({ vars }) => vars), own]) });
    }
    const groups = new Map<string, InventoryGroup>();
    for (const { name, hosts: members, children, vars } of this.#groups.values()) {
      groups.set(name, { name, hosts: [...members], children: [...children.keys()], vars });
    }
    return { path, hosts, groups };
  }

  #group(name: string): OpenGroup {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const group: OpenGroup = { name, hosts: new Set(), children: new Map(), vars: {}, priority: 1 };
    this.#groups.set(name, group);
    return group;
  }

  /**
   * `all` contains every group that no other contains; `ungrouped` every host, and only those, that no other
   * group has.
   */
  #reconcile(): void {
    const all = this.#group('all');
    const ungrouped = this.#group('ungrouped');
    const contained = new Set([...this.#groups.values()].flatMap(({ children }) => [...children.keys()]));
    for (const name of ['ungrouped', ...this.#groups.keys()]) {
      if (name !== 'all' && (name === 'ungrouped' || !contained.has(name))) all.children.set(name, 0);
    }
    const others = [...this.#groups.values()].filter((group) => group !== all && group !== ungrouped);
    const grouped = new Set(others.flatMap(({ hosts }) => [...hosts]));
    for (const host of this.#hosts.keys()) {
      if (grouped.has(host)) ungrouped.hosts.delete(host);
      else ungrouped.hosts.add(host);
    }
  }

  /** Length of the longest way from `all`: what is deeper is more special and wins. */
  #depths(): Map<string, number> {
    const depths = new Map<string, number>();
    const visit = (name: string, depth: number) => {
      if ((depths.get(name) ?? -1) >= depth) return;
      depths.set(name, depth);
      for (const child of this.#groups.get(name)?.children.keys() ?? []) visit(child, depth + 1);
    };
    visit('all', 0);
    return depths;
  }
}

/** The later wins. Through entries, so that a variable may have any name, `__proto__` too. */
function merged(layers: readonly Vars[]): Vars {
  return Object.fromEntries(layers.flatMap((layer) => Object.entries(layer)));
}

function withAncestors(names: readonly string[], parents: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Set<string>();
  const visit = (name: string) => {
    if (found.has(name)) return;
    found.add(name);
    for (const parent of parents.get(name) ?? []) visit(parent);
  };
  names.forEach(visit);
  return [...found];
}
