/**
 * What stands behind the fake's droplets. Simulated here: a host that shows a host key and runs the few
 * commands of a first contact.
 */
import { parse } from 'yaml';
import { generateEd25519, publicKeyOf } from '../../../src/cloud/ed25519.ts';
import type { FakeDroplet } from './account.ts';

/**
 * The fake tells it what happens to droplets; it may change a droplet's addresses and the moment from which
 * it is active.
 */
export interface DropletMachines {
  made(droplet: FakeDroplet): void;
  removed(droplet: FakeDroplet): void;
  /** A droplet action, e.g. `power_on`, after the fake has noted it. */
  acted(droplet: FakeDroplet, type: string): void;
  /** Simulated machines alone: one command over simulated SSH. */
  run?(droplet: FakeDroplet, command: SimulatedCommand, now: number): SimulatedResult;
}

/** One call of the simulated SSH. */
export interface SimulatedCommand {
  readonly address: string;
  /** Host keys that the caller accepts. */
  readonly hostKeys: readonly string[];
  /** Public half of the caller's key. */
  readonly publicKey: string;
  readonly label: string;
}

/** `refused`, `permission` and `host-key-changed` as OpenSSH would fail. */
export type SimulatedResult =
  | { readonly failed: 'refused' | 'permission' | 'host-key-changed' }
  | { readonly exitCode: number; readonly stdout: string };

export interface SimulatedMachines extends DropletMachines {
  run(droplet: FakeDroplet, command: SimulatedCommand, now: number): SimulatedResult;
  /** The host key that a droplet shows now. */
  hostKey(id: number): string | undefined;
}

interface Host {
  /** Private and public half. */
  shown: string;
  offered: string | undefined;
  adopted: string | undefined;
}

/** Hosts that exist in memory alone. */
export function simulatedMachines(): SimulatedMachines {
  const hosts = new Map<number, Host>();
  const stored = (droplet: FakeDroplet): Host => {
    const known = hosts.get(droplet.id);
    if (known !== undefined) return known;
    const host = {
      shown: injectedHostKey(droplet) ?? generateEd25519().publicKey,
      offered: undefined,
      adopted: undefined,
    };
    hosts.set(droplet.id, host);
    return host;
  };
  return {
    made: stored,
    removed: ({ id }) => hosts.delete(id),
    acted: () => {},
    hostKey: (id) => hosts.get(id)?.shown,
    run(droplet, command, now) {
      const host = stored(droplet);
      if (droplet.power === 'off' || now < droplet.activeAt) return { failed: 'refused' };
      if (!command.hostKeys.includes(host.shown)) return { failed: 'host-key-changed' };
      const trusted = droplet.authorizedKeys.some((line) => line.startsWith(command.publicKey));
      if (!trusted) return { failed: 'permission' };
      return { exitCode: 0, stdout: execute(host, command.label) };
    },
  };
}

/** The scripts of `src/cloud/digitalocean/hosts/host.ts`, told apart by their labels. */
function execute(host: Host, label: string): string {
  switch (label) {
    case 'sign in':
    case 'wait for cloud-init':
      return '';
    case 'make a host key':
      if (host.adopted !== host.shown) host.offered ??= generateEd25519().publicKey;
      return `${host.offered ?? host.shown}\n`;
    case 'exchange the host key':
      if (host.offered !== undefined) {
        host.adopted = host.offered;
        host.shown = host.offered;
        host.offered = undefined;
      }
      return '';
    default:
      throw new Error(`the simulated host does not know "${label}"`);
  }
}

/** The host key in a droplet's user data, as cloud-init reads it. */
function injectedHostKey({ userData }: FakeDroplet): string | undefined {
  const privateKey = injectedPrivateKey(userData);
  return privateKey === undefined ? undefined : publicKeyOf(privateKey);
}

export function injectedPrivateKey(userData: string): string | undefined {
  if (!userData.startsWith('#cloud-config\n')) return undefined;
  const config = parse(userData) as { ssh_keys?: { ed25519_private?: string } } | null;
  return config?.ssh_keys?.ed25519_private;
}
