/**
 * What differs from the configuration and is not mended because that would destroy something, and what is
 * not ours. Pure.
 */
import type { EnvironmentSpec } from '../../provider.ts';
import type { Droplet, Vpc } from '../api/answers.ts';
import { ownFirewallsOfAll } from './firewalls.ts';
import type { Matching } from './fleet.ts';
import { imageOf } from './machines.ts';
import { groupTag, hasTag, type Marks } from './names.ts';
import type { Surveyed } from './survey.ts';

interface Everything {
  readonly found: Surveyed;
  readonly spec: EnvironmentSpec;
  readonly marks: Marks;
  readonly matching: Matching;
  readonly networks: ReadonlyMap<string, Vpc>;
}

/** One sentence each. */
export function warningsAbout(all: Everything): readonly string[] {
  return [
    ...all.matching.warnings,
    ...[...all.matching.kept.values()].flatMap((droplet) => driftOf(droplet, all)),
    ...foreignDroplets(all),
    ...foreignFirewalls(all),
  ];
}

function driftOf(droplet: Droplet, { spec, networks }: Everything): readonly string[] {
  const wanted = spec.machines.find(({ name }) => name === droplet.name);
  if (wanted === undefined) return [];
  const { name } = droplet;
  const differences: string[] = [];
  const says = (what: string, is: string, should: string, why: string) =>
    differences.push(`${name} has ${what} ${is}, pipeline.yml says ${should}: left as it is, since ${why}.`);
  if (droplet.size_slug !== wanted.size) {
    const how = `https://cloud.digitalocean.com/droplets/${droplet.id}/resize`;
    says(
      'size',
      droplet.size_slug,
      wanted.size,
      `resizing powers it off. Resize it at ${how}, or change pipeline.yml`,
    );
  }
  if (droplet.region.slug !== wanted.region) {
    says(
      'region',
      droplet.region.slug,
      wanted.region,
      'moving would need a new droplet. Change pipeline.yml back, or delete the droplet and run up',
    );
  }
  const image = droplet.image?.slug ?? String(droplet.image?.id ?? '');
  const wantedImage = imageOf(wanted);
  if (image !== '' && image !== wantedImage && String(droplet.image?.id) !== wantedImage) {
    says(
      'image',
      image,
      wantedImage,
      'another image would need a new droplet. Change pipeline.yml back, or delete the droplet and run up',
    );
  }
  const network = networks.get(droplet.region.slug);
  if (network !== undefined && droplet.vpc_uuid && droplet.vpc_uuid !== network.id) {
    differences.push(
      `${name} is in the network ${droplet.vpc_uuid} and not in ${network.name}: ` +
        'the others cannot reach its private address.',
    );
  }
  if (droplet.status === 'archive') {
    differences.push(
      `${name} is archived: restore or delete it at https://cloud.digitalocean.com/droplets/${droplet.id}.`,
    );
  }
  return differences;
}

function foreignDroplets({ found, spec, marks }: Everything): readonly string[] {
  const names = new Set(spec.machines.map(({ name }) => name.toLowerCase()));
  return found.droplets
    .filter(({ tags }) => !hasTag(tags, marks.owner))
    .flatMap(({ id, name, tags }) => {
      if (hasTag(tags, marks.environment)) {
        return [
          `The droplet ${name} (${id}) carries the tag ${marks.environment} without our owner mark ` +
            `${marks.owner}: it is left alone.`,
        ];
      }
      return names.has(name.toLowerCase())
        ? [`Another droplet of the account is called ${name} too (${id}): it is left alone.`]
        : [];
    });
}

/** Firewalls of others that open our droplets. */
function foreignFirewalls({ found, spec, marks, matching }: Everything): readonly string[] {
  const own = new Set(ownFirewallsOfAll(found.firewalls, marks).map(({ id }) => id));
  const ours = [marks.environment, marks.owner, ...spec.machines.map(({ group }) => groupTag(marks, group))];
  const ids = new Set([...matching.kept.values()].map(({ id }) => id));
  return found.firewalls
    .filter((firewall) => !own.has(firewall.id) && firewall.inbound_rules.length > 0)
    .filter(
      ({ tags, droplet_ids }) =>
        ours.some((tag) => hasTag(tags, tag)) || droplet_ids.some((id) => ids.has(id)),
    )
    .map(
      ({ name, id }) =>
        `The firewall ${name} (${id}), not made by pipeline, opens ports of this environment's droplets: ` +
        `see https://cloud.digitalocean.com/networking/firewalls/${id}.`,
    );
}
