/**
 * What exists in the account that concerns one environment: read in one round trip, without changing
 * anything.
 */

import { md5Fingerprint } from '../../ed25519.ts';
import { findOperatorKey, type OperatorKey } from '../../operator-key.ts';
import type { EnvironmentSpec } from '../../provider.ts';
import type { AccountKey, Droplet, Firewall, Vpc } from '../api/answers.ts';
import type { Api } from '../api/api.ts';
import { together } from '../api/wait.ts';
import type { Catalogue } from './catalogue.ts';
import { imageOf } from './machines.ts';
import { hasTag, type Marks, marksOf } from './names.ts';

/** This machine's operator key as the account would know it. */
export interface KnownKey extends OperatorKey {
  /** MD5 with colons. */
  readonly fingerprint: string;
}

/** Everything from which the plan is made. */
export interface Surveyed {
  /** All droplets of the account, ours or not. */
  readonly droplets: readonly Droplet[];
  readonly firewalls: readonly Firewall[];
  readonly vpcs: readonly Vpc[];
  readonly tags: readonly string[];
  /** The key in this project's folder, if there is one. */
  readonly operatorKey: KnownKey | undefined;
  /** The same key in the account, if it is registered. */
  readonly accountKey: AccountKey | undefined;
  /** Read only where something is to be made. */
  readonly catalogue: Catalogue | undefined;
}

/** Ours: has the environment's tag and the owner mark. Nothing else is ever changed or removed. */
export function isOurs(droplet: Pick<Droplet, 'tags'>, marks: Marks): boolean {
  return hasTag(droplet.tags, marks.environment) && hasTag(droplet.tags, marks.owner);
}

/** @throws ApiError; Failure `usage` where the key in the folder is damaged. */
export async function survey(api: Api, spec: EnvironmentSpec): Promise<Surveyed> {
  const operatorKey = await knownKey(spec);
  const [droplets, firewalls, vpcs, tags, accountKey] = await together([
    api.droplets(),
    api.firewalls(),
    api.vpcs(),
    api.tags(),
    operatorKey === undefined ? undefined : api.key(operatorKey.fingerprint),
  ]);
  const found = {
    droplets,
    firewalls,
    vpcs,
    operatorKey,
    accountKey,
    tags: tags.map(({ name }) => name),
  };
  return { ...found, catalogue: needsCatalogue(found, spec) ? await readCatalogue(api, spec) : undefined };
}

/** The key in the project's folder; made by nobody here. */
export async function knownKey(
  spec: Pick<EnvironmentSpec, 'directory' | 'environment'>,
): Promise<KnownKey | undefined> {
  const key = await findOperatorKey(spec.directory, spec.environment);
  return key === undefined ? undefined : { ...key, fingerprint: md5Fingerprint(key.publicKey) };
}

/**
 * Whether a machine is missing or differs from what the configuration says: then sizes, regions and images
 * matter.
 */
function needsCatalogue(found: Pick<Surveyed, 'droplets'>, spec: EnvironmentSpec): boolean {
  const ours = found.droplets.filter((droplet) => isOurs(droplet, marksOf(spec)));
  return spec.machines.some((machine) => {
    const droplet = ours.find(({ name }) => name === machine.name);
    return (
      droplet === undefined || droplet.size_slug !== machine.size || droplet.region.slug !== machine.region
    );
  });
}

async function readCatalogue(api: Api, spec: EnvironmentSpec): Promise<Catalogue> {
  // A number is an image of the user's own, which the public list does not have.
  const own = spec.machines.some((machine) => /^\d+$/.test(imageOf(machine)));
  const [account, regions, sizes, images, ownImages] = await together([
    api.account(),
    api.regions(),
    api.sizes(),
    api.images('distribution'),
    own ? api.images('private') : [],
  ]);
  return { account, regions, sizes, images: [...images, ...ownImages] };
}
