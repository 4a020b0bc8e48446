/** From droplets to the machines that everything above the provider sees. Pure. */

import { Failure } from '../../../errors.ts';
import { operatorKeyFile } from '../../operator-key.ts';
import type { EnvironmentSpec, Machine, MachineSpec } from '../../provider.ts';
import type { Droplet } from '../api/answers.ts';
import { groupOf, hostKeysOf, type Marks } from './names.ts';

/** Slug or number of the image that a machine gets. */
export function imageOf({ image }: Pick<MachineSpec, 'image'>): string {
  return image ?? 'debian-12-x64';
}

/** A droplet whose host key still is the one from its user data: nothing was ever done on it. */
export function isFresh(droplet: Pick<Droplet, 'tags'>, marks: Marks): boolean {
  return hostKeysOf(marks, 'new', droplet.tags).length > 0;
}

export function addressOf(droplet: Droplet, type: 'public' | 'private'): string {
  return droplet.networks.find((network) => network.type === type)?.ip_address ?? '';
}

/**
 * Keys that a droplet may show. Until its first contact is over it may show the one from its user data;
 * from then on nobody accepts that one any more, since every process on the droplet can read it.
 */
export function acceptedHostKeys(droplet: Pick<Droplet, 'tags'>, marks: Marks): readonly string[] {
  return [...hostKeysOf(marks, 'host', droplet.tags), ...hostKeysOf(marks, 'new', droplet.tags)];
}

export function toMachine(droplet: Droplet, spec: EnvironmentSpec, marks: Marks): Machine {
  const address = addressOf(droplet, 'public');
  // A private network ends at its region.
  const regions = new Set(spec.machines.map(({ region }) => region));
  const privateAddress = regions.size > 1 ? '' : addressOf(droplet, 'private');
  const hostKeys = acceptedHostKeys(droplet, marks);
  return {
    name: droplet.name,
    group:
      spec.machines.find(({ name }) => name === droplet.name)?.group ??
      groupOf(marks, droplet.tags) ??
      droplet.name,
    address,
    privateAddress: privateAddress === '' ? address : privateAddress,
    state: stateOf(droplet, hostKeys, isFresh(droplet, marks)),
    user: 'root',
    port: 22,
    identityFile: operatorKeyFile(spec.directory, spec.environment),
    hostKeys,
    monthlyCost: droplet.size?.price_monthly ?? 0,
  };
}

function stateOf(droplet: Droplet, hostKeys: readonly string[], fresh: boolean): Machine['state'] {
  if (droplet.status === 'off') return 'stopped';
  if (droplet.status === 'archive') return 'broken';
  if (droplet.status === 'new' || fresh || addressOf(droplet, 'public') === '') return 'starting';
  return hostKeys.length === 0 ? 'broken' : 'running';
}

/** A droplet that nobody can sign in to strictly: its host key is not known any more. */
export function lacksHostKey(droplet: Droplet, marks: Marks): boolean {
  return acceptedHostKeys(droplet, marks).length === 0;
}

/**
 * The failure for droplets whose host key nobody knows: only the owner of the account can say which it is.
 */
export function unknownHostKey(droplet: Pick<Droplet, 'id' | 'name'>, marks: Marks): Failure {
  const show =
    "ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key | cut -d' ' -f2 | base64 -d | " +
    "tail -c 32 | od -An -vtx1 | tr -d ' \\n'";
  return new Failure(
    'host',
    `${droplet.name}: nobody knows its host key any more (its tag ${marks.prefix}host-key:… is gone), ` +
      'so no connection would be safe',
    {
      host: droplet.name,
      step: 'host key',
      next:
        `Open its console, https://cloud.digitalocean.com/droplets/${droplet.id}/console, run "${show}", ` +
        `and give the droplet the tag ${marks.prefix}host-key:RESULT. ` +
        'Or delete the droplet and run pipeline prod up, which makes a new one.',
    },
  );
}
