/** One firewall for each group, aimed at the group's tag before any droplet carries it. Pure. */
import type { EnvironmentSpec } from '../../provider.ts';
import type { Firewall } from '../api/answers.ts';
import { firewallDrift, firewallOf, lines } from './firewall-rules.ts';
import { firewallName, freeName, groupTag, hasTag, isNameOf, type Marks } from './names.ts';
import { change, type Step } from './operations.ts';
import type { Surveyed } from './survey.ts';

export function planFirewalls(found: Surveyed, spec: EnvironmentSpec, marks: Marks): readonly Step[] {
  const groups = [...new Set(spec.machines.map(({ group }) => group))];
  const taken = found.firewalls.map(({ name }) => name);
  const steps = groups.flatMap((group): readonly Step[] => {
    const [existing, ...doubles] = ownFirewalls(found.firewalls, marks, group);
    const body = firewallOf({
      name: existing?.name ?? freeName(firewallName(marks, group), taken),
      tag: groupTag(marks, group),
      exposures: spec.machines
        .filter((machine) => machine.group === group)
        .flatMap(({ exposures }) => exposures),
      operators: spec.operators,
      fleet: marks.owner,
    });
    taken.push(body.name);
    const drift = existing === undefined ? [] : firewallDrift(existing, body);
    const action = existing === undefined ? 'create' : 'change';
    const detail = existing === undefined ? lines(body).filter((line) => / from /.test(line)) : drift;
    const own: Step[] =
      existing !== undefined && drift.length === 0
        ? []
        : [
            {
              operation: { kind: 'firewall', id: existing?.id ?? null, group, body },
              changes: [change(null, `firewall ${group}`, action, detail)],
            },
          ];
    return [...own, ...doubles.map((double) => removal(double, `a second one for ${group}`))];
  });
  const leftOver = ownFirewallsOfAll(found.firewalls, marks).filter(
    (firewall) => !groups.some((group) => ownFirewalls([firewall], marks, group).length > 0),
  );
  return [...steps, ...leftOver.map((firewall) => removal(firewall, 'no longer in pipeline.yml'))];
}

/** A group's own firewalls: our name, and aimed at our tag. A name alone could be anybody's. */
function ownFirewalls(firewalls: readonly Firewall[], marks: Marks, group: string): readonly Firewall[] {
  const tag = groupTag(marks, group);
  return firewalls.filter(
    ({ name, tags }) => isNameOf(firewallName(marks, group), name) && hasTag(tags, tag),
  );
}

/** Every firewall of this environment, whatever its group. */
export function ownFirewallsOfAll(firewalls: readonly Firewall[], marks: Marks): readonly Firewall[] {
  const start = `${marks.prefix}group:`;
  return firewalls.filter(({ name, tags }) =>
    tags.some((tag) => {
      const lower = tag.toLowerCase();
      return lower.startsWith(start) && isNameOf(firewallName(marks, lower.slice(start.length)), name);
    }),
  );
}

function removal(firewall: Firewall, why: string): Step {
  return {
    operation: { kind: 'remove firewall', id: firewall.id, name: firewall.name },
    changes: [change(null, `firewall ${firewall.name}`, 'remove', [why])],
  };
}
