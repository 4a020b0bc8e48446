/** The plan as a table: what exists and what should exist in, what will be done out. Nothing is called. */
import { describe, expect, it } from 'vitest';
import type { Droplet, Firewall, Vpc } from '../../../../src/cloud/digitalocean/api/answers.ts';
import { firewallOf } from '../../../../src/cloud/digitalocean/plan/firewall-rules.ts';
import {
  firewallName,
  groupTag,
  hostKeyTag,
  keyTag,
  marksOf,
  networkName,
} from '../../../../src/cloud/digitalocean/plan/names.ts';
import { planDigitalOcean } from '../../../../src/cloud/digitalocean/plan/plan.ts';
import type { Surveyed } from '../../../../src/cloud/digitalocean/plan/survey.ts';
import { generateEd25519, md5Fingerprint } from '../../../../src/cloud/ed25519.ts';
import type { EnvironmentSpec } from '../../../../src/cloud/provider.ts';
import { fakeCatalogue } from '../../../fakes/digitalocean/catalogue.ts';
import { machineSpec, referenceSpec } from '../reference.ts';

const web = (...names: string[]): EnvironmentSpec =>
  referenceSpec('/project', { machines: names.map((name) => machineSpec(name)) });
const spec = web('web-1', 'web-2');
const marks = marksOf(spec);
const { publicKey } = generateEd25519();
const fingerprint = md5Fingerprint(publicKey);
const oldKey = hostKeyTag(marks, 'host', generateEd25519().publicKey);
const newKey = hostKeyTag(marks, 'new', generateEd25519().publicKey);
const settledTags = [
  marks.environment,
  marks.owner,
  groupTag(marks, 'web'),
  keyTag(marks, fingerprint),
  oldKey,
];
const freshTags = [...settledTags.slice(0, 4), newKey];

function droplet(id: number, name: string, overrides: Partial<Droplet> = {}): Droplet {
  return {
    ...{ id, name, status: 'active', locked: false, size_slug: 's-1vcpu-1gb', size: { price_monthly: 6 } },
    ...{
      image: { id: 1, slug: 'debian-12-x64' },
      region: { slug: 'nyc3' },
      tags: [...settledTags],
      vpc_uuid: 'vpc',
    },
    networks: [
      { ip_address: `198.18.0.${id}`, type: 'public' },
      { ip_address: `10.116.0.${id}`, type: 'private' },
    ],
    ...overrides,
  } as Droplet;
}

const vpc: Vpc = {
  id: 'vpc',
  name: networkName(marks, 'nyc3'),
  description: marks.description,
  region: 'nyc3',
  default: false,
};
const firewall: Firewall = {
  ...{ id: 'fw', status: 'succeeded', pending_changes: [], droplet_ids: [] },
  ...(firewallOf({
    name: firewallName(marks, 'web'),
    tag: groupTag(marks, 'web'),
    exposures: [],
    operators: spec.operators,
    fleet: marks.owner,
  }) as unknown as Firewall),
};

/** The account when nothing is to be done, changed. */
function found(overrides: Partial<Surveyed> = {}): Surveyed {
  return {
    droplets: [droplet(1, 'web-1'), droplet(2, 'web-2')],
    firewalls: [firewall],
    vpcs: [vpc],
    tags: settledTags,
    operatorKey: { identityFile: '/project/.pipeline/keys/prod', publicKey, fingerprint },
    accountKey: { id: 9, fingerprint, public_key: publicKey, name: marks.name },
    catalogue: { account: { droplet_limit: 10 }, ...fakeCatalogue() },
    ...overrides,
  };
}

