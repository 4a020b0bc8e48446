import { describe, expect, it } from 'vitest';
import type { Firewall } from '../../../../src/cloud/digitalocean/api/answers.ts';
import { firewallDrift, firewallOf, lines } from '../../../../src/cloud/digitalocean/plan/firewall-rules.ts';

const wish = {
  name: 'web',
  tag: 'group:web',
  operators: ['203.0.113.7/32', '2001:db8::/32'],
  fleet: 'owner:me',
};

describe('a firewall', () => {
  it('opens SSH to operators, the rest to whom it is meant for, and everything outward', () => {
    const firewall = firewallOf({
      ...wish,
      exposures: [
        { port: 80, protocol: 'tcp', from: 'anyone' },
        { port: 6379, protocol: 'tcp', from: 'fleet' },
        { port: 9000, protocol: 'tcp', from: 'fleet' },
        { port: 9000, protocol: 'tcp', from: 'operators' },
        { port: 80, protocol: 'tcp', from: 'operators' },
        { port: 22, protocol: 'tcp', from: 'operators' },
      ],
    });
    expect(lines(firewall)).toEqual([
      'tcp 22 from 203.0.113.7',
      'tcp 22 from 2001:db8::/32',
      'tcp 80 from 0.0.0.0/0',
      'tcp 80 from ::/0',
      'tcp 6379 from tag owner:me',
      'tcp 9000 from 203.0.113.7',
      'tcp 9000 from 2001:db8::/32',
      'tcp 9000 from tag owner:me',
      ...['tcp all ports', 'udp all ports', 'icmp'].flatMap((what) => [
        `${what} to 0.0.0.0/0`,
        `${what} to ::/0`,
      ]),
      'guards tag group:web',
    ]);
  });

  it('opens nothing but SSH where nothing is exposed', () => {
    expect(lines(firewallOf({ ...wish, exposures: [] })).filter((line) => line.includes(' from '))).toEqual([
      'tcp 22 from 203.0.113.7',
      'tcp 22 from 2001:db8::/32',
    ]);
  });

  it.each<[string, (firewall: Firewall) => Partial<Firewall>, readonly string[]]>([
    ['nothing', () => ({}), []],
    [
      'a rule without sources',
      ({ inbound_rules: [ssh] }) => ({ inbound_rules: [{ ...ssh, protocol: 'tcp', sources: null }] }),
      ['+ tcp 22 from 203.0.113.7', '+ tcp 22 from 2001:db8::/32', '- tcp 22 from nobody'],
    ],
    [
      'a range of ports',
      ({ inbound_rules }) => ({
        inbound_rules: [
          ...inbound_rules,
          { protocol: 'udp', ports: '8000-9000', sources: { addresses: ['::/0'] } },
        ],
      }),
      ['- udp 8000-9000 from ::/0'],
    ],
    [
      'a load balancer',
      ({ inbound_rules }) => ({
        inbound_rules: [
          ...inbound_rules,
          { protocol: 'tcp', ports: '80', sources: { load_balancer_uids: ['lb'] } },
        ],
      }),
      ['- tcp 80 from load balancer lb'],
    ],
    ['a droplet of its own', () => ({ droplet_ids: [7] }), ['- guards droplet 7']],
    [
      'no way out',
      () => ({ outbound_rules: [] }),
      ['tcp all ports', 'udp all ports', 'icmp'].flatMap((what) => [
        `+ ${what} to 0.0.0.0/0`,
        `+ ${what} to ::/0`,
      ]),
    ],
  ])('that differs by %s says so', (_title, change, drift) => {
    const wanted = firewallOf({ ...wish, exposures: [] });
    const same = { id: 'fw', pending_changes: [], droplet_ids: [], ...wanted } as unknown as Firewall;
    expect(firewallDrift({ ...same, ...change(same) }, wanted)).toEqual(drift);
  });
});
