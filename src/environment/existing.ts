/** Hosts that people already have: what pipeline.yml asks of those that an inventory names. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Config } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { gatherFacts } from '../host/facts.ts';
import type { Resource } from '../host/resource.ts';
import { type Connection, publicAddress, type SshTarget } from '../ssh/connection.ts';
import { existingSpec } from './environment.ts';
import { resourcesOf } from './fleet.ts';
import { type InventoryTargets, inventoryTargets } from './inventory-targets.ts';
import lookAtHost from './look-at-host.sh' with { type: 'text' };

export interface ExistingHosts {
  /** Absolute path of the inventory. */
  readonly path: string;
  /** By host, the entries of `hosts:` that it belongs to. */
  readonly groups: ReadonlyMap<SshTarget, readonly string[]>;
  /** Entries of `hosts:` that have no host there. */
  readonly missing: readonly string[];
  /** The host that keeps the environment's lock; pipeline.yml may ask nothing else of it. */
  readonly lockKeeper: SshTarget;
}

/** What a host should be. */
export interface ExistingHost {
  readonly roles: readonly string[];
  readonly resources: readonly Resource[];
}

/**
 * The hosts of an inventory that pipeline.yml is about; the others are nobody's business.
 * @throws Failure `usage` as `inventoryTargets` does, and where none of the groups has a host.
 */
export async function existingHosts(
  flag: string,
  config: Pick<Config, 'directory' | 'hosts'>,
  context: Context,
): Promise<ExistingHosts> {
  return groupedHosts(await inventoryTargets(flag, config, context), Object.keys(config.hosts));
}

/** Pure part of `existingHosts`. */
function groupedHosts(
  { path, targets, groups, lockKeeper }: Pick<InventoryTargets, 'path' | 'targets' | 'groups' | 'lockKeeper'>,
  wanted: readonly string[],
): ExistingHosts {
  const members = (group: string) => groups.get(group) ?? [];
  const found = targets.flatMap((target): [SshTarget, readonly string[]][] => {
    const own = wanted.filter((group) => members(group).includes(target));
    return own.length === 0 ? [] : [[target, own]];
  });
  if (found.length === 0) {
    throw new Failure('usage', `${path} has no host in a group that pipeline.yml names`, {
      next: `Put hosts into groups of these names: ${wanted.join(', ')}.`,
    });
  }
  const missing = wanted.filter((group) => members(group).length === 0);
  return { path, groups: new Map(found), missing, lockKeeper };
}

/**
 * What each host should be. Asks every host what it is first: its memory, and the ports of its SSH.
 * @throws Failure `host` where one cannot be reached, or is none that is supported.
 */
export async function existingWork(
  { groups }: ExistingHosts,
  connections: readonly Connection[],
  config: Config,
  context: Context,
): Promise<readonly { readonly connection: Connection; readonly wanted: ExistingHost }[]> {
  const found = await Promise.all(
    [...groups].map(async ([target, own]) => {
      const connection = connections.find((one) => one.target === target);
      if (connection === undefined) throw new RangeError(`no connection to ${target.name}`);
      const options = { label: 'look at SSH and addresses', signal: context.signal };
      const [{ host }, said] = await Promise.all([
        gatherFacts(connection, [], context),
        connection.check(lookAtHost, options),
      ]);
      const values = (word: string) =>
        said
          .split('\n')
          .flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
      const addresses = await addressesOf(target, values('address'));
      return { connection, own, addresses, host, sshPorts: values('port').map(Number) };
    }),
  );
  const fleet = found.map(({ own, addresses }) => ({ groups: own, addresses }));
  return found.map(({ connection, own, host, sshPorts }) => {
    const spec = existingSpec(config, own, host.memoryBytes);
    const ports = sshPorts.length === 0 ? [connection.target.port] : sshPorts;
    const resources = resourcesOf(spec, { fleet, operators: config.operators, sshPorts: ports });
    return { connection, wanted: { roles: spec.roles, resources } };
  });
}

/** Its IP addresses: firewalls know no names. `own` is what it says of itself. */
async function addressesOf(target: SshTarget, own: readonly string[]): Promise<readonly string[]> {
  const named = [publicAddress(target), target.privateAddress].filter((one) => one !== undefined);
  const found = await Promise.all(
    named.map(async (address) => {
      if (isIP(address) !== 0) return [address];
      // A name that only a jump host knows: the host knows its own address.
      const all = await lookup(address, { all: true }).catch(() => []);
      return all.map((one) => one.address);
    }),
  );
  const addresses = found.flat().length > 0 ? found.flat() : own;
  if (addresses.length > 0) return addresses;
  throw new Failure('usage', `${target.name}: no IP address is known for ${publicAddress(target)}`, {
    host: target.name,
    next: 'Firewalls need IP addresses: name one in the inventory, as pipeline_private_address.',
  });
}
