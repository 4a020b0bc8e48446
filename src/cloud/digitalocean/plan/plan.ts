/** What has to be done so that the account holds what the configuration says: a pure function from both. */
import type { EnvironmentSpec, MachineSpec } from '../../provider.ts';
import type { Droplet, Vpc } from '../api/answers.ts';
import { checkCatalogue } from './catalogue.ts';
import { costOf, priceOf } from './cost.ts';
import { planFirewalls } from './firewalls.ts';
import { type Matching, matchDroplets } from './fleet.ts';
import { imageOf, isFresh, lacksHostKey, toMachine } from './machines.ts';
import { groupOf, groupTag, hasTag, hostKeysOf, keyTag, type Marks, marksOf } from './names.ts';
import { planNetworks } from './networks.ts';
import { change, type DigitalOceanPlan, type Step } from './operations.ts';
import { checkOperatorKey, checkSpec } from './preconditions.ts';
import type { Surveyed } from './survey.ts';
import { warningsAbout } from './warnings.ts';

/** The API makes at most so many droplets in one call. */
const BATCH = 10;

/**
 * @throws Failure `usage` where the configuration asks for what does not exist or the key of the
 * environment is not here, `cloud` where there is no room.
 */
export function planDigitalOcean(found: Surveyed, spec: EnvironmentSpec): DigitalOceanPlan {
  const marks = marksOf(spec);
  checkSpec(spec);
  const matching = matchDroplets(found.droplets, spec, marks);
  checkOperatorKey(found, matching, spec, marks);
  if (found.catalogue !== undefined) {
    checkCatalogue(matching.missing, found.catalogue, found.droplets.length);
  }
  const networks = planNetworks(found, spec, marks);
  const steps = [
    ...planTags(found, spec, marks),
    ...planKey(found, spec, marks),
    ...networks.steps,
    ...planFirewalls(found, spec, marks),
    ...planCreation(matching.missing, found, networks.byRegion),
    ...matching.steps,
    ...[...matching.kept.values()].flatMap((droplet) => planUpkeep(droplet, spec, marks)),
    ...planSweep(found, matching, spec, marks),
  ];
  const operations = steps.map(({ operation }) => operation);
  return {
    operations,
    changes: steps.flatMap(({ changes }) => changes),
    machines: [...matching.kept.values()].map((droplet) => toMachine(droplet, spec, marks)),
    warnings: warningsAbout({ found, spec, marks, matching, networks: networks.byRegion }),
    cost: costOf(found, operations, marks),
  };
}

/** Firewalls can aim only at tags that exist. */
function planTags(found: Surveyed, spec: EnvironmentSpec, marks: Marks): readonly Step[] {
  const groups = new Set(spec.machines.map(({ group }) => groupTag(marks, group)));
  const names = [marks.environment, marks.owner, ...groups].filter((tag) => !hasTag(found.tags, tag));
  if (names.length === 0) return [];
  return [{ operation: { kind: 'tags', names }, changes: [change(null, 'tags', 'create', names)] }];
}

/** The key's own tag is made with it: it is how the key is found again where this folder is lost. */
function planKey(found: Surveyed, spec: EnvironmentSpec, marks: Marks): readonly Step[] {
  const { operatorKey, accountKey } = found;
  const tagged = operatorKey !== undefined && hasTag(found.tags, keyTag(marks, operatorKey.fingerprint));
  if (accountKey !== undefined && tagged) return [];
  const detail = [
    operatorKey === undefined
      ? `made here: .pipeline/keys/${spec.environment} (ed25519, for you alone)`
      : `from .pipeline/keys/${spec.environment}`,
    accountKey === undefined
      ? `registered in the account as ${marks.name}`
      : `known to the account as ${accountKey.name}`,
  ];
  return [{ operation: { kind: 'key' }, changes: [change(null, 'key', 'create', detail)] }];
}

