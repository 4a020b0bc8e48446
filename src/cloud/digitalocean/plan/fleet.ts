/** Which droplet is which machine: existing, missing, one too many, under another name. Pure. */
import type { EnvironmentSpec, MachineSpec } from '../../provider.ts';
import type { Droplet } from '../api/answers.ts';
import { isFresh } from './machines.ts';
import { groupOf, hasTag, type Marks } from './names.ts';
import { change, type Step } from './operations.ts';

export interface Matching {
  /** Machine's name → its droplet (as it will be called). */
  readonly kept: ReadonlyMap<string, Droplet>;
  readonly missing: readonly MachineSpec[];
  /** Renames and removals. */
  readonly steps: readonly Step[];
  /** Ours, but neither wanted nor removed: one sentence each. */
  readonly warnings: readonly string[];
}

export function matchDroplets(droplets: readonly Droplet[], spec: EnvironmentSpec, marks: Marks): Matching {
  const steps: Step[] = [];
  const warnings: string[] = [];
  const byName = new Map<string, Droplet>();
  for (const [name, { best, others }] of ownByName(droplets, marks)) {
    byName.set(name, best);
    for (const other of others) {
      if (isFresh(other, marks)) steps.push(removal(other, true, 'a second one of this name, never used'));
      else
        warnings.push(
          `There are two droplets ${name} of this environment, both in use: ` +
            `remove one of ${best.id} and ${other.id} at https://cloud.digitalocean.com/droplets.`,
        );
    }
  }
  const wanted = new Map(spec.machines.map((machine) => [machine.name, machine]));
  const kept = new Map([...byName].filter(([name]) => wanted.has(name)));
  const missing = spec.machines.filter(({ name }) => !kept.has(name));
  const extra = [...byName.values()].filter(({ name }) => !wanted.has(name));

  // `web` becomes `web-1` where count rises from one, and back: the droplet and its data stay.
  const stillMissing: MachineSpec[] = [];
  for (const machine of missing) {
    const index = extra.findIndex((droplet) => groupOf(marks, droplet.tags) === machine.group);
    const [droplet] = index < 0 ? [] : extra.splice(index, 1);
    if (droplet === undefined) {
      stillMissing.push(machine);
      continue;
    }
    kept.set(machine.name, { ...droplet, name: machine.name });
    steps.push({
      operation: { kind: 'rename', id: droplet.id, from: droplet.name, to: machine.name },
      changes: [change(machine.name, 'droplet', 'change', [`rename ${droplet.name} to ${machine.name}`])],
    });
  }
  for (const droplet of extra) {
    if (isMember(droplet, marks)) steps.push(removal(droplet, false, 'no longer in pipeline.yml'));
    else
      warnings.push(
        `The droplet ${droplet.name} (${droplet.id}) of this environment was renamed by somebody else: ` +
          `it is left alone until pipeline ${spec.environment} destroy.`,
      );
  }
  const order = new Map(spec.machines.map(({ name }, index) => [name, index]));
  const sorted = [...kept].sort(([a], [b]) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return { kept: new Map(sorted), missing: stillMissing, steps, warnings };
}

/** Droplets of one name: the one to keep (in use before fresh, then the oldest), and others. */
export interface Namesakes {
  readonly best: Droplet;
  readonly others: readonly Droplet[];
}

/**
 * Our droplets by name. The owner mark says which are ours; it names the environment too, so that one that
 * lost the environment's tag gets it back.
 */
export function ownByName(droplets: readonly Droplet[], marks: Marks): ReadonlyMap<string, Namesakes> {
  const ours = droplets
    .filter(({ tags }) => hasTag(tags, marks.owner))
    .sort((a, b) => Number(isFresh(a, marks)) - Number(isFresh(b, marks)) || a.id - b.id);
  const byName = new Map<string, Namesakes>();
  for (const droplet of ours) {
    const before = byName.get(droplet.name);
    const after =
      before === undefined
        ? { best: droplet, others: [] }
        : { ...before, others: [...before.others, droplet] };
    byName.set(droplet.name, after);
  }
  return byName;
}

/**
 * Whether it is called as this program calls members of its group: anything else was renamed by hand, and
 * is not removed for its name.
 */
function isMember(droplet: Droplet, marks: Marks): boolean {
  const group = groupOf(marks, droplet.tags);
  if (group === undefined) return false;
  return (
    droplet.name === group ||
    /^-\d+$/.test(droplet.name.startsWith(group) ? droplet.name.slice(group.length) : '')
  );
}

function removal(droplet: Droplet, fresh: boolean, why: string): Step {
  return {
    operation: { kind: 'remove droplet', id: droplet.id, name: droplet.name, fresh },
    changes: [change(droplet.name, 'droplet', 'remove', [`${why} (${droplet.id})`])],
  };
}
