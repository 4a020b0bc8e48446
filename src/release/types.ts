/** What `deploy`, `rollback`, `releases` and `prod status` take and return. */
import type { Artifact } from '../build/artifact.ts';
import type { Config } from '../config/schema.ts';
import type { Colour } from '../contract/places.ts';
import type { Change, Theirs } from '../host/change.ts';
import type { Connection } from '../ssh/connection.ts';

/** A host that serves the application. */
export interface ReleaseHost {
  /** As the inventory has it. */
  readonly name: string;
  readonly connection: Connection;
}

/** What all of them need: the configured application, and the hosts that serve it. */
export interface AppOnHosts {
  readonly config: Config;
  readonly app: string;
  readonly hosts: readonly ReleaseHost[];
  /** Hosts of the groups that run its databases; absent: its own host. */
  readonly databaseHosts?: ReadonlyMap<string, readonly ReleaseHost[]> | undefined;
  /** Hosts that spread visitors over them; absent or empty: visitors come to each host. */
  readonly balancers?: readonly ReleaseHost[] | undefined;
  /** Hosts that may have served it before, where it has jobs: those must not run in two places. */
  readonly others?: readonly ReleaseHost[] | undefined;
  /**
   * Who lets visitors in to a port of the site that is closed: the hosts' own firewall alone, or the cloud's
   * beside it; absent: firewalls stay as they are.
   */
  readonly firewalls?: 'host' | 'cloud' | undefined;
  /** Who asks, for the audit log; default: see `whoami`. */
  readonly by?: string | undefined;
}

export interface DeployRequest extends AppOnHosts {
  readonly artifact: Artifact;
  /** Back up its databases, discard their data and seed them again. */
  readonly reseed?: boolean | undefined;
  /** Let it in to a few visitors first, and decide by what they meet; absent: all of them at once. */
  readonly canary?: { readonly steps: readonly number[] } | undefined;
  /**
   * Asked before the first change, where hosts are among them that pipeline never changed; throws where the
   * answer is no. Absent: nobody is asked, and what somebody else has there stays or stops the deploy.
   */
  readonly agree?: ((hosts: readonly FirstTime[]) => Promise<void>) | undefined;
}

/** A host that pipeline never changed, and what a deploy would change there before it places a release. */
export interface FirstTime {
  readonly host: string;
  readonly changes: readonly Change[];
  readonly theirs: readonly Theirs[];
}

export interface RollbackRequest extends AppOnHosts {
  /** A release, as `releases` lists it, or a commit (4 digits or more); absent: the previous one. */
  readonly release?: string | undefined;
}

/** What became of one host. */
export interface HostOutcome {
  readonly host: string;
  /** The release that was live before on this host; `null`: none. */
  readonly previous: string | null;
  readonly changed: boolean;
  /** The colour that serves now; static sites have one too. */
  readonly colour: Colour;
}

export interface DeployResult {
  readonly app: string;
  readonly ref: string;
  readonly commit: string | null;
  readonly subject: string;
  /** The live release, e.g. `20261123-041500-05c965f`: UTC time and short commit, so names sort by age. */
  readonly release: string;
  readonly previous: string | null;
  /** `false`: it was live already, and nothing was touched. */
  readonly changed: boolean;
  readonly hosts: readonly HostOutcome[];
  /** How long the hosts now watch the new release, to go back if it fails; milliseconds, 0: not at all. */
  readonly watch: number;
  /** Both versions serve now, and the host decides; absent: it is live. */
  readonly rollout?: { readonly id: string; readonly host: ReleaseHost } | undefined;
  readonly seconds: number;
}

export type ReleaseOutcome =
  /** it took the traffic and kept it */
  | 'live'
  /** it did not start, was not healthy, or failed its probation */
  | 'failed'
  /** it served, and a rollback left it */
  | 'withdrawn'
  /** its deploy is under way, or was killed */
  | 'unfinished';

export interface ReleaseRecord {
  readonly release: string;
  readonly commit: string | null;
  readonly ref: string;
  readonly subject: string;
  /** When it was first deployed, ISO 8601 in UTC. */
  readonly at: string;
  readonly by: string;
  readonly result: ReleaseOutcome;
  /** Why it failed, on any host; absent if it did not, or nobody was left to say. */
  readonly reason?: string | undefined;
  /** It now serves on every host. */
  readonly live: boolean;
  /** Hosts that it now serves on: only some, if one went back by itself or was away. */
  readonly liveOn: readonly string[];
  /** It serves, but visitors get a page of maintenance on some host. */
  readonly maintenance?: boolean | undefined;
  /** It is still on every host, so `rollback` can go back to it. */
  readonly kept: boolean;
  /** How a rollout let it in, on hosts that decide by themselves; empty: it got all visitors at once. */
  readonly steps: readonly { readonly at: string; readonly kind: string; readonly message: string }[];
}

/** One application on one host, for `prod status`. */
export interface AppStatus {
  readonly app: string;
  readonly release: string | null;
  readonly commit: string | null;
  readonly ref: string | null;
  /** Visitors get a page of maintenance; absent: the site itself. */
  readonly maintenance?:
    | { readonly since: string; readonly by: string; readonly until: string | null }
    | undefined;
  /** Its health check passed just now, on the host itself. */
  readonly healthy: boolean;
  /** Why it is not healthy, e.g. `GET / → 500`, `not running (exit code 1)`; absent if it is. */
  readonly reason?: string | undefined;
}
