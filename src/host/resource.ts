/**
 * What a host should be, as data. A role is a list of these; `plan` compares them with facts; `apply` makes
 * them true.
 */

import type { HostFacts } from './state.ts';

interface Common {
  /**
   * Whether the resource concerns this host at all, e.g. no clock daemon in a container. Absent: always.
   * Pure.
   */
  readonly when?: ((host: HostFacts) => boolean) | undefined;
  /**
   * Resources (by `id()`) that come before this one. Where one of them changes, a service restarts and a
   * command runs again, even if its guard says that it is done.
   */
  readonly after?: readonly string[] | undefined;
  /** Names of `theirs` resources: where one of them finds something, this resource leaves it alone. */
  readonly spares?: readonly string[] | undefined;
}

export interface PackageResource extends Common {
  readonly kind: 'package';
  readonly name: string;
  readonly state?: 'installed' | 'absent' | undefined;
}

/** Missing folders above it are made (root, 0755). */
export interface FileResource extends Common {
  readonly kind: 'file';
  readonly path: string;
  readonly content: string;
  /** Octal, e.g. `0644` (the default). */
  readonly mode?: string | undefined;
  /** Default root. */
  readonly owner?: string | undefined;
  /** Default: the group named like the owner. */
  readonly group?: string | undefined;
  /** Content that must not be shown: plans say "content differs" instead of a diff. */
  readonly secret?: boolean | undefined;
  /**
   * Shell command that must accept the new content before it is put in place; `%s` is the temporary file, in
   * the same folder.
   */
  readonly validate?: string | undefined;
}

export interface AbsentResource extends Common {
  readonly kind: 'absent';
  readonly path: string;
}

export interface DirectoryResource extends Common {
  readonly kind: 'directory';
  readonly path: string;
  /** Default `0755`, root, and the group named like the owner. */
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

export interface LinkResource extends Common {
  readonly kind: 'link';
  readonly path: string;
  readonly target: string;
}

export interface UserResource extends Common {
  readonly kind: 'user';
  readonly name: string;
  readonly system?: boolean | undefined;
  readonly home?: string | undefined;
  readonly shell?: string | undefined;
  readonly groups?: readonly string[] | undefined;
}

export interface ServiceResource extends Common {
  readonly kind: 'service';
  /** Unit name with suffix, e.g. `nginx.service`. */
  readonly unit: string;
  /** Absent: left as it is. */
  readonly enabled?: boolean | undefined;
  /** Absent: running. `ignored`: not started and not stopped, but restarted where it runs and has to. */
  readonly state?: 'running' | 'stopped' | 'ignored' | undefined;
  /** Ids of resources whose change needs a restart; its own unit file and drop-ins need not be named. */
  readonly restartOn?: readonly string[] | undefined;
  /** Ids of resources whose change needs a reload only. */
  readonly reloadOn?: readonly string[] | undefined;
}

/** A table of nftables, loaded atomically and at every boot. */
export interface FirewallResource extends Common {
  readonly kind: 'firewall';
  /** Family and name, e.g. `inet pipeline`. */
  readonly table: string;
  /** The chains inside the table, nftables syntax. */
  readonly rules: string;
}

/** The last resort: something that is done unless its guard says that it is done already. */
export interface CommandResource extends Common {
  readonly kind: 'command';
  /** What it does, in two or three words; unique on the host. */
  readonly name: string;
  /** Shell command; exit 0 means that nothing is to do. Must not change anything. */
  readonly unless: string;
  /** Bash, run with `set -e` and `pipefail`, standard input empty. */
  readonly run: string;
  readonly secret?: boolean | undefined;
}

/**
 * What somebody else put on the host and would lose. Looked for before anything is touched.
 * `keep`: resources that spare it leave it as it is. `ask`: it goes only after a yes. `stop`: no yes helps.
 */
export interface TheirsResource extends Common {
  readonly kind: 'theirs';
  /** What it is; unique on the host, e.g. `sites on port 80`. */
  readonly name: string;
  /**
   * Bash that prints a line for each thing that it finds, e.g. a port or a database; nothing where all is
   * ours. Changes nothing, and ends with 0.
   */
  readonly look: string;
  readonly fate: 'keep' | 'ask' | 'stop';
  /** What becomes of these things: `programs listen on ports that the firewall closes`. */
  readonly says: string;
  /** `stop`: what to do instead. */
  readonly next?: string | undefined;
}

export type Resource =
  | PackageResource
  | FileResource
  | AbsentResource
  | DirectoryResource
  | LinkResource
  | UserResource
  | ServiceResource
  | FirewallResource
  | CommandResource
  | TheirsResource;

/**
 * The name by which other resources and people refer to it, e.g. `file /etc/nginx/nginx.conf`. Unique on a
 * host.
 */
export function id(resource: Resource): string {
  switch (resource.kind) {
    case 'package':
    case 'user':
    case 'command':
    case 'theirs':
      return `${resource.kind} ${resource.name}`;
    case 'service':
      return `service ${resource.unit}`;
    case 'firewall':
      return `firewall ${resource.table}`;
    case 'file':
    case 'absent':
      return `file ${resource.path}`;
    case 'directory':
    case 'link':
      return `${resource.kind} ${resource.path}`;
  }
}
