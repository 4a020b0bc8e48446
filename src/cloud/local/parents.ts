/** What starts a host, owns its control groups and starts it again when it reboots, as text. Pure. */
import { withValues } from '../../ssh/script.ts';
import { type Limits, quota } from './groups.ts';
import limits from './limits.sh' with { type: 'text' };
import type { HostGroups } from './machine.ts';
import supervise from './supervise.sh' with { type: 'text' };

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
 * Owns the host's control groups in every hierarchy and boots it until it powers off. One at a time: the lock
 * is held for as long as this script lives. It ends at once where the host is no longer wanted, so that one
 * started by a killed command does no harm.
 */
export function superviseScript({ groups, ...host }: Parent): string {
  return withValues(supervise, {
    lock_file: host.lockFile,
    wanted: host.wanted,
    boot_script: host.bootScript,
    limits_script: host.limitsScript,
    version: String(groups.limited.version),
    tops: groups.tops,
    memory: groups.limited.memory,
    cpu: groups.limited.cpu,
    memory_bytes: String(host.memoryBytes),
    cpu_quota: String(quota(host.cpus)),
  });
}

/**
 * Arguments of `systemd-run` for a host whose parent is a transient unit. Returns when the host begins to
 * boot.
 */
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
 * Version 2: writes the limits also into the group that the host sees as its root, where programs inside
 * (JVM, Node, systemd) look for them. The host cannot do it itself: what limits it is not its own
 * (`nsdelegate`). Waits for the group, which systemd-nspawn makes.
 */
export function limitsScript({
  groups,
  memoryBytes,
  cpus,
}: Pick<Parent, 'groups' | 'memoryBytes' | 'cpus'>): string {
  return withValues(limits, {
    top: groups.tops[0] ?? '',
    payload: groups.limited.memory.at(-1) ?? '',
    memory_bytes: String(memoryBytes),
    cpu_quota: String(quota(cpus)),
  });
}
