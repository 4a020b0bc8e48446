/**
 * Where hosts come from: the interface that `local/` and `digitalocean/` implement. Everything above sees
 * no difference.
 */

/** Who may reach a port. `operators` is where SSH comes from; `fleet` is the hosts of this environment. */
export type Audience = 'anyone' | 'fleet' | 'operators';

/** A port that a host's roles and applications open. */
export interface Exposure {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly from: Audience;
}

/** One machine that should exist. */
export interface MachineSpec {
  /** Unique in the environment: `monitor`, or `web-2` for the second of `web` with `count: 3`. */
  readonly name: string;
  /** The entry of `hosts:` that it comes from, which is its inventory group. */
  readonly group: string;
  readonly roles: readonly string[];
  readonly exposures: readonly Exposure[];
  /**
   * What applications want of its databases: entries of `hosts:` that use its MariaDB, where MongoDB comes
   * from.
   */
  readonly databases?:
    | { readonly clients: readonly string[]; readonly repository?: string | undefined }
    | undefined;
  /** Debian packages that its applications need. */
  readonly packages?: readonly string[] | undefined;
  /** Local hosts: Debian packages that a new one has from its first boot on. */
  readonly preinstalled?: readonly string[] | undefined;
  /** Local hosts: programs of this machine that a new one has from its first boot on. */
  readonly programs?: readonly PlacedProgram[] | undefined;
  /** Local hosts: size of a disk of its own; without one it shares this machine's. */
  readonly diskBytes?: number | undefined;
  /** Local hosts: limits of the host's control group. */
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Slug of its system, e.g. `debian-13-x64`; absent: as the provider chooses. */
  readonly image?: string | undefined;
  /** DigitalOcean: slugs. */
  readonly size: string;
  readonly region: string;
}

/** A program, and where it is on a host. */
export interface PlacedProgram {
  readonly from: string;
  readonly to: string;
}

/** Everything that one environment should consist of. */
export interface EnvironmentSpec {
  /** `project:` of pipeline.yml. */
  readonly project: string;
  /** `prod`, or e.g. `canary` for the canary's three hosts. */
  readonly environment: string;
  /** Owner mark: what carries it was made by this project and may be removed by it. */
  readonly owner: string;
  /** Folder of pipeline.yml, absolute. Keys and caches of the project live in `<directory>/.pipeline`. */
  readonly directory: string;
  readonly machines: readonly MachineSpec[];
  /** Networks in CIDR notation that operators come from. */
  readonly operators: readonly string[];
  /** Further public keys that may sign in as root, one OpenSSH line each. */
  readonly authorizedKeys: readonly string[];
}

/** One machine that exists. */
export interface Machine {
  readonly name: string;
  readonly group: string;
  /** Address for SSH and for visitors. */
  readonly address: string;
  /** Address for the fleet; the same as `address` where there is no private network. */
  readonly privateAddress: string;
  readonly state: 'running' | 'starting' | 'stopped' | 'broken';
  readonly user: string;
  readonly port: number;
  /** The private key that signs in. */
  readonly identityFile: string;
  /** The host's public keys (`ssh-ed25519 AAAA…`), known before the first connection. */
  readonly hostKeys: readonly string[];
  /** US dollars a month; 0 for local hosts. */
  readonly monthlyCost: number;
  /** Local hosts: its disk is its own; without it, this machine's. */
  readonly ownDisk?: boolean;
}

export type CloudAction = 'create' | 'change' | 'replace' | 'restart' | 'remove';

/** One thing that `apply` will do, as people and `--json` see it. */
export interface CloudChange {
  /** The machine it is about; null for what the machines share (network, key, firewall). */
  readonly host: string | null;
  /** What is touched, e.g. `droplet`, `host`, `firewall web`, `key`, `network`. */
  readonly step: string;
  readonly action: CloudAction;
  /** Details a person wants to see, one a line. */
  readonly detail: readonly string[];
}

/**
 * What the hosts of one environment cost a month, before and after `apply`. Traffic and taxes are not in
 * it.
 */
export interface MonthlyCost {
  readonly currency: 'USD';
  readonly before: number;
  readonly after: number;
  /** `after` less `before`. */
  readonly change: number;
}

/** What `apply` will do. Computed by a pure function from what exists and what should exist. */
export interface CloudPlan {
  readonly changes: readonly CloudChange[];
  /** What already exists and stays. */
  readonly machines: readonly Machine[];
  /** Drift that is not mended because mending would destroy something, one sentence each. */
  readonly warnings: readonly string[];
  /** Absent where hosts cost nothing. */
  readonly cost?: MonthlyCost | undefined;
}

export interface Destroyed {
  /** What was removed, e.g. `droplet monitor (10.0.0.1)`. */
  readonly removed: readonly string[];
  /** What was found and left alone, with the reason. */
  readonly left: readonly string[];
}

/** One environment at one provider. Every method may be killed at any moment and called again. */
export interface Provider {
  readonly name: 'local' | 'digitalocean';
  /** Reads what exists and says what `apply` would do. Touches nothing. */
  plan(): Promise<CloudPlan>;
  /** Does what `plan` said; ends when every machine accepts strict SSH connections. */
  apply(plan: CloudPlan): Promise<readonly Machine[]>;
  /** What exists now. */
  machines(): Promise<readonly Machine[]>;
  /** What `destroy` would remove, for the question to the user. */
  destroyable(): Promise<Destroyed>;
  /**
   * Removes one machine that carries this environment's owner mark, with everything on it; the next `apply`
   * makes it anew. One that is not there is no failure.
   */
  remove(name: string): Promise<void>;
  /** Removes everything that carries this environment's owner mark, and nothing else. */
  destroy(): Promise<Destroyed>;
}
