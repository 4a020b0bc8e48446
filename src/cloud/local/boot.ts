/** The programs that start a host, as text. Pure: tests compare them, nothing here touches the machine. */
import { quote } from '../../ssh/quote.ts';

import { quota } from './groups.ts';
import type { HostGroups } from './machine.ts';
import { hostNumber } from './subnet.ts';

/** Everything that the boot of a host depends on. */
export interface Boot {
  readonly name: string;
  /** Unique on the machine. */
  readonly machineName: string;
  readonly base: string;
  readonly upper: string;
  readonly work: string;
  readonly root: string;
  readonly network: string;
  readonly bridge: string;
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string;
  readonly memoryBytes: number;
  readonly cpus: number;
}

/** Where the base image has the first program of every host. */
export const INIT = '/usr/lib/pipeline/init';

/**
 * The first program inside a host. On control groups version 1, systemd-nspawn mounts the controllers read-only, and systemd inside
 * would ignore MemoryMax and its like without a word; on version 2 the limits are written where programs inside look for them.
 */
export const INIT_SCRIPT = `#!/bin/sh
# usage: init MEMORY_BYTES CPU_QUOTA_MICROSECONDS
while read -r _ target type _; do
  [ "$type" = cgroup ] || continue
  case "$target" in
    *memory* | *cpu | *cpuacct* | *pids* | *blkio*) mount -o remount,bind,rw "$target" ;;
  esac
done < /proc/mounts
if [ -w /sys/fs/cgroup/memory.max ]; then echo "$1" > /sys/fs/cgroup/memory.max; fi
if [ -w /sys/fs/cgroup/cpu.max ]; then echo "$2 100000" > /sys/fs/cgroup/cpu.max; fi
exec /lib/systemd/systemd
`;

/** Name of a host's network device on this machine: at most 15 characters. */
export function deviceName(bridge: string, address: string): string {
  return `${bridge}-${hostNumber(address)}`;
}

/** A locally administered address that stays the same over reboots, so that neighbours need not ask again. */
export function macAddress(address: string): string {
  return ['02', '50', ...address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'))].join(
    ':',
  );
}

/**
 * Boots a host once: disk, network, container. Run in a mount namespace of its own; the overlay, the network namespace and the
 * device live and end with the processes, so a killed host leaves nothing mounted, and no firewall rule survives a reboot.
 */
export function bootScript(boot: Boot, notify: boolean): string {
  const q = quote;
  const device = deviceName(boot.bridge, boot.address);
  return `#!/bin/sh
set -eu
mount -t overlay -o ${q(`index=off,lowerdir=${boot.base},upperdir=${boot.upper},workdir=${boot.work}`)} overlay ${q(boot.root)}
: > ${q(boot.network)}
unshare --net=${q(boot.network)} true
ip link delete ${device} 2> /dev/null || true
ip -batch - << END
link add ${device} type veth peer name eth0 address ${macAddress(boot.address)} netns ${boot.network}
link set ${device} master ${boot.bridge} up
END
nsenter --net=${q(boot.network)} ip -batch - << END
link set lo up
address add ${boot.address}/${boot.prefix} dev eth0
link set eth0 up
route add default via ${boot.gateway}
END
export SYSTEMD_NSPAWN_TMPFS_TMP=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
exec ${nspawnCommand(boot, notify).map(q).join(' ')}
`;
}

/** The container itself. Without a user namespace: packages and units find what they find on a droplet. */
export function nspawnCommand(boot: Boot, notify: boolean): string[] {
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
    ...(notify ? ['--notify-ready=yes'] : []),
    INIT,
    String(boot.memoryBytes),
    String(quota(boot.cpus)),
  ];
}

/** What a supervisor needs to know of its host. */
export interface Supervision {
  readonly bootScript: string;
  readonly wanted: string;
  readonly lockFile: string;
  readonly groups: HostGroups;
  readonly memoryBytes: number;
  readonly cpus: number;
}

/**
 * Owns the host's control groups in every hierarchy and boots it until it powers off. One at a time: the lock is held for as long as
 * this script lives. It ends at once where the host is no longer wanted, so that one started by a killed command does no harm.
 */
