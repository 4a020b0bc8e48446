/**
 * Who asks, where proxies stand before the dashboard: only those that are trusted may speak for a visitor.
 * Pure.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';

export interface Visitor {
  readonly address: string;
  /** The host that the visitor's browser asked for. */
  readonly host: string | undefined;
  /** The visitor came by https, to the proxy at least. */
  readonly secure: boolean;
}

/** The parts of a request that identify the visitor; repeated headers are joined by commas. */
export interface Asked {
  readonly remote: string;
  readonly header: (name: string) => string | undefined;
}

/** @param networks addresses or networks (CIDR) of proxies that are trusted */
export function visitors(networks: readonly string[]): (asked: Asked) => Visitor {
  const trusted = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(prefix), family);
  }
  const isTrusted = (address: string) =>
    isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

  return ({ remote, header }) => {
    const near = plain(remote);
    const host = header('host');
    if (!isTrusted(near)) return { address: near, host, secure: false };
    const all = listOf(header('x-forwarded-for')).map(plain);
    return {
      // What a visitor claims stands before what the first trusted proxy saw.
      address: all.findLast((address) => !isTrusted(address)) ?? all[0] ?? near,
      host: listOf(header('x-forwarded-host')).at(-1) ?? host,
      secure: listOf(header('x-forwarded-proto')).at(-1) === 'https',
    };
  };
}

function listOf(header: string | undefined): readonly string[] {
  return (header ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Without the form that IPv4 has on a socket of IPv6, without brackets and port. */
function plain(address: string): string {
  return address
    .replace(/^\[(.+)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/^::ffff:(?=[\d.]+$)/, '');
}
