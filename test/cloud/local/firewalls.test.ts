import { expect, test } from 'vitest';
import { closedChains, deletions, insertions } from '../../../src/cloud/local/firewalls.ts';

const BRIDGE = 'pl-0a1b2c3d';
const DOCKER = [
  '-P INPUT ACCEPT',
  '-P FORWARD DROP',
  '-N DOCKER',
  '-N DOCKER-USER',
  '-A FORWARD -j DOCKER-USER',
];
const UFW = ['-P INPUT DROP', '-P FORWARD DROP', '-N ufw-before-forward', '-A FORWARD -j ufw-before-forward'];
const rules = (chain: string) =>
  ['-i', '-o'].map((direction) => `-A ${chain} ${direction} ${BRIDGE} -j ACCEPT`);

test.each([
  ['no iptables', [], []],
  ['forwarding is open', ['-P FORWARD ACCEPT'], []],
  ['Docker', DOCKER, ['-I DOCKER-USER -i pl-0a1b2c3d -j ACCEPT', '-I DOCKER-USER -o pl-0a1b2c3d -j ACCEPT']],
  ['Docker, admitted', [...DOCKER, ...rules('DOCKER-USER')], []],
  [
    'Docker, one direction lost',
    [...DOCKER, ...rules('DOCKER-USER').slice(1)],
    ['-I DOCKER-USER -i pl-0a1b2c3d -j ACCEPT'],
  ],
  ['ufw', UFW, ['-I FORWARD -i pl-0a1b2c3d -j ACCEPT', '-I FORWARD -o pl-0a1b2c3d -j ACCEPT']],
])('%s: what is inserted', (_, found, expected) => {
  expect(insertions(found, BRIDGE).map((rule) => rule.join(' '))).toEqual(expected);
});

test('what mentions the bridge is deleted, in whatever chain; other bridges stay', () => {
  const found = [
    ...DOCKER,
    ...rules('DOCKER-USER'),
    ...rules('FORWARD'),
    '-A FORWARD -i pl-ffffffff -j ACCEPT',
  ];
  expect(deletions(found, BRIDGE).map((rule) => rule.join(' '))).toEqual([
    '-D DOCKER-USER -i pl-0a1b2c3d -j ACCEPT',
    '-D DOCKER-USER -o pl-0a1b2c3d -j ACCEPT',
    '-D FORWARD -i pl-0a1b2c3d -j ACCEPT',
    '-D FORWARD -o pl-0a1b2c3d -j ACCEPT',
  ]);
});

test('chains that drop what is forwarded are found, those that are opened elsewhere are not', () => {
  const listing = `table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}
table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
	chain DOCKER-USER {
	}
}
table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy drop;
	}
}
table ip open {
	chain forward {
		type filter hook forward priority filter; policy accept;
	}
}
`;
  expect(closedChains(listing)).toEqual([{ family: 'inet', table: 'filter', chain: 'forward' }]);
});