const CASES: readonly [
  title: string,
  wanted: EnvironmentSpec,
  found: Surveyed,
  operations: readonly unknown[],
][] = [
  ['nothing where everything is there', spec, found(), []],
  [
    'everything where nothing is there',
    spec,
    found({ droplets: [], firewalls: [], vpcs: [], tags: [], operatorKey: undefined, accountKey: undefined }),
    [
      { kind: 'tags', names: [marks.environment, marks.owner, groupTag(marks, 'web')] },
      { kind: 'key' },
      { kind: 'network', region: 'nyc3', name: vpc.name },
      { kind: 'firewall', id: null, group: 'web' },
      { kind: 'droplets', machines: spec.machines, network: null },
    ],
  ],
  [
    'droplets of one kind together, ten at most, into the network that exists',
    web(...Array.from({ length: 12 }, (_, index) => `web-${index + 1}`)),
    found({
      droplets: [],
      tags: settledTags.slice(0, 4),
      catalogue: { account: { droplet_limit: 20 }, ...fakeCatalogue() },
    }),
    [
      { kind: 'droplets', network: 'vpc', machines: { length: 10 } },
      { kind: 'droplets', network: 'vpc', machines: { length: 2 } },
    ],
  ],
  [
    'the rest of an interrupted first contact',
    spec,
    found({ droplets: [droplet(1, 'web-1', { tags: freshTags }), droplet(2, 'web-2')] }),
    [{ kind: 'first contact', id: 1, name: 'web-1' }],
  ],
  [
    'the removal of a second droplet of one name that was never used, be it the older one',
    spec,
    found({ droplets: [droplet(1, 'web-1', { tags: freshTags }), droplet(2, 'web-2'), droplet(3, 'web-1')] }),
    [{ kind: 'remove droplet', id: 1, name: 'web-1', fresh: true }],
  ],
  [
    'no removal where both of one name are in use',
    spec,
    found({ droplets: [droplet(1, 'web-1'), droplet(2, 'web-2'), droplet(3, 'web-1')] }),
    [],
  ],
  [
    'the removal of members that are no longer wanted, with their keys',
    web('web'),
    found({
      tags: [...settledTags, hostKeyTag(marks, 'host', publicKey)],
      droplets: [
        droplet(1, 'web-1'),
        droplet(2, 'web-2', { tags: [...settledTags.slice(0, 4), hostKeyTag(marks, 'host', publicKey)] }),
      ],
    }),
    [
      { kind: 'rename', id: 1, from: 'web-1', to: 'web' },
      { kind: 'remove droplet', id: 2, name: 'web-2', fresh: false },
      { kind: 'remove tags', names: [hostKeyTag(marks, 'host', publicKey)] },
    ],
  ],
  [
    'nothing about a droplet that somebody gave another name and that nobody misses',
    spec,
    found({ droplets: [...found().droplets, droplet(3, 'toys')] }),
    [],
  ],
  [
    'power where it is off',
    spec,
    found({ droplets: [droplet(1, 'web-1', { status: 'off' }), droplet(2, 'web-2')] }),
    [{ kind: 'power on', id: 1, name: 'web-1' }],
  ],
  [
    'another name for the firewall where somebody else has ours',
    spec,
    found({ firewalls: [{ ...firewall, tags: ['theirs'] }] }),
    [{ kind: 'firewall', id: null, body: { name: `${firewall.name}-2` } }],
  ],
  [
    'another name for the network where somebody else has ours',
    spec,
    found({ vpcs: [{ ...vpc, id: 'theirs', description: '' }] }),
    [{ kind: 'network', name: `${vpc.name}-2` }],
  ],
  [
    'nothing about a network of ours whose description somebody changed',
    spec,
    found({ vpcs: [{ ...vpc, description: 'ours' }] }),
    [],
  ],
  [
    'the firewall whole where a rule differs',
    spec,
    found({ firewalls: [{ ...firewall, inbound_rules: [] }] }),
    [
      {
        kind: 'firewall',
        id: 'fw',
        body: {
          inbound_rules: [{ protocol: 'tcp', ports: '22', sources: { addresses: ['203.0.113.7/32'] } }],
        },
      },
    ],
  ],
  [
    'nothing where the API writes a rule in another way',
    spec,
    found({
      firewalls: [
        {
          ...firewall,
          outbound_rules: firewall.outbound_rules.map((rule) => ({ ...rule, ports: 'all' })),
          inbound_rules: firewall.inbound_rules.map((rule) => ({
            ...rule,
            sources: { addresses: ['203.0.113.7'] },
          })),
        },
      ],
    }),
    [],
  ],
  [
    'the registration of a key that the account lost',
    spec,
    found({ accountKey: undefined }),
    [{ kind: 'key' }],
  ],
  [
    "the environment's tag for a droplet that lost it",
    spec,
    found({ droplets: [droplet(1, 'web-1', { tags: settledTags.slice(1) }), droplet(2, 'web-2')] }),
    [{ kind: 'tag', id: 1, name: 'web-1', tag: marks.environment }],
  ],
];

describe('the plan has', () => {
  it.each(CASES)('%s', (_title, wanted, account, operations) => {
    const plan = planDigitalOcean(account, wanted);
    expect(plan.operations).toMatchObject(operations as object[]);
    expect(plan.operations).toHaveLength(operations.length);
    // What is done is shown, and the other way round.
    expect(plan.changes.length === 0).toBe(plan.operations.length === 0);
    expect(plan.changes.every(({ detail }) => detail.length > 0)).toBe(true);
  });

  it('machines with both addresses, cost, and the host key that they must show', () => {
    const [first] = planDigitalOcean(found(), spec).machines;
    expect(first).toMatchObject({
      ...{
        name: 'web-1',
        group: 'web',
        address: '198.18.0.1',
        privateAddress: '10.116.0.1',
        state: 'running',
      },
      ...{ user: 'root', port: 22, identityFile: '/project/.pipeline/keys/prod', monthlyCost: 6 },
      hostKeys: [expect.stringMatching(/^ssh-ed25519 AAAA/)],
    });
  });

  it('both host keys while the first contact is unfinished, and one afterwards', () => {
    const unfinished = found({
      droplets: [droplet(1, 'web-1', { tags: [...freshTags, oldKey] }), droplet(2, 'web-2')],
    });
    const [first, second] = planDigitalOcean(unfinished, spec).machines;
    expect([first?.hostKeys.length, second?.hostKeys.length]).toEqual([2, 1]);
    expect([first?.state, second?.state]).toEqual(['starting', 'running']);
  });
});
