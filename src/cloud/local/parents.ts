/** What starts a host, owns its control groups and starts it again when it reboots, as text. Pure. */
import { quote } from '../../ssh/quote.ts';
import { type Limits, quota } from './groups.ts';
import type { HostGroups } from './machine.ts';

/** What a parent needs to know of its host. */
export interface Parent extends Limits {
  readonly bootScript: string;
  readonly limitsScript: string;
  readonly wanted: string;
  readonly lockFile: string;
  readonly consoleLog: string;
  readonly unit: string;
  readonly groups: HostGroups;
}

/**
 * Owns the host's control groups in every hierarchy and boots it until it powers off. One at a time: the lock is held for as long as
 * this script lives. It ends at once where the host is no longer wanted, so that one started by a killed command does no harm.
 */
export function superviseScript(host: Parent): string {
  const { version } = host.groups.limited;
  const boot = `unshare --mount --propagation slave sh ${quote(host.bootScript)}`;
  return `#!/bin/sh
set -u
exec 9> ${quote(host.lockFile)}
flock --nonblock 9 || exit 0
[ -e ${quote(host.wanted)} ] || exit 0
${version === 1 ? joinLegacy(host) : joinUnified(host)}
while [ -e ${quote(host.wanted)} ]; do
  code=0
${version === 1 ? '' : `  sh ${quote(host.limitsScript)} 9>&- &\n`}  ${version === 1 ? boot : inMachineGroup(host, boot)} 9>&- || code=$?
  # systemd-nspawn ends with 133 when the host reboots
  [ "$code" -eq 133 ] || exit "$code"
done
`;
}

function joinLegacy({ groups, memoryBytes, cpus }: Parent): string {
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

function joinUnified({ groups, memoryBytes, cpus }: Parent): string {
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
function inMachineGroup({ groups }: Parent, command: string): string {
  const enter = `echo $$ > ${quote(`${groups.tops[0]}/machine/cgroup.procs`)} && exec ${command}`;
  return `sh -c ${quote(enter)}`;
}

/** Arguments of `systemd-run` for a host whose parent is a transient unit. Returns when the host begins to boot. */
export function unitArguments(host: Parent): string[] {
  const properties = [
    'Delegate=yes',
    'KillMode=mixed',
    'RestartForceExitStatus=133',
    'SuccessExitStatus=133',
    // rebooting often is no failure
    'StartLimitIntervalSec=0',
    `MemoryMax=${host.memoryBytes}`,
    'MemorySwapMax=0',
    `CPUQuota=${Math.round(host.cpus * 100)}%`,
    `ExecStartPost=-/bin/sh ${host.limitsScript}`,
    'TimeoutStopSec=60',
    `StandardOutput=truncate:${host.consoleLog}`,
    `StandardError=truncate:${host.consoleLog}`,
  ];
  return [
    '--quiet',
    '--collect',
    `--unit=${host.unit}`,
    '--service-type=exec',
    ...properties.flatMap((property) => ['--property', property]),
    'unshare',
    '--mount',
    '--propagation',
    'slave',
    'sh',
    host.bootScript,
  ];
}

/**
 * Version 2: writes the limits also into the group that the host sees as its root, where programs inside (JVM, Node, systemd) look for
 * them. The host cannot do it itself: what limits it is not its own (`nsdelegate`). Waits for the group, which systemd-nspawn makes.
 */
export function limitsScript({
  groups,
  memoryBytes,
  cpus,
}: Pick<Parent, 'groups' | 'memoryBytes' | 'cpus'>): string {
  const payload = groups.limited.memory.at(-1) ?? '';
  const top = groups.tops[0] ?? '';
  return `#!/bin/sh
[ -e ${quote(`${top}/memory.max`)} ] || exit 0
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  [ ! -e ${quote(`${payload}/memory.max`)} ] || break
  sleep "0.$attempt"
done
echo ${memoryBytes} > ${quote(`${payload}/memory.max`)}
echo "${quota(cpus)} 100000" > ${quote(`${payload}/cpu.max`)}
`;
}
