/** What a host is now, as data: what `facts.ts` gathers and `plan.ts` decides by. */

/** What is true of the host as a whole; `when` of a resource decides by it. */
export interface HostFacts {
  /** As the inventory has it. */
  readonly name: string;
  /** `/etc/os-release`: `debian`, `ubuntu`. */
  readonly os: string;
  /** `/etc/os-release`: `12`, `22.04`. */
  readonly version: string;
  readonly codename: string;
  /** Debian's word: `amd64`, `arm64`. */
  readonly architecture: string;
  /** What the host may use: the machine's memory or its control group's limit, whichever is smaller. */
  readonly memoryBytes: number;
  readonly cpus: number;
  /** The root file system. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number };
  readonly cgroup: 1 | 2;
  /** Whether systemd is process 1. */
  readonly systemd: boolean;
  /** The container manager, e.g. `systemd-nspawn`, `docker`; empty on a machine, real or virtual. */
  readonly container: string;
  /** The clock daemon that is installed already; empty: none. */
  readonly clock: '' | 'timesyncd' | 'chrony' | 'ntp';
  /** The kernel has no IPv6: no program can listen on an address of that family. */
  readonly noIpv6?: boolean | undefined;
}

/** What stands at a path. */
export interface PathFact {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Octal with four digits, e.g. `0644`. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** Links: where it points. */
  readonly target?: string | undefined;
  /** Files that should be files: SHA-256 of the content, hexadecimal. */
  readonly sha256?: string | undefined;
  /** Files whose hash is not the wanted one: the content, where it is text, no secret, and not too long. */
  readonly content?: string | undefined;
  /** Files that would be replaced: neither pipeline wrote it nor does it stand as its package brought it. */
  readonly theirs?: boolean | undefined;
}

export interface UserFact {
  readonly home: string;
  readonly shell: string;
  /** Groups besides its own. */
  readonly groups: readonly string[];
}

export interface ServiceFact {
  /** systemd's words: `loaded`, `not-found`, `masked`. */
  readonly load: string;
  /** `active`, `inactive`, `failed`, `activating`. */
  readonly active: string;
  /** `enabled`, `disabled`, `static`; empty where there is no unit file. */
  readonly enabled: string;
  /** The unit file changed on disk since systemd read it. */
  readonly needsReload: boolean;
}

/** Everything that `plan` decides by. Plain data, so that a test case can be a file. */
export interface Facts {
  readonly host: HostFacts;
  /** By name: `installed`, `absent`, or `broken` (unpacked but not configured, and the like). */
  readonly packages: Readonly<Record<string, 'installed' | 'absent' | 'broken'>>;
  /** An installation was interrupted: dpkg has to finish it before anything else. */
  readonly interrupted: boolean;
  /** By path; a path that does not exist is not there. */
  readonly paths: Readonly<Record<string, PathFact>>;
  readonly users: Readonly<Record<string, UserFact>>;
  /** By unit name as the resource has it. */
  readonly services: Readonly<Record<string, ServiceFact>>;
  /** By table: SHA-256 of it as nft lists it now; empty: no such table. */
  readonly firewalls: Readonly<Record<string, string>>;
  /** By command name: whether its guard says that it is done. */
  readonly commands: Readonly<Record<string, boolean>>;
  /** By name of a `theirs` resource: what it found, a line each. */
  readonly theirs: Readonly<Record<string, readonly string[]>>;
  /**
   * By resource id: with what a service was last started, a command last ran (fingerprint by resource id).
   */
  readonly stamps: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
