/** What a firewall should let through, and how what it lets through differs from that. Pure. */
import type { Exposure } from '../../provider.ts';
import type { Firewall } from '../api/answers.ts';
import type { FirewallTarget, NewFirewall } from '../api/api.ts';

/** Everybody, over IPv4 and IPv6. */
const ANYONE = ['0.0.0.0/0', '::/0'] as const;
/** `ports` for all ports of a protocol, and the only value for ICMP. */
const ALL_PORTS = '0';

export interface FirewallWish {
  readonly name: string;
  /** The tag whose droplets it guards. */
  readonly tag: string;
  readonly exposures: readonly Exposure[];
  /** Networks that operators come from. */
  readonly operators: readonly string[];
  /** The tag of every host of the environment. */
  readonly fleet: string;
}

/** The whole firewall: SSH for operators, what is exposed, everything outward, nothing else. */
export function firewallOf(wish: FirewallWish): NewFirewall {
  const ssh: Exposure = { port: 22, protocol: 'tcp', from: 'operators' };
  const ports = new Map<string, Set<Exposure['from']>>();
  for (const { port, protocol, from } of [ssh, ...wish.exposures]) {
    const key = `${protocol} ${port}`;
    ports.set(key, (ports.get(key) ?? new Set()).add(from));
  }
  const inbound = [...ports].map(([key, audiences]) => {
    const [protocol = '', port = ''] = key.split(' ');
    return { protocol, ports: port, sources: sourcesOf(audiences, wish) };
  });
  const outbound = ['tcp', 'udp', 'icmp'].map((protocol) => ({
    protocol,
    ports: ALL_PORTS,
    destinations: { addresses: ANYONE },
  }));
  inbound.sort((a, b) => Number(a.ports) - Number(b.ports) || a.protocol.localeCompare(b.protocol));
  return { name: wish.name, inbound_rules: inbound, outbound_rules: outbound, tags: [wish.tag] };
}

function sourcesOf(audiences: ReadonlySet<Exposure['from']>, wish: FirewallWish): FirewallTarget {
  if (audiences.has('anyone')) return { addresses: ANYONE };
  return {
    ...(audiences.has('operators') ? { addresses: wish.operators } : {}),
    ...(audiences.has('fleet') ? { tags: [wish.fleet] } : {}),
  };
}

/**
 * What differs between a firewall and what it should be, one line each for people: `+` is missing, `-` is
 * too much.
 */
export function firewallDrift(found: Firewall, wanted: NewFirewall): readonly string[] {
  const is = new Set([...lines(found), ...found.droplet_ids.map((id) => `guards droplet ${id}`)]);
  const should = new Set(lines(wanted));
  return [
    ...[...should].filter((line) => !is.has(line)).map((line) => `+ ${line}`),
    ...[...is].filter((line) => !should.has(line)).map((line) => `- ${line}`),
  ];
}

/** What it lets through, one line for each port and peer, as people and comparisons read it. */
export function lines(firewall: Firewall | NewFirewall): readonly string[] {
  return [
    ...firewall.inbound_rules.flatMap((rule) =>
      peers(rule.sources).map((peer) => `${portsOf(rule)} from ${peer}`),
    ),
    ...firewall.outbound_rules.flatMap((rule) =>
      peers(rule.destinations).map((peer) => `${portsOf(rule)} to ${peer}`),
    ),
    ...firewall.tags.map((tag) => `guards tag ${tag.toLowerCase()}`),
  ];
}

/** The API has written "all ports" in several ways over the years. */
function portsOf(rule: {
  readonly protocol: string;
  readonly ports?: string | number | null | undefined;
}): string {
  const ports = String(rule.ports ?? ALL_PORTS);
  const all = ['', ALL_PORTS, 'all', '1-65535', '0-65535'].includes(ports);
  return rule.protocol === 'icmp' ? 'icmp' : `${rule.protocol} ${all ? 'all ports' : ports}`;
}

interface Peers {
  readonly addresses?: readonly string[] | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
  readonly droplet_ids?: readonly number[] | null | undefined;
  readonly load_balancer_uids?: readonly string[] | null | undefined;
  readonly kubernetes_ids?: readonly string[] | null | undefined;
}

/** Who may come, or be gone to; kinds that we never use are named too, so that they count as too much. */
function peers(target: Peers | null | undefined): readonly string[] {
  if (target === null || target === undefined) return ['nobody'];
  return [
    ...(target.addresses ?? []).map(network),
    ...(target.tags ?? []).map((tag) => `tag ${tag.toLowerCase()}`),
    ...(target.droplet_ids ?? []).map((id) => `droplet ${id}`),
    ...(target.load_balancer_uids ?? []).map((id) => `load balancer ${id}`),
    ...(target.kubernetes_ids ?? []).map((id) => `cluster ${id}`),
  ];
}

/** One spelling for a network: a single address has no length. */
function network(address: string): string {
  return address
    .toLowerCase()
    .replace(/^(\d+\.\d+\.\d+\.\d+)\/32$/, '$1')
    .replace(/^(.*:.*)\/128$/, '$1');
}
