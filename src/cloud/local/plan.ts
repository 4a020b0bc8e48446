/** What `apply` will do, decided from what was found and what should be. Pure. */
import type { CloudChange, CloudPlan, EnvironmentSpec, Machine, MachineSpec } from '../provider.ts';
import type { HostRecord } from './records.ts';
import { addressIn, freeHostNumber } from './subnet.ts';

/** One host that has a folder on this machine. */
export interface FoundHost {
  readonly name: string;
  /** undefined: half-made. */
  readonly record: HostRecord | undefined;
  /** What keeps it alive lives. */
  readonly alive: boolean;
  /** Its SSH server greets. */
  readonly answers: boolean;
}

/** Everything that decisions depend on. */
export interface Found {
  /** Debian packages that this machine lacks. */
  readonly missingPackages: readonly string[];
  readonly baseReady: boolean;
  readonly networkReady: boolean;
  /** The environment's subnet, or the one it would get. */
  readonly subnet: string;
  /** The operator's public key; undefined where it is still to be made. */
  readonly operatorKey: string | undefined;
  readonly identityFile: string;
  readonly hosts: readonly FoundHost[];
}

/** What is to be done, for `apply`. */
export interface LocalWork {
  readonly base: boolean;
  readonly network: boolean;
  readonly remove: readonly FoundHost[];
  /** `leftover`: a half-made host is in the way. */
  readonly create: readonly {
    readonly spec: MachineSpec;
    readonly address: string;
    readonly leftover: boolean;
  }[];
  readonly start: readonly HostRecord[];
  readonly limit: readonly {
    readonly spec: MachineSpec;
    readonly record: HostRecord;
    readonly alive: boolean;
  }[];
  readonly rekey: readonly { readonly record: HostRecord; readonly keys: readonly string[] }[];
}

/** @throws RangeError where there are more hosts than a /24 has addresses (244). */
export function planLocal(
  found: Found,
  spec: EnvironmentSpec,
): { readonly plan: CloudPlan; readonly work: LocalWork } {
  const wanted = new Map(spec.machines.map((machine) => [machine.name, machine]));
  const known = new Map(found.hosts.map((host) => [host.name, host]));
  const remove = found.hosts.filter((host) => !wanted.has(host.name));
  const kept = found.hosts.flatMap(({ record, ...host }) => {
    const machine = wanted.get(host.name);
    return record && machine ? [{ ...host, record, spec: machine }] : [];
  });
  const keys = authorizedKeys(found.operatorKey, spec);

  const addresses = kept.map(({ record }) => record.address);
  const create = spec.machines
    .filter(({ name }) => known.get(name)?.record === undefined)
    .map((machine) => {
      const number = freeHostNumber(addresses);
      if (number === undefined) throw new RangeError(`no address is free in ${found.subnet}`);
      const address = addressIn(found.subnet, number);
      addresses.push(address);
      return { spec: machine, address, leftover: known.has(machine.name) };
    });
  const start = kept.filter(({ alive }) => !alive).map(({ record }) => record);
  const limit = kept.filter(
    ({ record, spec: machine }) => record.memoryBytes !== machine.memoryBytes || record.cpus !== machine.cpus,
  );
  const rekey = kept
    .filter(({ record }) => found.operatorKey === undefined || !sameSet(record.authorizedKeys, keys))
    .map(({ record }) => ({ record, keys }));
  const needsNetwork = spec.machines.length > 0 && !found.networkReady;
  const needsBase = create.length > 0 && !found.baseReady;

  const shared = (step: string, action: CloudChange['action'], ...detail: string[]): CloudChange => ({
    host: null,
    step,
    action,
    detail,
  });
  const changes: CloudChange[] = [
    ...(found.missingPackages.length > 0
      ? [shared('packages of this machine', 'create', ...found.missingPackages)]
      : []),
    ...(found.operatorKey === undefined && spec.machines.length > 0
      ? [shared('key', 'create', found.identityFile)]
      : []),
    ...(needsBase
      ? [shared('base image', 'create', 'about 30 seconds and 250 MB, once for this machine')]
      : []),
    ...(needsNetwork ? [shared('network', known.size > 0 ? 'restart' : 'create', found.subnet)] : []),
    ...remove.map((host) => change(host.name, 'host', 'remove', host.record?.address ?? 'half-made')),
    ...create.map(({ spec: machine, address, leftover }) =>
      change(
        machine.name,
        'host',
        'create',
        `${address}, ${size(machine)}`,
        ...(leftover ? ['a half-made one is replaced'] : []),
      ),
    ),
    ...start.map((record) => change(record.name, 'host', 'restart', `${record.address}, it does not run`)),
    ...limit.map(({ record, spec: machine }) =>
      change(record.name, 'limits', 'change', `${size(record)} → ${size(machine)}`),
    ),
    ...rekey.map(({ record }) => change(record.name, 'sign-in keys', 'change')),
  ];
  return {
    plan: { changes, machines: kept.map((host) => asMachine(found, host.record, host)), warnings: [] },
    work: {
      base: needsBase,
      network: needsNetwork,
      remove,
      create,
      start,
      limit: limit.map(({ record, spec: machine, alive }) => ({ record, spec: machine, alive })),
      rekey,
    },
  };
}

/** All keys that may sign in as root, each once. */
export function authorizedKeys(operatorKey: string | undefined, spec: EnvironmentSpec): string[] {
  return [
    ...new Set(
      [...(operatorKey === undefined ? [] : [operatorKey]), ...spec.authorizedKeys].map((key) => key.trim()),
    ),
  ];
}

/** A host as everything above the provider sees it. */
export function asMachine(
  found: Pick<Found, 'identityFile'>,
  record: HostRecord,
  state: { readonly alive: boolean; readonly answers: boolean },
): Machine {
  return {
    name: record.name,
    group: record.group,
    address: record.address,
    privateAddress: record.address,
    state: !state.alive ? 'stopped' : state.answers ? 'running' : 'starting',
    user: 'root',
    port: 22,
    identityFile: found.identityFile,
    hostKeys: [record.hostKey],
    monthlyCost: 0,
  };
}

function change(host: string, step: string, action: CloudChange['action'], ...detail: string[]): CloudChange {
  return { host, step, action, detail };
}

function size({ memoryBytes, cpus }: { memoryBytes: number; cpus: number }): string {
  return `${Math.round(memoryBytes / 2 ** 20)} MB, ${cpus} CPU${cpus === 1 ? '' : 's'}`;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
