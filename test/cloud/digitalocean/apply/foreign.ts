/** Things in the account that look like ours and are somebody else's. */
import { randomUUID } from 'node:crypto';
import { firewallName, type Marks, networkName } from '../../../../src/cloud/digitalocean/plan/names.ts';
import { generateEd25519, md5Fingerprint } from '../../../../src/cloud/ed25519.ts';
import { canonicalTag, type FakeAccount, type FakeDroplet } from '../../../fakes/digitalocean/account.ts';

/** Droplets of the same names and tags, a firewall, a network and a key of the same names. */
export function addForeignThings(account: FakeAccount, marks: Marks): void {
  addForeignDroplet(account, { name: 'monitor', tags: [] });
  addForeignDroplet(account, {
    name: 'checkbox',
    tags: [marks.environment, `${marks.environment}:owner:somebody-else`],
  });
  addForeignDroplet(account, { name: 'other', tags: ['web'] });
  account.firewalls.push({
    id: randomUUID(),
    name: firewallName(marks, 'monitor'),
    inbound: [{ protocol: 'tcp', ports: '22', sources: { addresses: ['192.0.2.1'] } }],
    outbound: [],
    dropletIds: [],
    tags: [canonicalTag(account, 'web')],
    createdAt: 0,
    appliedAt: 0,
  });
  account.vpcs.push({
    id: randomUUID(),
    name: networkName(marks, 'nyc3'),
    description: 'of another team',
    region: 'nyc3',
    ipRange: '10.99.0.0/20',
    isDefault: false,
    createdAt: 0,
  });
  const { publicKey } = generateEd25519();
  account.keys.push({
    id: account.nextId++,
    fingerprint: md5Fingerprint(publicKey),
    publicKey,
    name: marks.name,
    visibleAt: 0,
  });
}

export function addForeignDroplet(
  account: FakeAccount,
  given: { readonly name: string; readonly tags: readonly string[] },
): FakeDroplet {
  const number = account.nextId++;
  const droplet: FakeDroplet = {
    id: number,
    name: given.name,
    size: 's-1vcpu-1gb',
    region: 'nyc3',
    image: account.catalogue.images[0]?.id ?? 0,
    tags: given.tags.map((tag) => canonicalTag(account, tag)),
    vpc: account.vpcs[0]?.id ?? '',
    authorizedKeys: [],
    userData: '',
    features: [],
    createdAt: 0,
    visibleAt: 0,
    activeAt: 0,
    addressesAt: 0,
    busyUntil: 0,
    locked: false,
    power: 'on',
    goneAt: Number.POSITIVE_INFINITY,
    publicAddress: `192.0.2.${number % 250}`,
    privateAddress: `10.108.0.${number % 250}`,
  };
  account.droplets.push(droplet);
  return droplet;
}

/** What of the account is not ours, for a comparison before and after. */
export function foreignThings(account: FakeAccount, marks: Marks): unknown {
  const strange = account.droplets.filter(({ tags }) => !tags.includes(marks.owner));
  const known = new Set(
    account.keys.filter(({ publicKey }) => / pipeline prod$/.test(publicKey)).map(({ id }) => id),
  );
  return structuredClone({
    droplets: strange,
    firewalls: account.firewalls.filter(({ tags }) => !tags.some((tag) => tag.startsWith(marks.prefix))),
    vpcs: account.vpcs.filter(({ description }) => description !== marks.description),
    keys: account.keys.filter(({ id }) => !known.has(id)),
    tags: account.tags.filter((tag) => !tag.startsWith(marks.environment) || tag.endsWith('somebody-else')),
  });
}
