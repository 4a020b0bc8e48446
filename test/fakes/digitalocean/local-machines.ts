/**
 * Real Debian hosts of this machine behind the fake's droplets, so that the whole way from a token to a
 * served version can be walked without an account.
 * What a droplet gets from DigitalOcean at its first start (its name, the account's keys, the host key of
 * its user data) these get too.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createLocalProvider } from '../../../src/cloud/local/provider.ts';
import type { EnvironmentSpec, Machine, MachineSpec } from '../../../src/cloud/provider.ts';
import { quietContext } from '../../../src/context.ts';
import { quote } from '../../../src/ssh/quote.ts';
import { sshArguments } from '../../support/ssh-arguments.ts';
import type { FakeAccount, FakeDroplet } from './account.ts';
import { type DropletMachines, injectedPrivateKey } from './machines.ts';

const MIB = 2 ** 20;
/** A local host has less to do than its droplet, and the machine has less to give. */
const MOST_MEMORY = 1024 * MIB;

export interface LocalMachines extends DropletMachines {
  /** Removes every host. */
  stop(): Promise<void>;
}

export interface LocalMachinesOptions {
  /** Names the hosts' environment on this machine. */
  readonly project: string;
  /** For keys. */
  readonly directory: string;
  readonly account: FakeAccount;
  /** Milliseconds since 1970 of the fake's clock. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** Hosts that a fake of the same name left behind are removed first. */
export async function localMachines(options: LocalMachinesOptions): Promise<LocalMachines> {
  const { account, now, log } = options;
  const living = new Map<number, FakeDroplet>();
  const specOf = (machines: readonly MachineSpec[]): EnvironmentSpec => ({
    project: options.project,
    environment: 'fake',
    owner: options.project,
    directory: options.directory,
    machines,
    operators: ['0.0.0.0/0'],
    authorizedKeys: [],
  });
  const provider = () =>
    createLocalProvider(
      quietContext(),
      specOf([...living.values()].map((droplet) => machineSpec(droplet, account))),
    );
  const started = new Map<number, Machine>();
  let work: Promise<void> = Promise.resolve();
  /** One thing after another: all droplets are hosts of one environment. */
  const inTurn = (what: string, act: () => Promise<void>) => {
    work = work
      .then(act)
      .catch((error: unknown) => log(`${what}: ${error instanceof Error ? error.message : error}`));
  };

  async function startAll(): Promise<void> {
    const local = provider();
    for (const machine of await local.apply(await local.plan())) {
      const droplet = living.get(idOf(machine.name));
      if (droplet === undefined || droplet.activeAt !== Number.POSITIVE_INFINITY) continue;
      if (!started.has(droplet.id)) await firstStart(machine, droplet);
      started.set(droplet.id, machine);
      droplet.publicAddress = machine.address;
      droplet.privateAddress = machine.privateAddress;
      droplet.activeAt = now();
      droplet.addressesAt = now();
      droplet.busyUntil = now();
      log(`droplet ${droplet.name} (${droplet.id}) runs at ${machine.address}`);
    }
  }

  const waiting = (droplet: FakeDroplet) =>
    Object.assign(droplet, { activeAt: Number.POSITIVE_INFINITY, busyUntil: Number.POSITIVE_INFINITY });

  await provider().destroy();
  return {
    made(droplet) {
      waiting(droplet);
      droplet.addressesAt = Number.POSITIVE_INFINITY;
      living.set(droplet.id, droplet);
      inTurn(`start ${droplet.name}`, startAll);
    },
    removed({ id, name }) {
      living.delete(id);
      inTurn(`remove ${name}`, startAll);
    },
    acted(droplet, type) {
      const machine = started.get(droplet.id);
      if (machine === undefined) return;
      if (type === 'power_on') {
        waiting(droplet);
        inTurn(`power on ${droplet.name}`, startAll);
      } else if (type !== 'rename' && type !== 'resize') {
        const command =
          type === 'power_off' || type === 'shutdown' ? 'systemctl poweroff' : 'systemctl reboot';
        inTurn(`${type} ${droplet.name}`, () => onHost(machine, command));
      }
    },
    async stop() {
      await work;
      living.clear();
      await provider().destroy();
    },
  };
}

function machineSpec(droplet: FakeDroplet, { catalogue }: FakeAccount): MachineSpec {
  const size = catalogue.sizes.find(({ slug }) => slug === droplet.size);
  return {
    name: `droplet-${droplet.id}`,
    group: 'droplets',
    roles: [],
    exposures: [],
    memoryBytes: Math.min(MOST_MEMORY, (size?.memory ?? 512) * MIB),
    cpus: size?.vcpus ?? 1,
    ...{ size: droplet.size, region: droplet.region, image: 'debian-12-x64' },
  };
}

function idOf(name: string): number {
  return Number(name.replace(/^droplet-/, ''));
}

/** What cloud-init does at a droplet's first start. */
async function firstStart(machine: Machine, droplet: FakeDroplet): Promise<void> {
  const hostKey = injectedPrivateKey(droplet.userData);
  const key = '/etc/ssh/ssh_host_ed25519_key';
  const giveHostKey =
    hostKey === undefined
      ? ''
      : `(umask 077; printf '%s' ${quote(hostKey)} > ${key}.new); mv ${key}.new ${key}; ` +
        `ssh-keygen -y -f ${key} > ${key}.pub; systemctl reload ssh`;
  const keys = droplet.authorizedKeys
    .map((line) => `printf '%s\\n' ${quote(line)} >> /root/.ssh/authorized_keys`)
    .join('\n');
  await onHost(
    machine,
    `set -e
hostname ${quote(droplet.name)}; printf '%s\\n' ${quote(droplet.name)} > /etc/hostname
${keys}
printf '#!/bin/sh\\n[ "$1" != status ] || echo "status: done"\\n' > /usr/bin/cloud-init
chmod 755 /usr/bin/cloud-init
${giveHostKey}`,
  );
}

async function onHost(machine: Machine, script: string): Promise<void> {
  const child = promisify(execFile)('ssh', [...sshArguments(machine), 'bash -s'], { timeout: 30_000 });
  child.child.stdin?.end(script);
  // A host that powers off hangs up before it says goodbye.
  await child.catch((error: { code?: unknown }) => {
    if (!/poweroff|reboot/.test(script)) throw error;
  });
}
