/** What has to change on a host: a pure function of what it is and what it should be. */

import { Failure } from '../errors.ts';
import type { Facts } from './facts.ts';
import type { Resource } from './resource.ts';

export type Action =
  | 'install'
  | 'remove'
  | 'repair'
  | 'create'
  | 'change'
  | 'delete'
  | 'run'
  | 'load'
  | 'enable'
  | 'disable'
  | 'start'
  | 'stop'
  | 'restart'
  | 'reload';

/** One thing that `apply` will do, as people and `--json` see it. Free of secrets. */
export interface Change {
  /** Id of the resource, e.g. `file /etc/nginx/nginx.conf`. */
  readonly id: string;
  readonly action: Action;
  /** Lines that begin with `-`, `+`, or a blank (context). */
  readonly diff: readonly string[];
  /** Why, in a few words, where it is not plain: `its configuration changes`. */
  readonly reason?: string | undefined;
  /** Ids of the resources whose change makes this one act; empty: it is itself not as it should be. */
  readonly because: readonly string[];
  /** For progress, e.g. `installing nginx`. */
  readonly doing: string;
}

/** Everything that `apply` will do on one host, in this order. */
export interface HostPlan {
  readonly changes: readonly Change[];
  /** The bash script that does it: what is planned is what runs. Holds secrets; never print it. */
  readonly script: string;
  /** Texts to hide wherever output is shown. */
  readonly secrets: readonly string[];
}

/** Compares. The same facts and resources always give the same plan; no changes means that nothing is to do. */
export function plan(_facts: Facts, _resources: readonly Resource[]): HostPlan {
  throw new Failure('internal', 'planning is being written');
}
