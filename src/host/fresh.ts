/**
 * What a host will be just after it was made: what `prod plan` compares with where there is no host to ask
 * yet.
 */
import type { MachineSpec } from '../cloud/provider.ts';
import type { Facts } from './state.ts';

/** What Debian's images bring, be they of a cloud or our own. */
const BROUGHT = [
  'openssh-server',
  'nftables',
  'ca-certificates',
  'systemd',
  'iproute2',
  'procps',
  'sudo',
  'curl',
  'python3',
  'logrotate',
  'unattended-upgrades',
] as const;
/** What only our own image brings. */
const LOCAL = ['libatomic1'] as const;
/** Units that run on them from the first boot on, with what systemd says of their enablement. */
const RUNNING = {
  'ssh.service': 'enabled',
  'systemd-journald.service': 'static',
  'logrotate.timer': 'enabled',
  'apt-daily.timer': 'enabled',
  'apt-daily-upgrade.timer': 'enabled',
} as const;

/**
 * Facts of a Debian host on which nothing was done yet. `container` is `systemd-nspawn` for local hosts,
 * empty for droplets.
 */
export function freshFacts(machine: MachineSpec, container: string): Facts {
  return {
    host: {
      name: machine.name,
      os: 'debian',
      version: '12',
      codename: 'bookworm',
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      memoryBytes: machine.memoryBytes,
      cpus: machine.cpus,
      disk: { freeBytes: 0, totalBytes: 0 },
      cgroup: 2,
      systemd: true,
      container,
      clock: '',
    },
    packages: Object.fromEntries(
      [...BROUGHT, ...(container === '' ? [] : LOCAL)].map((name) => [name, 'installed']),
    ),
    interrupted: false,
    paths: {},
    users: {},
    services: Object.fromEntries(
      Object.entries(RUNNING).map(([unit, enabled]) => [
        unit,
        { load: 'loaded', active: 'active', enabled, needsReload: false },
      ]),
    ),
    firewalls: {},
    commands: {},
    theirs: {},
    stamps: {},
  };
}
