/**
 * Where local hosts live on this machine, and which networks they may take. Everything else follows from
 * these and the project.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../errors.ts';
import type { EnvironmentSpec } from '../provider.ts';
import { parseNetwork } from './subnet.ts';

export interface LocalSettings {
  /** Disks and records of all hosts on this machine. */
  readonly stateDirectory: string;
  /** Images that hosts' disks lie on. May be deleted whenever no host exists. */
  readonly cacheDirectory: string;
  /** Networks in CIDR notation that /24 subnets are taken from, in order of preference. */
  readonly networks: readonly string[];
}

/**
 * Private ranges that other programs rarely take (Docker's are 172.17 to 172.29, libvirt's 192.168.122, LXD's
 * and VPNs' mostly 10.0 to 10.10).
 */
const NETWORKS = ['10.77.0.0/16', '172.30.0.0/16', '192.168.176.0/20'];

/**
 * The settings, from the environment variables `PIPELINE_LOCAL_NETWORK` (CIDR, at least a /24),
 * `PIPELINE_LOCAL_STATE` and
 * `PIPELINE_LOCAL_CACHE` (folders).
 * @throws Failure kind `usage` where the network is none.
 */
export function localSettings(env: Readonly<Record<string, string | undefined>>): LocalSettings {
  const network = env.PIPELINE_LOCAL_NETWORK;
  if (network !== undefined && (parseNetwork(network)?.prefix ?? 32) > 24) {
    throw new Failure(
      'usage',
      `PIPELINE_LOCAL_NETWORK is ${JSON.stringify(network)}, which is no IPv4 network of /24 or larger.`,
      {
        next: 'Set it to a network that is free on this machine, e.g. 10.99.0.0/16, or unset it.',
      },
    );
  }
  return {
    stateDirectory: env.PIPELINE_LOCAL_STATE ?? '/var/lib/pipeline/local',
    cacheDirectory: env.PIPELINE_LOCAL_CACHE ?? '/var/cache/pipeline',
    networks: network === undefined ? NETWORKS : [network],
  };
}

/**
 * The names that everything of one environment goes by on this machine. They follow from the project alone,
 * so a killed command's leavings are found.
 */
export interface EnvironmentLayout {
  /** Eight hex digits, different for every environment on this machine. */
  readonly id: string;
  readonly directory: string;
  readonly recordFile: string;
  readonly lockFile: string;
  readonly bridge: string;
  /** nftables table (family `ip`). */
  readonly table: string;
  /** Below the root of every control group hierarchy. */
  readonly controlGroup: string;
}

export interface HostLayout {
  readonly name: string;
  readonly directory: string;
  /** Written last when a host is made: a host without it is half-made. */
  readonly recordFile: string;
  /** What lies over the images; where the host has a disk of its own, its mount point, likewise. */
  readonly disk: string;
  readonly upper: string;
  readonly work: string;
  /** The host's own disk as a file, where it has one. */
  readonly diskImage: string;
  /** Mount point of the disk, filled only inside the host's own mount namespace. */
  readonly root: string;
  /** Mount point of the network namespace, likewise. */
  readonly network: string;
  /** Exists while the host is meant to run; its supervisor ends without it. */
  readonly wanted: string;
  /** Locked by the supervisor for as long as it lives. */
  readonly lockFile: string;
  readonly bootScript: string;
  readonly limitsScript: string;
  readonly superviseScript: string;
  readonly consoleLog: string;
  readonly controlGroup: string;
  /** Name of the transient unit where systemd is process 1. */
  readonly unit: string;
}

/**
 * Layout of the environment that `spec` describes: its owner and its real folder tell it from every other,
 * also from a second clone.
 */
export function environmentLayout(
  settings: LocalSettings,
  spec: Pick<EnvironmentSpec, 'project' | 'owner' | 'directory' | 'environment'>,
): EnvironmentLayout {
  const clone = digest(`${spec.owner}\0${canonical(spec.directory)}`);
  return layoutAt(settings, `${spec.project}-${clone}`, spec.environment);
}

/** Layout of the environment kept in `<stateDirectory>/<project folder>/<environment>`. */
export function layoutAt(
  settings: LocalSettings,
  projectFolder: string,
  environment: string,
): EnvironmentLayout {
  const id = digest(`${projectFolder}/${environment}`);
  const directory = join(settings.stateDirectory, projectFolder, environment);
  return {
    id,
    directory,
    recordFile: join(directory, 'environment.json'),
    lockFile: join(directory, 'lock.file'),
    bridge: `pl-${id}`,
    table: `pipeline_${id}`,
    controlGroup: `pipeline/${id}`,
  };
}

export function hostLayout(environment: EnvironmentLayout, name: string): HostLayout {
  const directory = join(environment.directory, name);
  return {
    name,
    directory,
    recordFile: join(directory, 'host.json'),
    disk: join(directory, 'disk'),
    upper: join(directory, 'disk/upper'),
    work: join(directory, 'disk/work'),
    diskImage: join(directory, 'disk.img'),
    root: join(directory, 'root'),
    network: join(directory, 'network'),
    wanted: join(directory, 'wanted'),
    lockFile: join(directory, 'lock'),
    bootScript: join(directory, 'boot'),
    limitsScript: join(directory, 'limits'),
    superviseScript: join(directory, 'supervise'),
    consoleLog: join(directory, 'console.log'),
    controlGroup: `${environment.controlGroup}/${name}`,
    unit: `pipeline-${environment.id}-${name}.service`,
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** The folder with symbolic links resolved; as written where it no longer exists. */
function canonical(directory: string): string {
  try {
    return realpathSync(directory);
  } catch {
    return directory;
  }
}
