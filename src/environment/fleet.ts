/** The machines of an environment as hosts to work on: how each is reached and what each should be. */
import { join } from 'node:path';
import type { EnvironmentSpec, Machine, MachineSpec } from '../cloud/provider.ts';
import type { Context } from '../context.ts';
import type { Resource } from '../host/resource.ts';
import { rolesFor, withPackages } from '../roles/index.ts';
import type { Connection, SshTarget } from '../ssh/connection.ts';
import { writeKnownHosts } from '../ssh/known-hosts.ts';
import { connect } from '../ssh/openssh.ts';

/**
 * Where the host keys of an environment are kept; derived from what the provider knows, never trusted on
 * first use.
 */
export function knownHostsFile(spec: EnvironmentSpec): string {
  return join(spec.directory, '.pipeline', `known_hosts.${spec.environment}`);
}

/** How a machine is reached. */
export function targetOf(machine: Machine, spec: EnvironmentSpec): SshTarget {
  return {
    name: machine.name,
    address: machine.address,
    port: machine.port,
    user: machine.user,
    identityFile: machine.identityFile,
    knownHostsFile: knownHostsFile(spec),
  };
}

/** Writes the known host keys of all machines, so that every connection can be strict. */
export async function rememberHostKeys(machines: readonly Machine[], spec: EnvironmentSpec): Promise<void> {
  await writeKnownHosts(
    knownHostsFile(spec),
    machines.map(({ address, port, hostKeys }) => ({ address, port, keys: hostKeys })),
  );
}

/** A host of an environment as the others see it. */
export interface FleetMember {
  /** Entries of `hosts:` that it belongs to. */
  readonly groups: readonly string[];
  /** Public and private ones. */
  readonly addresses: readonly string[];
}

/** What a machine should be, among the machines of its environment. */
export function desiredState(
  machine: MachineSpec,
  machines: readonly Machine[],
  { operators }: Pick<EnvironmentSpec, 'operators'>,
): readonly Resource[] {
  const fleet = machines.map(({ group, address, privateAddress }) => ({
    groups: [group],
    addresses: [address, privateAddress],
  }));
  return resourcesOf(machine, { fleet, operators, sshPorts: [22] });
}

/** What a host should be: base first (its firewall comes before any service), then its roles. */
export function resourcesOf(
  host: Pick<MachineSpec, 'roles' | 'exposures' | 'memoryBytes' | 'databases' | 'packages'>,
  around: {
    readonly fleet: readonly FleetMember[];
    readonly operators: readonly string[];
    /** Ports on which its sshd listens. */
    readonly sshPorts: readonly number[];
  },
): readonly Resource[] {
  const { fleet, operators, sshPorts } = around;
  const uses = (groups: readonly string[]) => host.databases?.clients.some((one) => groups.includes(one));
  const params = {
    fleet: addressesOf(fleet),
    operators,
    sshPorts,
    exposures: host.exposures.filter(({ port }) => port !== 22),
    memoryBytes: host.memoryBytes,
    databases: {
      clients: addressesOf(fleet.filter(({ groups }) => uses(groups))),
      repository: host.databases?.repository,
    },
  };
  const own = ['base', ...host.roles].flatMap((role) => rolesFor(role, params));
  return withPackages(own, host.packages ?? []);
}

/** Each once. */
function addressesOf(fleet: readonly FleetMember[]): readonly string[] {
  return [...new Set(fleet.flatMap(({ addresses }) => addresses))].sort();
}

/** Runs `work` with a connection to each machine, side by side, and closes them all whatever happens. */
export async function withConnections<T>(
  targets: readonly SshTarget[],
  context: Context,
  work: (connections: readonly Connection[]) => Promise<T>,
): Promise<T> {
  const connections = targets.map((target) => connect(target, context));
  try {
    return await work(connections);
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

/**
 * Waits for all; if any failed, throws the first failure after the others have ended, so that no host is left
 * in the middle.
 */
export async function allSettledOrFirst<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
