/** The programs that start a host, as text. Pure: tests compare them, nothing here touches the machine. */
import { command } from '../../ssh/quote.ts';
import { withValues } from '../../ssh/script.ts';
import program from './boot.sh' with { type: 'text' };
import init from './init.sh' with { type: 'text' };

import { hostNumber } from './subnet.ts';

/** Everything that the boot of a host depends on. */
export interface Boot {
  readonly name: string;
  /** Unique on the machine. */
  readonly machineName: string;
  /** Folders of files that the disk lies on, topmost first. */
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
  /** A file that is mounted at `disk`, which holds the two; undefined: they lie on this machine's disk. */
  readonly diskImage: string | undefined;
  readonly disk: string;
  readonly root: string;
  readonly network: string;
  readonly bridge: string;
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string;
}

/** Where the base image has the first program of every host. */
const INIT = '/usr/lib/pipeline/init';

/**
 * The first program inside a host. On control groups version 1, systemd-nspawn mounts the controllers
 * read-only, and systemd inside would ignore MemoryMax and its like without a word.
 */
export const INIT_SCRIPT = init;

/** Name of a host's network device on this machine: at most 15 characters. */
export function deviceName(bridge: string, address: string): string {
  return `${bridge}-${hostNumber(address)}`;
}

/**
 * A locally administered address that stays the same over reboots: neighbours need not ask for it, which they
 * do only once a second.
 */
export function macAddress(address: string): string {
  return ['02', '50', ...address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'))].join(
    ':',
  );
}

/**
 * Boots a host once: disk, network, container. Run in a mount namespace of its own; the overlay, the network
 * namespace and the device live and end with the processes, so a killed host leaves nothing mounted, and no
 * firewall rule survives a reboot.
 */
export function bootScript(boot: Boot): string {
  const prepare = withValues(program, {
    overlay: `index=off,lowerdir=${boot.lower.join(':')},upperdir=${boot.upper},workdir=${boot.work}`,
    image: boot.diskImage ?? '',
    disk: boot.disk,
    root: boot.root,
    network: boot.network,
    bridge: boot.bridge,
    device: deviceName(boot.bridge, boot.address),
    mac: macAddress(boot.address),
    address: boot.address,
    prefix: String(boot.prefix),
    gateway: boot.gateway,
  });
  return `${prepare}exec ${command(nspawnCommand(boot))}\n`;
}

/** The container itself. Without a user namespace: packages and units find what they find on a droplet. */
export function nspawnCommand(boot: Boot): string[] {
  return [
    'systemd-nspawn',
    '--quiet',
    `--directory=${boot.root}`,
    `--machine=${boot.machineName}`,
    `--hostname=${boot.name}`,
    '--register=no',
    '--keep-unit',
    `--network-namespace-path=${boot.network}`,
    '--capability=all',
    // the machine's clock, kernel modules and hardware are not the host's
    '--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE,CAP_SYS_RAWIO',
    '--link-journal=no',
    '--resolv-conf=off',
    '--timezone=off',
    '--console=read-only',
    '--kill-signal=SIGRTMIN+3',
    INIT,
  ];
}
