/** What `apply` will do, decided from what was found and what should be. Pure. */
import type { CloudChange, CloudPlan, EnvironmentSpec, Machine, MachineSpec } from '../provider.ts';
import { imageName } from './image.ts';
import type { Layer } from './layers.ts';
import { type HostRecord, imagesUnder } from './records.ts';
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
  /** Folders of images that its disk lies on and that are gone. */
  readonly missing: readonly string[];
}

/** The base image for new hosts of one system. */
export interface FoundBase {
  /** `image:` of pipeline.yml; undefined: this machine's own release. */
  readonly image: string | undefined;
  /** The release, e.g. `trixie`. */
  readonly codename: string;
  /** Its folder, and whether it is there. */
  readonly directory: string;
  readonly ready: boolean;
}

/** A layer for new hosts. */
export interface FoundLayer extends Layer {
  readonly ready: boolean;
}

/** Everything that decisions depend on. */
export interface FoundHosts {
  /** Debian packages that this machine lacks. */
  readonly missingPackages: readonly string[];
  /** One for each system that machines of the configuration want. */
  readonly bases: readonly FoundBase[];
  /** What machines of the configuration want on them, topmost first, by machine. */
  readonly layers: ReadonlyMap<string, readonly FoundLayer[]>;
  readonly networkReady: boolean;
  /** The environment's subnet, or the one it would get. */
  readonly subnet: string;
  /** The operator's public key; undefined where it is still to be made. */
  readonly operatorKey: string | undefined;
  readonly identityFile: string;
  /** Digest of the machine's settings that hosts are handed. */
  readonly settings: string;
  readonly hosts: readonly FoundHost[];
  /** What will not work here, one sentence each. */
  readonly warnings: readonly string[];
}

/** What is to be done about one machine of the configuration. */
export interface HostWork {
  readonly spec: MachineSpec;
  readonly address: string;
  /** The base image that it gets, or would get today. */
  readonly base: FoundBase;
  /** Likewise, the layers on it. */
  readonly layers: readonly FoundLayer[];
  /** undefined: it is to be made. */
  readonly record: HostRecord | undefined;
  /** A half-made one is in the way. */
  readonly leftover: boolean;
  /** It does not run. */
  readonly start: boolean;
  /** Folders of images under its disk that are gone and cannot be made again: the disk cannot be read. */
  readonly lost: readonly string[];
  /** What differs from what it should be. */
  readonly differs: { readonly limits: boolean; readonly keys: boolean; readonly settings: boolean };
}

/** What is to be done, for `apply`. */
export interface LocalWork {
  /** Base images and layers to make. */
  readonly bases: readonly FoundBase[];
  readonly layers: readonly Layer[];
  readonly network: boolean;
  /** Names of hosts that the configuration no longer has. */
  readonly remove: readonly string[];
  readonly hosts: readonly HostWork[];
}

/** @throws RangeError where there are more hosts than a /24 has addresses (244). */
export function planLocal(
  found: FoundHosts,
  spec: EnvironmentSpec,
): { readonly plan: CloudPlan; readonly work: LocalWork } {
  const wanted = new Set(spec.machines.map(({ name }) => name));
  const remove = found.hosts.filter(({ name }) => !wanted.has(name));
  const hosts = hostWork(found, spec);
  const some = hosts.length > 0;
  const bases = imagesToMake(hosts, ({ base }) => [base]);
  const network = some && !found.networkReady;
  const changes = [
    ...sharedChanges(found, { key: some && found.operatorKey === undefined, bases, network }),
    ...remove.map(({ name, record }) => change(name, 'host', 'remove', record?.address ?? 'half-made')),
    ...hosts.flatMap(hostChanges),
  ];
  const machines = found.hosts.flatMap((host) =>
    host.record && wanted.has(host.name) ? [asMachine(found, host.record, host)] : [],
  );
  const warnings = [
    ...found.warnings,
    ...hosts.filter(({ lost }) => lost.length > 0).map(lostSentence),
    ...hosts.flatMap(otherSystem),
  ];
  return {
    plan: { changes, machines, warnings },
    work: {
      bases,
      layers: imagesToMake(hosts, ({ layers }) => layers),
      network,
      remove: remove.map(({ name }) => name),
      hosts,
    },
  };
}

/** Why a host cannot be started any more. */
export function lostSentence({ spec, lost }: Pick<HostWork, 'spec' | 'lost'>): string {
  return `${spec.name} cannot be started: the image that its disk lies on (${lost.join(', ')}) was removed.`;
}

/** A host keeps the system that it was made of. */
function otherSystem({ spec, record, base }: HostWork): string[] {
  const is = record?.release;
  if (spec.image === undefined || is === undefined || is === base.codename) return [];
  return [
    `${spec.name} has image ${imageName(is)}, pipeline.yml says ${spec.image}: left as it is, ` +
      'since another image would need a new host. Change pipeline.yml back, or destroy the host and ' +
      'run up.',
  ];
}

