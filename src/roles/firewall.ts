/** The host's own firewall: closed, and open for whom a port is meant for. Pure. */

import type { Exposure } from '../cloud/provider.ts';
import type { FirewallResource, TheirsResource } from '../host/resource.ts';
import { withValues } from '../ssh/script.ts';
import closes from './firewall-closes.sh' with { type: 'text' };
import others from './other-firewalls.sh' with { type: 'text' };
import type { RoleParams } from './role.ts';

/**
 * What other hosts reach today and would not any more: a firewall is no loss unless somebody needs what it
 * closes.
 */
export function closedPorts({ sshPorts, exposures }: RoleParams): TheirsResource {
  const open = (protocol: 'tcp' | 'udp') =>
    exposures
      .filter((one) => one.protocol === protocol && one.from === 'anyone')
      .map(({ port }) => String(port));
  const some = exposures.flatMap(({ port, protocol, from }) =>
    from === 'anyone' ? [] : [`${port}/${protocol}`],
  );
  return {
    kind: 'theirs',
    name: 'open ports',
    look: withValues(closes, { tcp: open('tcp'), udp: open('udp'), some, ssh: sshPorts.map(String) }),
    fate: 'ask',
    says: 'programs listen here, and the new firewall keeps other hosts from them',
  };
}

/** Prints the firewalls of other programs that are in force. */
export const OTHER_FIREWALLS_SCRIPT = others;

/** Two firewalls are in force then, and what gets through must please both. */
export const OTHER_FIREWALLS: TheirsResource = {
  kind: 'theirs',
  name: 'other firewalls',
  look: OTHER_FIREWALLS_SCRIPT,
  fate: 'keep',
  says: 'they stay in force beside the new one: open the ports of your applications there too',
};

/** The table that decides what may come in. */
export const HOST_TABLE = 'inet pipeline';

const ICMP6 = [
  'echo-request',
  'destination-unreachable',
  'packet-too-big',
  'time-exceeded',
  'parameter-problem',
  'nd-router-advert',
  'nd-neighbor-solicit',
  'nd-neighbor-advert',
];

/** What may come in. What goes out, and what passes through, is left alone. */
export function firewall(params: RoleParams): FirewallResource {
  const ssh = params.sshPorts.map((port): Exposure => ({ port, protocol: 'tcp', from: 'operators' }));
  return {
    kind: 'firewall',
    table: HOST_TABLE,
    rules: `${set('operators', params.operators)}${set('fleet', params.fleet)}
  chain input {
    type filter hook input priority filter
    policy drop
    iif "lo" accept
    ct state vmap { established : accept, related : accept, invalid : drop }
    icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept
    icmpv6 type { ${ICMP6.join(', ')} } accept
    ip6 saddr fe80::/10 udp dport 546 accept
${openings([...ssh, ...params.exposures]).join('\n')}
  }
`,
  };
}

/** One of the rules that `openings` writes. */
const OPENING = /^ {4}(?:ip6? saddr @(operators|fleet)[46] )?(tcp|udp) dport \{ ([\d, ]+) \} accept$/;

/** Those of `wanted` that rules of this table do not let in. */
export function closedTo(rules: string, wanted: readonly Exposure[]): readonly Exposure[] {
  const open = rules.split('\n').flatMap(exposuresIn);
  return wanted.filter(
    ({ port, protocol, from }) =>
      !open.some(
        (one) =>
          one.port === port && one.protocol === protocol && (one.from === 'anyone' || one.from === from),
      ),
  );
}

/** The same rules with more let in, as `firewall` would write them. */
export function withOpenings(rules: string, more: readonly Exposure[]): string {
  const lines = rules.split('\n');
  const first = lines.findIndex((line) => OPENING.test(line));
  const rest = lines.filter((line) => !OPENING.test(line));
  // Before the end of the chain and of the text, where there is none yet.
  const at = first === -1 ? rest.lastIndexOf('  }') : first;
  const all = openings([...lines.flatMap(exposuresIn), ...more]);
  return [...rest.slice(0, at), ...all, ...rest.slice(at)].join('\n');
}

function exposuresIn(line: string): readonly Exposure[] {
  const [, from = 'anyone', protocol, ports] = OPENING.exec(line) ?? [];
  if (ports === undefined) return [];
  return ports.split(',').map((port) => ({
    port: Number(port),
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    from: from === 'operators' || from === 'fleet' ? from : 'anyone',
  }));
}

/** One set for each address family; an empty set lets nobody in. */
function set(name: string, addresses: readonly string[]): string {
  const of = (family: 4 | 6) =>
    addresses.filter((address) => address.includes(':') === (family === 6)).toSorted();
  return ([4, 6] as const)
    .map((family) => {
      const elements = of(family);
      const list = elements.length === 0 ? '' : `    elements = { ${elements.join(', ')} }\n`;
      return (
        `  set ${name}${family} {\n    type ipv${family}_addr\n    flags interval\n    ` +
        `auto-merge\n${list}  }\n`
      );
    })
    .join('');
}

/** One rule for each protocol and audience (two where addresses tell), ports in order. */
function openings(exposures: readonly Exposure[]): readonly string[] {
  return (['tcp', 'udp'] as const).flatMap((protocol) =>
    (['operators', 'fleet', 'anyone'] as const).flatMap((from) => {
      const ports = exposures
        .filter((exposure) => exposure.protocol === protocol && exposure.from === from)
        .map(({ port }) => port);
      if (ports.length === 0) return [];
      const list = [...new Set(ports)].sort((a, b) => a - b).join(', ');
      const rule = `${protocol} dport { ${list} } accept`;
      return from === 'anyone'
        ? [`    ${rule}`]
        : [`    ip saddr @${from}4 ${rule}`, `    ip6 saddr @${from}6 ${rule}`];
    }),
  );
}
