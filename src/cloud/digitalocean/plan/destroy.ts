/** What `destroy` removes and what it leaves, with the reason. Pure. */
import type { EnvironmentSpec } from '../../provider.ts';
import type { AccountKey, Droplet, Firewall, Tag, Vpc, VpcMember } from '../api/answers.ts';
import { dropletOf } from '../api/hidden.ts';
import { ownFirewallsOfAll } from './firewalls.ts';
import { addressOf } from './machines.ts';
import { fingerprintOfTag, firewallName, hasTag, isNameOf, type Marks, networkName } from './names.ts';
import { ownNetworks } from './networks.ts';
import { isOurs } from './survey.ts';

/** Everything in the account that could concern the environment. */
export interface Estate {
  readonly droplets: readonly Droplet[];
  readonly firewalls: readonly Firewall[];
  readonly vpcs: readonly Vpc[];
  /** Network's id → what is in it; only for networks with our name. */
  readonly members: ReadonlyMap<string, readonly VpcMember[]>;
  readonly keys: readonly AccountKey[];
  readonly tags: readonly Tag[];
  /** Fingerprint of the key in this folder, if there is one. */
  readonly fingerprint: string | undefined;
}

export interface DestroyPlan {
  readonly droplets: readonly Droplet[];
  readonly firewalls: readonly Firewall[];
  readonly vpcs: readonly Vpc[];
  readonly keys: readonly AccountKey[];
  readonly tags: readonly string[];
  /**
   * In a network of ours there is a droplet that no list shows: it was just made, or is just going. Who it
   * belongs to is not known yet.
   */
  readonly hidden: boolean;
  /** One sentence each. */
  readonly left: readonly string[];
}

export function planDestroy(estate: Estate, spec: EnvironmentSpec, marks: Marks): DestroyPlan {
  const droplets = estate.droplets.filter((droplet) => isOurs(droplet, marks));
  const firewalls = ownFirewallsOfAll(estate.firewalls, marks);
  const networks = ownNetworks(estate, marks);
  const kept = networks.flatMap((vpc) => {
    const why = whyKept(vpc, estate, marks);
    return why === undefined ? [] : [{ vpc, why }];
  });
  const fingerprints = new Set([
    ...estate.tags.flatMap(({ name }) => fingerprintOfTag(marks, name) ?? []),
    ...(estate.fingerprint === undefined ? [] : [estate.fingerprint]),
  ]);
  const keys = estate.keys.filter(
    ({ name, fingerprint }) => name === marks.name && fingerprints.has(fingerprint),
  );
  const staying = estate.droplets.filter((droplet) => !droplets.includes(droplet));
  const own = estate.tags.filter(({ name }) => isOwnTag(name, marks));
  const tagsLeft = own.filter(
    ({ name, resources }) => resources > 0 || staying.some(({ tags }) => hasTag(tags, name)),
  );
  const members = networks
    .flatMap(({ id }) => estate.members.get(id) ?? [])
    .flatMap((member) => dropletOf(member) ?? []);
  return {
    droplets,
    firewalls,
    keys,
    hidden: members.some((member) => !estate.droplets.some(({ id }) => id === member)),
    vpcs: networks.filter((vpc) => !kept.some((other) => other.vpc === vpc)),
    tags: own.filter((tag) => !tagsLeft.includes(tag)).map(({ name }) => name),
    left: [
      ...staying.flatMap((droplet) => leftDroplet(droplet, spec, marks)),
      ...estate.firewalls
        .filter(
          (firewall) =>
            !firewalls.includes(firewall) &&
            groupsOf(spec).some((group) => isNameOf(firewallName(marks, group), firewall.name)),
        )
        .map(
          ({ name, id }) => `firewall ${name} (${id}): has our name, but does not guard our droplets' tag`,
        ),
      ...kept.map(({ vpc, why }) => `network ${vpc.name}: ${why}`),
      ...estate.vpcs
        .filter((vpc) => !networks.includes(vpc) && isNameOf(networkName(marks, vpc.region), vpc.name))
        .map(({ name, id }) => `network ${name} (${id}): has our name, but is not described as ours`),
      ...estate.keys.filter((key) => !keys.includes(key)).flatMap((key) => leftKey(key, marks, fingerprints)),
      ...tagsLeft.map(({ name }) => `tag ${name}: other things of the account carry it too`),
    ],
  };
}

export function describeDroplet(droplet: Droplet): string {
  const address = addressOf(droplet, 'public');
  return `droplet ${droplet.name} (${address === '' ? droplet.id : address})`;
}

/** Ours alone, or the environment's own tag, which others may use too. */
function isOwnTag(name: string, marks: Marks): boolean {
  const lower = name.toLowerCase();
  return lower.startsWith(marks.prefix) || lower === marks.owner || lower === marks.environment;
}

function groupsOf(spec: EnvironmentSpec): readonly string[] {
  return [...new Set(spec.machines.map(({ group }) => group))];
}

/** Why the API would not let a network of ours go, or nobody would want it to. */
function whyKept(vpc: Vpc, { members, droplets }: Estate, marks: Marks): string | undefined {
  if (vpc.default)
    return `it is the default network of ${vpc.region} now, which nobody can remove (it costs nothing)`;
  const foreign = (members.get(vpc.id) ?? []).filter((member) => {
    const droplet = droplets.find(({ id }) => id === dropletOf(member));
    return dropletOf(member) === undefined || (droplet !== undefined && !isOurs(droplet, marks));
  });
  if (foreign.length === 0) return undefined;
  return `not ours and in it: ${foreign.map(({ name, urn }) => name ?? urn).join(', ')}`;
}

function leftDroplet({ id, name, tags }: Droplet, spec: EnvironmentSpec, marks: Marks): readonly string[] {
  const what = `droplet ${name} (${id})`;
  if (hasTag(tags, marks.owner))
    return [`${what}: carries our owner mark, but not the tag ${marks.environment}`];
  if (hasTag(tags, marks.environment))
    return [`${what}: carries the tag ${marks.environment}, but not our owner mark`];
  const sameName = spec.machines.some((machine) => machine.name.toLowerCase() === name.toLowerCase());
  return sameName ? [`${what}: has the name of one of our hosts, but not our tags`] : [];
}

function leftKey(
  { id, name, fingerprint }: AccountKey,
  marks: Marks,
  fingerprints: ReadonlySet<string>,
): readonly string[] {
  if (name === marks.name) return [`key ${name} (${id}): has our name, but is another key`];
  return fingerprints.has(fingerprint)
    ? [`key ${name} (${id}): our key, but registered by somebody else`]
    : [];
}
