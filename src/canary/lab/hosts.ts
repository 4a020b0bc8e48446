/** Where an experiment runs: three hosts, made here or named by an inventory. */

import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { createLocalProvider } from '../../cloud/local/provider.ts';
import type { EnvironmentSpec, Machine, MachineSpec, PlacedProgram } from '../../cloud/provider.ts';
import type { Config } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { hostsIn } from '../../inventory/model.ts';
import { readInventory } from '../../inventory/read.ts';
import { sshTargets } from '../../inventory/target.ts';
import { type Connection, publicAddress } from '../../ssh/connection.ts';
import { writeKnownHosts } from '../../ssh/known-hosts.ts';
import { connect } from '../../ssh/openssh.ts';
import type { RunPlan } from '../experiment/plan.ts';

const LAB_NAMES = ['proxy', 'blue', 'green'] as const;
type LabName = (typeof LAB_NAMES)[number];

export interface LabHost {
  readonly name: string;
  readonly connection: Connection;
  /** Address for the other two and for the load. */
  readonly address: string;
  /** A local host whose disk is its own. */
  readonly ownDisk?: boolean | undefined;
}

export interface Lab {
  readonly hosts: Readonly<Record<LabName, LabHost>>;
  /** Networks from which SSH and the load come. */
  readonly operators: readonly string[];
  /** What stays where the program is killed, and how it goes; null where nothing was made. */
  readonly remains: string | null;
  /** Closes the connections, and removes the hosts if they were made here and are not kept. */
  close(options: { readonly keep: boolean }): Promise<void>;
}

const MIB = 2 ** 20;
/** Of a host whose disk is to be filled: the applications and databases of a laboratory take less. */
const OWN_DISK = 4096 * MIB;
/** Nobody can record what this machine says to its own hosts, so no key needs to resist a quantum computer. */
const QUICK_KEYS = ['KexAlgorithms=^curve25519-sha256'];

/** The three hosts, running. `programs`: what local ones have as soon as they are made. */
export function openLab(
  config: Config,
  plan: RunPlan,
  inventory: string | undefined,
  programs: readonly PlacedProgram[],
  context: Context,
): Promise<Lab> {
  return inventory === undefined
    ? localLab(config, labSpec(config, plan, programs), context)
    : inventoryLab(config, inventory, context);
}

/** Connects to all three at once: what comes first needs the proxy alone, and the others would wait for it. */
export async function reachAll({ hosts }: Lab, { signal }: Context): Promise<void> {
  await Promise.all(
    Object.values(hosts).map(({ connection }) => connection.check('true', { label: 'connect', signal })),
  );
}

/** The environment of the three local hosts: equal in memory and processors. */
export function labSpec(
  config: Config,
  { canary, faults }: Pick<RunPlan, 'canary' | 'faults'>,
  programs: readonly PlacedProgram[] = [],
): EnvironmentSpec {
  const machine = (name: LabName): MachineSpec => ({
    name,
    group: name,
    roles: [],
    exposures: [],
    preinstalled: name === 'proxy' ? ['nginx'] : [],
    programs,
    diskBytes: faults.some(({ kind }) => kind === 'disk:full') ? OWN_DISK : undefined,
    memoryBytes: canary.memory ?? 512 * MIB,
    cpus: canary.cpus ?? 1,
    size: 's-1vcpu-1gb',
    region: 'nyc3',
  });
  return { ...labEnvironment(config), machines: LAB_NAMES.map(machine) };
}

/** The environment without its hosts, which is what they are found and removed by. */
export function labEnvironment(config: Config): EnvironmentSpec {
  return {
    project: config.project,
    environment: 'canary',
    owner: config.id ?? createHash('sha256').update(config.project).digest('hex').slice(0, 12),
    directory: config.directory,
    machines: [],
    operators: config.operators,
    authorizedKeys: config.authorized_keys,
  };
}

async function localLab(config: Config, spec: EnvironmentSpec, context: Context): Promise<Lab> {
  const provider = createLocalProvider(context, spec);
  // What is aborted must still clean up.
  const destroy = () =>
    createLocalProvider({ ...context, signal: new AbortController().signal }, spec).destroy();
  const planned = await provider.plan();
  const machines = await provider.apply(planned).catch(async (error: unknown) => {
    // Hosts that were there before (--keep) stay; half of what was begun now does not.
    if (planned.machines.length === 0) await destroy();
    throw error;
  });
  const knownHostsFile = join(spec.directory, '.pipeline', `known_hosts.${spec.environment}`);
  await writeKnownHosts(
    knownHostsFile,
    machines.map(({ address, port, hostKeys }) => ({ address, port, keys: hostKeys })),
  );
  const hosts = byName((name) => {
    const machine = machines.find((one) => one.name === name);
    if (machine === undefined) {
      throw new Failure('host', `The local host ${name} was not made.`, {
        host: name,
        next: 'pipeline doctor says what this machine lacks.',
      });
    }
    const { address, privateAddress, port, user, identityFile, ownDisk } = machine;
    const target = { name, address, port, user, identityFile, knownHostsFile, options: QUICK_KEYS };
    return { name, address: privateAddress, connection: connect(target, context), ownDisk };
  });
  return {
    hosts,
    operators: [...new Set([...config.operators, ...machines.map(gateway)])],
    remains:
      `the local hosts ${LAB_NAMES.join(', ')}; the next pipeline canary here takes them over and ` +
      `removes them`,
    async close({ keep }) {
      await closeAll(hosts);
      // What is aborted must still clean up.
      if (!keep)
        await createLocalProvider({ ...context, signal: new AbortController().signal }, spec).destroy();
    },
  };
}

/** SSH and the load reach a local host from the first address of its network. */
function gateway(machine: Machine): string {
  return `${machine.address.split('.').slice(0, 3).join('.')}.1/32`;
}

async function inventoryLab(config: Config, path: string, context: Context): Promise<Lab> {
  const inventory = await readInventory(resolve(context.cwd, path), context);
  const chosen = LAB_NAMES.map((name) => {
    const [first] = hostsIn(inventory, name);
    if (first !== undefined) return first;
    throw new Failure('usage', `${path} has no host in the group [${name}].`, {
      next:
        'A canary needs one host in each of the groups [proxy], [blue] and [green]; without -i it ' +
        'makes local ones.',
    });
  });
  if (new Set(chosen.map(({ name }) => name)).size < chosen.length) {
    throw new Failure('usage', `${path} names one host in several of the groups [proxy], [blue], [green].`, {
      next: 'Proxy, baseline and candidate need a host each, or they disturb each other.',
    });
  }
  const targets = await sshTargets(inventory, chosen, context);
  const hosts = byName((name) => {
    const target = targets[LAB_NAMES.indexOf(name)];
    if (target === undefined) throw new Error(`no target for ${name}`);
    return { name: target.name, address: publicAddress(target), connection: connect(target, context) };
  });
  return { hosts, operators: config.operators, remains: null, close: () => closeAll(hosts) };
}

function byName(make: (name: LabName) => LabHost): Readonly<Record<LabName, LabHost>> {
  return { proxy: make('proxy'), blue: make('blue'), green: make('green') };
}

async function closeAll(hosts: Readonly<Record<LabName, LabHost>>): Promise<void> {
  await Promise.all(LAB_NAMES.map((name) => hosts[name].connection.close()));
}
