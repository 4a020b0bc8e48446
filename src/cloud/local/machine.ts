/**
 * What this machine is, as far as it decides how hosts are started. Reading is thin; the decisions are pure.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MachineFacts {
  readonly root: boolean;
  /** systemd is process 1, so that `systemd-run` works. */
  readonly systemd: boolean;
  /** Mounted control group hierarchies. */
  readonly hierarchies: readonly Hierarchy[];
}

export interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  /**
   * Of version 1: `memory`, `cpu`, `name=systemd`, …; empty for version 2, whose controllers stand in its
   * files.
   */
  readonly controllers: readonly string[];
}

/**
 * Who is the parent of a host:
 * - `unit`: a transient unit of systemd, the better parent where it can be had,
 * - `supervisor`: a detached script of ours that owns the host's control groups and starts it again when it
 *   reboots.
 */
export type LauncherKind = 'unit' | 'supervisor';

/** Options of version 1 hierarchies that name no controller. */
const MOUNT_OPTIONS = new Set(['rw', 'ro', 'xattr', 'clone_children', 'cpuset_v2_mode', 'noprefix', 'none']);

export function readMachine(): MachineFacts {
  return {
    root: process.getuid?.() === 0,
    // sd_booted(3)
    systemd: existsSync('/run/systemd/system'),
    hierarchies: parseHierarchies(readFileSync('/proc/self/mountinfo', 'utf8')),
  };
}

/** Control group mounts of a `/proc/PID/mountinfo`, each hierarchy once. */
export function parseHierarchies(mountinfo: string): Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const mountPoint = left?.split(' ')[4];
    const [type, , options] = right?.split(' ') ?? [];
    if (mountPoint === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    const controllers =
      type === 'cgroup'
        ? (options ?? '')
            .split(',')
            .filter((option) => !MOUNT_OPTIONS.has(option) && !option.startsWith('release_agent='))
        : [];
    const key = `${type} ${controllers.join(',')}`;
    if (!found.has(key)) found.set(key, { mountPoint, version: type === 'cgroup' ? 1 : 2, controllers });
  }
  return [...found.values()];
}

/** Version 2 throughout: no controller is left to a version 1 hierarchy. */
export function isUnified(facts: MachineFacts): boolean {
  return facts.hierarchies.length > 0 && facts.hierarchies.every(({ version }) => version === 2);
}

export function chooseLauncher(facts: MachineFacts): LauncherKind {
  return facts.systemd && isUnified(facts) ? 'unit' : 'supervisor';
}

/**
 * Names of an environment's hosts that have control groups: children of its own group, and units in
 * `system.slice`.
 */
export function groupNames(
  environment: { readonly id: string },
  own: readonly string[],
  systemSlice: readonly string[],
): string[] {
  const unit = new RegExp(`^pipeline-${environment.id}-(.+)\\.service$`);
  return [...own, ...systemSlice.flatMap((name) => unit.exec(name)?.[1] ?? [])];
}

/** A host's directories in the control group file system. */
export interface HostGroups {
  /** Topmost directories, one a hierarchy: whatever the host runs is at or below each of them. */
  readonly tops: readonly string[];
  /**
   * Directories that hold what keeps the host alive: its supervisor or systemd-nspawn. Empty of processes:
   * the host is dead.
   */
  readonly leaders: readonly string[];
  /** Directories whose files hold the limits that are not systemd's to set. */
  readonly limited: {
    readonly version: 1 | 2;
    readonly memory: readonly string[];
    readonly cpu: readonly string[];
  };
}

/**
 * Where a host's processes are: below \`system.slice\` where its parent is a unit, else below the roots of
 * the hierarchies.
 */
export function hostGroups(
  facts: MachineFacts,
  host: { readonly controlGroup: string; readonly unit: string },
): HostGroups {
  if (isUnified(facts)) {
    const root = facts.hierarchies[0]?.mountPoint ?? '/sys/fs/cgroup';
    const unit = chooseLauncher(facts) === 'unit';
    const top = unit ? join(root, 'system.slice', host.unit) : join(root, host.controlGroup);
    // systemd-nspawn splits the group that it is started in into \`supervisor\`, where it stays, and
    // \`payload\`
    const nspawn = unit ? top : join(top, 'machine');
    // the host sees \`payload\` as its root: limits stand there too, so that programs inside find them
    const limited = unit ? [join(nspawn, 'payload')] : [top, join(nspawn, 'payload')];
    return {
      tops: [top],
      leaders: [top, join(top, 'loop'), join(nspawn, 'supervisor')],
      limited: { version: 2, memory: limited, cpu: limited },
    };
  }
  const tops = facts.hierarchies.map(({ mountPoint }) => join(mountPoint, host.controlGroup));
  const having = (controller: string) =>
    tops.filter((_, index) => facts.hierarchies[index]?.controllers.includes(controller));
  // the one hierarchy in which guests always move out of their topmost group is the one that their systemd
  // manages
  const named = having('name=systemd')[0] ?? tops[0];
  return {
    tops,
    leaders: named === undefined ? [] : [named],
    limited: { version: 1, memory: having('memory'), cpu: having('cpu') },
  };
}
