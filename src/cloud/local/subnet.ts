/** IPv4 networks as numbers, and the choice of a free one. Pure. */

export interface Network {
  /** Network address as an unsigned 32-bit number. */
  readonly base: number;
  readonly prefix: number;
}

/** Something on this machine that occupies addresses. */
export interface Occupied {
  readonly network: Network;
  /** What it is, for people: `route 10.0.0.0/8 (tun0)`. */
  readonly by: string;
}

export type SubnetChoice =
  | { readonly subnet: string }
  /** Nothing is free; what stands in the way, without repetition. */
  | { readonly taken: readonly string[] };

/** `10.77.0.0/16` → network; undefined where the text is none. Host bits are cleared. */
export function parseNetwork(text: string): Network | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return undefined;
  const [a, b, c, d, prefix] = match.slice(1).map(Number) as [number, number, number, number, number];
  if (prefix > 32 || [a, b, c, d].some((octet) => octet > 255)) return undefined;
  const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  return { base: (address & mask(prefix)) >>> 0, prefix };
}

export function formatNetwork(network: Network): string {
  return `${formatAddress(network.base)}/${network.prefix}`;
}

export function overlaps(a: Network, b: Network): boolean {
  const prefix = Math.min(a.prefix, b.prefix);
  return (a.base & mask(prefix)) >>> 0 === (b.base & mask(prefix)) >>> 0;
}

/** The `n`th address of a subnet: 1 is the bridge, hosts start at 11. */
export function addressIn(subnet: string, n: number): string {
  const network = parseNetwork(subnet);
  if (network === undefined) throw new RangeError(`not a network: ${subnet}`);
  return formatAddress(network.base + n);
}

/** The last number of an address, which tells hosts of one subnet apart. */
export function hostNumber(address: string): number {
  return Number(address.slice(address.lastIndexOf('.') + 1));
}

/** The lowest host number (11 to 254) that no address has; undefined where all are taken. */
export function freeHostNumber(addresses: Iterable<string>): number | undefined {
  const taken = new Set([...addresses].map(hostNumber));
  for (let n = 11; n <= 254; n++) if (!taken.has(n)) return n;
  return undefined;
}

/** The first /24 of `networks` that overlaps nothing occupied. */
export function chooseSubnet(networks: readonly string[], occupied: readonly Occupied[]): SubnetChoice {
  const conflicts = new Set<string>();
  for (const text of networks) {
    const network = parseNetwork(text);
    if (network === undefined) continue;
    // the first /24 of a larger network stays free: its .0 looks like the network itself
    const first = network.prefix < 24 ? 1 : 0;
    for (let n = first; n < 2 ** (24 - network.prefix); n++) {
      const candidate = { base: network.base + n * 256, prefix: 24 };
      const conflict = occupied.find((one) => overlaps(one.network, candidate));
      if (conflict === undefined) return { subnet: formatNetwork(candidate) };
      conflicts.add(conflict.by);
    }
  }
  return { taken: [...conflicts] };
}

/** What stands in the way of `subnet`, if anything. */
export function conflictWith(subnet: string, occupied: readonly Occupied[]): Occupied | undefined {
  const network = parseNetwork(subnet);
  return network && occupied.find((one) => overlaps(one.network, network));
}

/** Routes of `/proc/net/route` except the default route and those of `ignoredInterface`. */
export function parseRoutes(text: string, ignoredInterface: string): Occupied[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([name, destination, , , , , , routeMask]) => {
      if (name === undefined || destination === undefined || routeMask === undefined) return [];
      const prefix = bits(littleEndian(routeMask));
      if (prefix === 0 || name === ignoredInterface) return [];
      const network = { base: littleEndian(destination), prefix };
      return [{ network, by: `route ${formatNetwork(network)} (${name})` }];
    });
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

function mask(prefix: number): number {
  return prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
}

function littleEndian(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE(0);
}

function bits(value: number): number {
  return value.toString(2).replaceAll('0', '').length;
}
