/** What the commands that deploy, go back and list take and return. */
import type { Artifact } from '../build/artifact.ts';
import type { Config } from '../config/schema.ts';
import type { Colour } from '../contract/places.ts';
import type { Connection } from '../ssh/connection.ts';

/** One host that serves the application. */
export interface ReleaseHost {
  /** As the inventory has it. */
  readonly name: string;
  readonly connection: Connection;
}

/** What all of them need: the application as configured, and the hosts that serve it. */
export interface AppOnHosts {
  readonly config: Config;
  readonly app: string;
  readonly hosts: readonly ReleaseHost[];
  /** Hosts of the groups that run its databases; absent: its own host does. */
  readonly databaseHosts?: ReadonlyMap<string, readonly ReleaseHost[]> | undefined;
  /** Hosts that spread visitors over them; absent or empty: visitors come to each host itself. */
  readonly balancers?: readonly ReleaseHost[] | undefined;
  /** Who asks, for the audit log; default: see `whoami`. */
  readonly by?: string | undefined;
}

export interface DeployRequest extends AppOnHosts {
  readonly artifact: Artifact;
  /** Throw the data of its databases away, after a backup, and fill them anew. */
  readonly reseed?: boolean | undefined;
  /** Let it in to a few visitors first, and decide by what they meet; absent: all of them at once. */
  readonly canary?: { readonly steps: readonly number[] } | undefined;
}

export interface RollbackRequest extends AppOnHosts {
  /** A release as `releases` lists it, or a commit (4 digits or more); absent: the one that was live before. */
  readonly release?: string | undefined;
}

/** What became of one host. */
export interface HostOutcome {
  readonly host: string;
  /** The release that was live before on this host; `null`: none. */
  readonly previous: string | null;
  readonly changed: boolean;
  /** Which of the two instances serves now; static sites have them too. */
  readonly colour: Colour;
}

export interface DeployResult {
  readonly app: string;
  readonly ref: string;
  readonly commit: string | null;
  readonly subject: string;
  /** The release that is live now, e.g. `20261123-041500-05c965f`: UTC time and short commit, so that names sort by age. */
  readonly release: string;
  readonly previous: string | null;
  /** `false`: it was live already, nothing was touched. */
  readonly changed: boolean;
  readonly hosts: readonly HostOutcome[];
  /** How long the hosts watch the new release from now on, to go back by themselves where it fails; milliseconds, 0: not at all. */
  readonly watch: number;
  /** Both versions serve now, and the host decides; absent: it is live. */
  readonly rollout?: { readonly id: string; readonly host: ReleaseHost } | undefined;
  readonly seconds: number;
}

export type ReleaseOutcome =
  /** it took the traffic and kept it */
  | 'live'
  /** it did not start, was not healthy, or failed in its probation */
  | 'failed'
  /** it served, and was left by a rollback */
  | 'withdrawn'
  /** its deploy has begun and not ended (or was killed) */
  | 'unfinished';

export interface ReleaseRecord {
  readonly release: string;
  readonly commit: string | null;
  readonly ref: string;
  readonly subject: string;
  /** When it was deployed first, ISO 8601 in UTC. */
  readonly at: string;
  readonly by: string;
  readonly result: ReleaseOutcome;
  /** Why it failed, be it on one host; absent where it did not, or nobody was left to say so. */
  readonly reason?: string | undefined;
  /** It serves on every host now. */
  readonly live: boolean;
  /** Hosts that it serves on now: some alone where one has gone back by itself, or was away. */
  readonly liveOn: readonly string[];
  /** It is still on every host, so that `rollback` can go back to it. */
  readonly kept: boolean;
}

/** One application on one host, for `prod status`. */
export interface AppStatus {
  readonly app: string;
  readonly release: string | null;
  readonly commit: string | null;
  readonly ref: string | null;
  /** Its health check passes now, asked once on the host itself. */
  readonly healthy: boolean;
  /** Why it is not healthy, e.g. `GET / → 500`, `not running (exit code 1)`; absent where it is. */
  readonly reason?: string | undefined;
}
