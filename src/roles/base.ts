/**
 * What every host gets: firewall, SSH, clock, journal, log rotation, security upgrades, swap on small ones.
 */

import type { Resource, TheirsResource } from '../host/resource.ts';
import type { HostFacts } from '../host/state.ts';
import { closedPorts, firewall, OTHER_FIREWALLS } from './firewall.ts';
import { LOG_FOLDER } from './log-folder.ts';
import type { Role } from './role.ts';
import passwords from './ssh-passwords.sh' with { type: 'text' };
import { look } from './theirs.ts';

const GIB = 2 ** 30;
/** The kernel of a container is its machine's: it has neither a clock nor swap of its own. */
const onMachine = (host: HostFacts) => host.container === '';
const isSmall = (host: HostFacts) => onMachine(host) && host.memoryBytes < 2 * GIB;
/** Another clock daemon that is there already stays. */
const keepsTime = (daemon: HostFacts['clock']) => (host: HostFacts) =>
  onMachine(host) && (host.clock === '' ? 'timesyncd' : host.clock) === daemon;

const SSHD = `# Made by pipeline: keys only, and no tricks.
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitEmptyPasswords no
X11Forwarding no
AllowAgentForwarding no
MaxAuthTries 4
LoginGraceTime 30
ClientAliveInterval 60
`;

const JOURNALD = `# Made by pipeline: the journal survives a reboot, and never fills the disk.
[Journal]
Storage=persistent
SystemMaxUse=300M
SystemKeepFree=500M
MaxRetentionSec=30day
`;

const UPGRADES = `// Made by pipeline: security upgrades every day, by themselves; no reboot by itself.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
Unattended-Upgrade::Automatic-Reboot "false";
`;

const ROTATION = `# Made by pipeline: a log may grow past its size in less than a day.
[Timer]
OnCalendar=
OnCalendar=hourly
`;

const SWAP = `[Unit]
Description=Swap file (pipeline)

[Swap]
What=/var/swapfile

[Install]
WantedBy=swap.target
`;

const SWAP_FILE = `fallocate -l 1G /var/.swapfile.new
chmod 600 /var/.swapfile.new
mkswap /var/.swapfile.new
mv /var/.swapfile.new /var/swapfile`;

const SSHD_FILE = '/etc/ssh/sshd_config.d/10-pipeline.conf';

const PASSWORDS: TheirsResource = {
  kind: 'theirs',
  name: 'passwords over SSH',
  look: look(passwords, { dropin: SSHD_FILE }),
  fate: 'ask',
  says: 'these accounts sign in with a password today, and need a key from now on',
};

export const base: Role = {
  name: 'base',
  exposures: [],
  resources: (params): readonly Resource[] => [
    closedPorts(params),
    OTHER_FIREWALLS,
    { kind: 'package', name: 'nftables' },
    firewall(params),

    PASSWORDS,
    { kind: 'file', path: SSHD_FILE, content: SSHD, validate: 'sshd -t -f %s' },
    { kind: 'service', unit: 'ssh.service', reloadOn: [`file ${SSHD_FILE}`] },

    { kind: 'file', path: '/etc/systemd/journald.conf.d/pipeline.conf', content: JOURNALD },
    {
      kind: 'service',
      unit: 'systemd-journald.service',
      restartOn: ['file /etc/systemd/journald.conf.d/pipeline.conf'],
    },

    { kind: 'package', name: 'ca-certificates' },
    { kind: 'package', name: 'logrotate' },
    { kind: 'file', path: '/etc/systemd/system/logrotate.timer.d/pipeline.conf', content: ROTATION },
    { kind: 'service', unit: 'logrotate.timer', enabled: true },

    { kind: 'package', name: 'unattended-upgrades' },
    { kind: 'file', path: '/etc/apt/apt.conf.d/52pipeline-upgrades', content: UPGRADES },
    { kind: 'service', unit: 'apt-daily.timer', enabled: true },
    { kind: 'service', unit: 'apt-daily-upgrade.timer', enabled: true },

    { kind: 'package', name: 'systemd-timesyncd', when: keepsTime('timesyncd') },
    { kind: 'service', unit: 'systemd-timesyncd.service', enabled: true, when: keepsTime('timesyncd') },
    { kind: 'service', unit: 'chrony.service', enabled: true, when: keepsTime('chrony') },

    {
      kind: 'command',
      name: 'make a swap file of 1 GiB',
      unless: 'test -e /var/swapfile',
      run: SWAP_FILE,
      when: isSmall,
    },
    { kind: 'file', path: '/etc/systemd/system/var-swapfile.swap', content: SWAP, when: isSmall },
    { kind: 'service', unit: 'var-swapfile.swap', enabled: true, when: isSmall },

    { kind: 'directory', path: '/etc/pipeline' },
    LOG_FOLDER,
  ],
};
