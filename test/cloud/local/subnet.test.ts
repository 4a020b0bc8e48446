import { describe, expect, test } from 'vitest';
import {
  addressIn,
  chooseSubnet,
  conflictWith,
  formatNetwork,
  freeHostNumber,
  type Occupied,
  overlaps,
  parseNetwork,
  parseRoutes,
} from '../../../src/cloud/local/subnet.ts';

const network = (text: string) => {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new Error(`not a network: ${text}`);
  return parsed;
};
const occupied = (...texts: string[]): Occupied[] =>
  texts.map((text) => ({ network: network(text), by: `route ${text}` }));

describe('networks', () => {
  test.each([
    ['10.77.0.0/16', '10.77.0.0/16'],
    ['10.77.3.9/24', '10.77.3.0/24'],
    ['255.255.255.255/32', '255.255.255.255/32'],
    ['1.2.3.4/0', '0.0.0.0/0'],
  ])('%s is %s', (text, expected) => expect(formatNetwork(network(text))).toBe(expected));

  test.each(['10.77.0.0', '10.77.0/16', '256.0.0.0/8', '10.0.0.0/33', 'fd00::/8', ''])('%j is none', (text) =>
    expect(parseNetwork(text)).toBeUndefined(),
  );

  test.each([
    ['10.0.0.0/8', '10.77.1.0/24', true],
    ['10.77.1.0/24', '10.0.0.0/8', true],
    ['10.77.1.0/24', '10.77.2.0/24', false],
    ['10.77.1.128/25', '10.77.1.0/24', true],
    ['0.0.0.0/0', '192.168.0.0/24', true],
  ])('%s and %s overlap: %s', (a, b, expected) => expect(overlaps(network(a), network(b))).toBe(expected));

  test('addresses count from the network address', () =>
    expect(addressIn('10.77.255.0/24', 11)).toBe('10.77.255.11'));
});

describe('choice of a subnet', () => {
  test.each([
    ['nothing is taken', ['10.77.0.0/16'], [], '10.77.1.0/24'],
    ['the first is taken', ['10.77.0.0/16'], ['10.77.1.0/24'], '10.77.2.0/24'],
    ['a part of the first is taken', ['10.77.0.0/16'], ['10.77.1.200/32'], '10.77.2.0/24'],
    ['a hole between taken ones', ['10.77.0.0/16'], ['10.77.1.0/24', '10.77.3.0/24'], '10.77.2.0/24'],
    ['a VPN has all of 10/8', ['10.77.0.0/16', '172.30.0.0/16'], ['10.0.0.0/8'], '172.30.1.0/24'],
    ['a /24 was asked for', ['10.99.5.0/24'], [], '10.99.5.0/24'],
  ])('%s', (_, networks, taken, subnet) =>
    expect(chooseSubnet(networks, occupied(...taken))).toEqual({ subnet }),
  );

  test('names what is in the way where nothing is free', () => {
    const choice = chooseSubnet(['10.99.0.0/23'], occupied('10.0.0.0/8', '10.99.1.0/24'));
    expect(choice).toEqual({ taken: ['route 10.0.0.0/8'] });
  });

  test('a subnet that is in use conflicts with a later route', () => {
    expect(conflictWith('10.77.1.0/24', occupied('10.77.2.0/24'))).toBeUndefined();
    expect(conflictWith('10.77.1.0/24', occupied('10.77.2.0/24', '10.77.0.0/16'))?.by).toBe(
      'route 10.77.0.0/16',
    );
  });
});

test('host numbers start at 11, fill holes, and end', () => {
  expect(freeHostNumber([])).toBe(11);
  expect(freeHostNumber(['10.77.1.11', '10.77.1.13'])).toBe(12);
  expect(freeHostNumber(Array.from({ length: 244 }, (_, n) => `10.77.1.${n + 11}`))).toBeUndefined();
});

test('routes of the kernel, without the default route and our own bridge', () => {
  const text = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
pl-0a1b2c3d	00014D0A	00000000	0001	0	0	0	00FFFFFF	0	0	0
tun0	0000000A	00000000	0001	0	0	0	000000FF	0	0	0
`;
  expect(parseRoutes(text, 'pl-0a1b2c3d').map(({ by }) => by)).toEqual([
    'route 192.0.2.0/24 (eth0)',
    'route 10.0.0.0/8 (tun0)',
  ]);
});