/** Machines that are alike are made together. */
function planCreation(
  missing: readonly MachineSpec[],
  found: Surveyed,
  networks: ReadonlyMap<string, Vpc>,
): readonly Step[] {
  const alike = new Map<string, MachineSpec[]>();
  for (const machine of missing) {
    const kind = [machine.group, machine.region, machine.size, imageOf(machine)].join(' ');
    alike.set(kind, [...(alike.get(kind) ?? []), machine]);
  }
  return [...alike.values()].flatMap((machines) =>
    Array.from({ length: Math.ceil(machines.length / BATCH) }, (_, index) => {
      const batch = machines.slice(index * BATCH, (index + 1) * BATCH);
      return {
        operation: {
          kind: 'droplets' as const,
          machines: batch,
          network: networks.get(batch[0]?.region ?? '')?.id ?? null,
        },
        changes: batch.map((machine) =>
          change(machine.name, 'droplet', 'create', [describe(machine, found)]),
        ),
      };
    }),
  );
}

function describe(machine: MachineSpec, found: Surveyed): string {
  const price = priceOf(machine, found.catalogue?.sizes ?? []);
  const cost = price === undefined ? '' : `, $${price.toFixed(2)} a month`;
  return `${machine.size} in ${machine.region}, ${imageOf(machine)}${cost}`;
}

/** What an existing droplet needs: its tags, power, the rest of an interrupted first contact. */
function planUpkeep(droplet: Droplet, spec: EnvironmentSpec, marks: Marks): readonly Step[] {
  const { id } = droplet;
  const group = spec.machines.find(({ name }) => name === droplet.name)?.group;
  const wanted = [marks.environment, ...(group === undefined ? [] : [groupTag(marks, group)])];
  const steps: Step[] = wanted
    .filter((tag) => !hasTag(droplet.tags, tag))
    .map((tag) => ({
      operation: { kind: 'tag', id, name: droplet.name, tag },
      changes: [change(droplet.name, 'droplet', 'change', [`+ tag ${tag}`])],
    }));
  if (droplet.status === 'off') {
    steps.push({
      operation: { kind: 'power on', id, name: droplet.name },
      changes: [change(droplet.name, 'droplet', 'restart', ['it is powered off: power on'])],
    });
  }
  if (isFresh(droplet, marks)) {
    steps.push({
      operation: { kind: 'first contact', id, name: droplet.name },
      changes: [change(droplet.name, 'droplet', 'change', ['finish its first start, exchange its host key'])],
    });
  }
  if (droplet.status !== 'new' && lacksHostKey(droplet, marks)) {
    steps.push({
      operation: { kind: 'host key', id, name: droplet.name },
      changes: [
        change(droplet.name, 'host key', 'change', [`unknown: the tag ${marks.prefix}host-key:… is gone`]),
      ],
    });
  }
  return steps;
}

/**
 * Tags of host keys and groups that are gone, or go now. While a droplet has no host key of its own, one
 * that nobody carries may be its.
 */
function planSweep(
  found: Surveyed,
  matching: Matching,
  spec: EnvironmentSpec,
  marks: Marks,
): readonly Step[] {
  const unsettled = (droplet: Droplet) => isFresh(droplet, marks) || lacksHostKey(droplet, marks);
  if ([...matching.kept.values()].some(unsettled)) return [];
  const removed = new Set(
    matching.steps.flatMap(({ operation }) => (operation.kind === 'remove droplet' ? [operation.id] : [])),
  );
  const staying = found.droplets.filter(({ id }) => !removed.has(id));
  const groups = spec.machines.map(({ group }) => groupTag(marks, group));
  const names = found.tags.filter(
    (tag) =>
      (hostKeysOf(marks, 'host', [tag]).length > 0 || groupOf(marks, [tag]) !== undefined) &&
      !hasTag(groups, tag) &&
      !staying.some(({ tags }) => hasTag(tags, tag)),
  );
  return names.length === 0
    ? []
    : [{ operation: { kind: 'remove tags', names }, changes: [change(null, 'tags', 'remove', names)] }];
}