function hostWork(found: FoundHosts, spec: EnvironmentSpec): HostWork[] {
  const known = new Map(found.hosts.map((host) => [host.name, host]));
  const keys = authorizedKeys(found.operatorKey, spec);
  const addresses = spec.machines.flatMap(({ name }) => known.get(name)?.record?.address ?? []);
  return spec.machines.map((machine) => {
    const host = known.get(machine.name);
    const base = found.bases.find(({ image }) => image === machine.image);
    if (base === undefined) throw new RangeError(`nobody looked for the image ${machine.image}`);
    const layers = found.layers.get(machine.name) ?? [];
    if (host?.record === undefined) {
      const number = freeHostNumber(addresses);
      if (number === undefined) throw new RangeError(`no address is free in ${found.subnet}`);
      const address = addressIn(found.subnet, number);
      addresses.push(address);
      const differs = { limits: false, keys: false, settings: false };
      return {
        spec: machine,
        address,
        base,
        layers,
        record: undefined,
        leftover: host !== undefined,
        start: false,
        lost: [],
        differs,
      };
    }
    const { record, alive, missing } = host;
    const differs = {
      limits: record.memoryBytes !== machine.memoryBytes || record.cpus !== machine.cpus,
      keys: found.operatorKey === undefined || !sameSet(record.authorizedKeys, keys),
      settings: record.settings !== found.settings,
    };
    const lost = alive || liesOnToday(record, base, layers) ? [] : missing;
    const { address } = record;
    return { spec: machine, address, base, layers, record, leftover: false, start: !alive, lost, differs };
  });
}

/** Whether a disk lies on the images that a new host would get, which can be made again as they were. */
function liesOnToday(record: HostRecord, base: FoundBase, layers: readonly FoundLayer[]): boolean {
  const today = [...layers, base].map(({ directory }) => directory);
  return sameSet(imagesUnder(record), today);
}

/** Images for hosts that are to be made, or whose own were removed but can be made again. */
function imagesToMake<T extends FoundBase | FoundLayer>(
  hosts: readonly HostWork[],
  imagesOf: (host: HostWork) => readonly T[],
): T[] {
  const needed = hosts
    .filter(({ record, start, base, layers }) => !record || (start && liesOnToday(record, base, layers)))
    .flatMap(imagesOf);
  // two names may mean one image
  return [...new Map(needed.map((image) => [image.directory, image])).values()].filter(({ ready }) => !ready);
}

function sharedChanges(
  found: FoundHosts,
  needs: { key: boolean; bases: readonly FoundBase[]; network: boolean },
): CloudChange[] {
  const packages = found.missingPackages;
  return [
    ...(packages.length > 0 ? [change(null, 'packages of this machine', 'create', ...packages)] : []),
    ...(needs.key ? [change(null, 'key', 'create', found.identityFile)] : []),
    ...needs.bases.map(({ codename }) =>
      change(
        null,
        `base image ${imageName(codename)}`,
        'create',
        'about 30 seconds and 250 MB, once for this machine',
      ),
    ),
    ...(needs.network
      ? [change(null, 'network', found.hosts.length > 0 ? 'restart' : 'create', found.subnet)]
      : []),
  ];
}

function hostChanges({ spec, address, record, leftover, start, lost, differs }: HostWork): CloudChange[] {
  const { name } = spec;
  if (record === undefined) {
    const detail = [`${address}, ${size(spec)}`, ...(leftover ? ['a half-made one is replaced'] : [])];
    return [change(name, 'host', 'create', ...detail)];
  }
  if (lost.length > 0) return [];
  return [
    ...(start ? [change(name, 'host', 'restart', `${address}, it does not run`)] : []),
    ...(differs.limits ? [change(name, 'limits', 'change', `${size(record)} → ${size(spec)}`)] : []),
    ...(differs.keys ? [change(name, 'sign-in keys', 'change')] : []),
    ...(differs.settings
      ? [
          change(
            name,
            'settings of this machine',
            'change',
            'name servers, proxies, apt or npm settings differ',
          ),
        ]
      : []),
  ];
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
  found: Pick<FoundHosts, 'identityFile'>,
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
    ...(record.diskBytes === undefined ? {} : { ownDisk: true }),
  };
}

function change(
  host: string | null,
  step: string,
  action: CloudChange['action'],
  ...detail: string[]
): CloudChange {
  return { host, step, action, detail };
}

function size({ memoryBytes, cpus }: { memoryBytes: number; cpus: number }): string {
  return `${Math.round(memoryBytes / 2 ** 20)} MB, ${cpus} CPU${cpus === 1 ? '' : 's'}`;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
