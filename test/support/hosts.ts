/**
 * Real local hosts for tests. Every call gets an environment of its own, which is removed after the test,
 * also after a failure, Ctrl-C or a killed test runner (then by a guard process that outlives it).
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalProvider } from '../../src/cloud/local/provider.ts';
import type { EnvironmentSpec, Machine, MachineSpec, Provider } from '../../src/cloud/provider.ts';
import { type Context, quietContext } from '../../src/context.ts';
import { powerCut, reboot } from './power.ts';
import { whenGone } from './when-gone.ts';

export interface HostsWanted {
  readonly names: readonly string[];
  /** Bytes a host; default 512 MB. */
  readonly memory?: number;
  /** Processors a host; default 2. */
  readonly cpus?: number;
  /** Their system, as `image:` of pipeline.yml says; default: this machine's own. */
  readonly image?: string;
  readonly context?: Context;
  /** Anything else that the environment should be. */
  readonly spec?: Partial<EnvironmentSpec>;
}

export interface TestHosts {
  readonly machines: readonly Machine[];
  readonly provider: Provider;
  readonly spec: EnvironmentSpec;
  /** The machine of this name. */
  machine(name: string): Machine;
  /** Ends a host as a power cut does; the disk stays, and `apply` starts it again. */
  powerCut(name: string): Promise<void>;
  /** Reboots a host and waits until it accepts connections again. */
  reboot(name: string): Promise<void>;
  /** Removes everything. Safe to call twice. */
  stop(): Promise<void>;
}

/** Why hosts cannot be had here, with the command that would enable them; undefined where they can. */
export function hostsUnavailable(): string | undefined {
  if (process.platform !== 'linux')
    return 'local hosts need Linux: run the tests on Debian 12 or Ubuntu 22.04';
  if (process.getuid?.() !== 0) return 'local hosts need root: run `sudo npm test`';
  const OVERLAYFS = 0x794c7630;
  if (process.env.PIPELINE_LOCAL_STATE === undefined && statfsSync('/var/lib').type === OVERLAYFS) {
    return (
      "hosts' disks cannot be stacked on a container's root: mount a volume and set " +
      'PIPELINE_LOCAL_STATE=/that/volume'
    );
  }
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const missing = Object.entries({
    'systemd-nspawn': 'systemd-container',
    mmdebstrap: 'mmdebstrap',
    nft: 'nftables',
    ip: 'iproute2',
  }).filter(([program]) => spawnSync('sh', ['-c', `command -v ${program}`], { env }).status !== 0);
  if (missing.length === 0) return undefined;
  const packages = missing.map(([, name]) => name).join(' ');
  return `this machine lacks ${packages}: run \`apt-get install --yes ${packages}\``;
}

/** A specification of an environment that no other test has, in a temporary folder. */
export function testEnvironment(wanted: HostsWanted): EnvironmentSpec {
  return {
    project: `test-${randomBytes(4).toString('hex')}`,
    environment: 'prod',
    owner: 'pipeline-tests',
    directory: mkdtempSync(join(tmpdir(), 'pipeline-test-')),
    machines: wanted.names.map((name) => machineSpec(name, wanted)),
    operators: ['127.0.0.0/8'],
    authorizedKeys: [],
    ...wanted.spec,
  };
}

export function machineSpec(
  name: string,
  wanted: Pick<HostsWanted, 'memory' | 'cpus' | 'image'> = {},
): MachineSpec {
  return {
    name,
    group: name.replace(/-\d+$/, ''),
    roles: [],
    exposures: [],
    memoryBytes: wanted.memory ?? 512 * 2 ** 20,
    cpus: wanted.cpus ?? 2,
    size: 's-1vcpu-1gb',
    region: 'nyc3',
    image: wanted.image,
  };
}

/** Starts hosts that accept strict SSH connections; the caller calls `stop`. */
export async function startHosts(wanted: HostsWanted): Promise<TestHosts> {
  const context = wanted.context ?? quietContext();
  const spec = testEnvironment(wanted);
  const provider = createLocalProvider(context, spec);
  const release = guard(spec);
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    await createLocalProvider(quietContext({ env: context.env }), spec).destroy();
    await rm(spec.directory, { recursive: true, force: true });
    stopped = true;
    release();
  };
  try {
    const machines = await provider.apply(await provider.plan());
    const machine = (name: string): Machine => {
      const found = machines.find((one) => one.name === name);
      if (found === undefined) throw new Error(`no host ${name} among ${machines.map((one) => one.name)}`);
      return found;
    };
    return {
      machines,
      provider,
      spec,
      machine,
      powerCut: (name) => powerCut(spec, name),
      reboot: (name) => reboot(machine(name)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts hosts, hands them to `use`, and removes them afterwards, whatever happened. */
export async function withHosts<T>(
  wanted: HostsWanted,
  use: (machines: readonly Machine[], hosts: TestHosts) => Promise<T>,
): Promise<T> {
  const hosts = await startHosts(wanted);
  try {
    return await use(hosts.machines, hosts);
  } finally {
    await hosts.stop();
  }
}

/** Arguments for `ssh` that reach a machine strictly; the known_hosts file is written beside the key. */
export { sshArguments } from './ssh-arguments.ts';

/**
 * A process that outlives this one and removes the environment when this one is gone without having done so.
 * @returns ends the guard.
 */
export function guard(spec: EnvironmentSpec): () => void {
  return whenGone([process.execPath, join(import.meta.dirname, 'hosts-cleaner.mjs'), JSON.stringify(spec)]);
}