export function superviseScript(supervision: Supervision): string {
  const { version } = supervision.groups.limited;
  const boot = `unshare --mount --propagation slave sh ${quote(supervision.bootScript)}`;
  return `#!/bin/sh
set -u
exec 9> ${quote(supervision.lockFile)}
flock --nonblock 9 || exit 0
[ -e ${quote(supervision.wanted)} ] || exit 0
${version === 1 ? joinLegacy(supervision) : joinUnified(supervision)}
while [ -e ${quote(supervision.wanted)} ]; do
  code=0
  ${version === 1 ? boot : inMachineGroup(supervision, boot)} 9>&- || code=$?
  # systemd-nspawn ends with 133 when the host reboots
  [ "$code" -eq 133 ] || exit "$code"
done
`;
}

function joinLegacy({ groups, memoryBytes, cpus }: Supervision): string {
  const tops = groups.tops.map(quote).join(' ');
  const write = (value: number, directory: string, file: string) =>
    `[ ! -e ${quote(`${directory}/${file}`)} ] || echo ${value} > ${quote(`${directory}/${file}`)} || exit`;
  return [
    `mkdir -p ${tops} || exit`,
    ...groups.limited.memory.flatMap((directory) => [
      write(memoryBytes, directory, 'memory.limit_in_bytes'),
      write(memoryBytes, directory, 'memory.memsw.limit_in_bytes'),
    ]),
    ...groups.limited.cpu.map((directory) => write(quota(cpus), directory, 'cpu.cfs_quota_us')),
    `for group in ${tops}; do`,
    // a group of the cpuset hierarchy takes no process before it is told processors and memory nodes, from the top down
    '  if [ -e "$group/cpuset.cpus" ]; then',
    '    for level in "$group/../.." "$group/.." "$group"; do',
    '      for file in cpuset.cpus cpuset.mems; do',
    '        [ -n "$(cat "$level/$file")" ] || cat "$level/../$file" > "$level/$file"',
    '      done',
    '    done',
    '  fi',
    '  echo $$ > "$group/cgroup.procs" || exit',
    'done',
  ].join('\n');
}

function joinUnified({ groups, memoryBytes, cpus }: Supervision): string {
  const top = groups.tops[0] ?? '';
  const at = (path: string) => quote(`${top}/${path}`);
  return [
    `mkdir -p ${at('loop')} ${at('machine')} || exit`,
    // controllers are handed down from level to level; a group that hands down may hold no process itself, hence \`loop\` and \`machine\`
    `for level in ${at('../../..')} ${at('../..')} ${at('..')} ${quote(top)}; do`,
    '  for controller in memory cpu pids io; do echo "+$controller" > "$level/cgroup.subtree_control"; done',
    'done 2> /dev/null',
    `[ ! -e ${at('memory.max')} ] || echo ${memoryBytes} > ${at('memory.max')} || exit`,
    `[ ! -e ${at('memory.swap.max')} ] || echo 0 > ${at('memory.swap.max')} || exit`,
    `[ ! -e ${at('cpu.max')} ] || echo "${quota(cpus)} 100000" > ${at('cpu.max')} || exit`,
    `echo $$ > ${at('loop/cgroup.procs')} || exit`,
  ].join('\n');
}

/** systemd-nspawn needs a group without other processes, since it makes groups in it and hands them controllers. */
function inMachineGroup({ groups }: Supervision, command: string): string {
  const enter = `echo $$ > ${quote(`${groups.tops[0]}/machine/cgroup.procs`)} && exec ${command}`;
  return `sh -c ${quote(enter)}`;
}

/** Arguments of `systemd-run` for a host whose parent is a transient unit. Returns when the host has booted (notify). */
export function unitArguments(
  unit: string,
  boot: { script: string; memoryBytes: number; cpus: number; log: string },
): string[] {
  const properties = [
    'Delegate=yes',
    'KillMode=mixed',
    'RestartForceExitStatus=133',
    'SuccessExitStatus=133',
    // rebooting often is no failure
    'StartLimitIntervalSec=0',
    `MemoryMax=${boot.memoryBytes}`,
    'MemorySwapMax=0',
    `CPUQuota=${Math.round(boot.cpus * 100)}%`,
    'TimeoutStopSec=60',
    `StandardOutput=truncate:${boot.log}`,
    `StandardError=truncate:${boot.log}`,
  ];
  return [
    '--quiet',
    '--collect',
    `--unit=${unit}`,
    '--service-type=notify',
    ...properties.flatMap((property) => ['--property', property]),
    'unshare',
    '--mount',
    '--propagation',
    'slave',
    'sh',
    boot.script,
  ];
}
