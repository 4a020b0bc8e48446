/** What is planned, as data. */

export type ChangeAction =
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
  readonly action: ChangeAction;
  /** Lines that begin with `-`, `+`, or a blank (context). */
  readonly diff: readonly string[];
  /** Why, in a few words, where it is not plain: `/etc/nginx/nginx.conf changes`. */
  readonly reason?: string | undefined;
  /** Ids of the resources whose change makes this one act; empty: it is itself not as it should be. */
  readonly because: readonly string[];
  /** For progress, e.g. `installing nginx`. */
  readonly doing: string;
}

/** Something of somebody else that the plan found: what it is, and what becomes of it. */
export interface Theirs {
  /** Id of the resource that found it. */
  readonly id: string;
  /** `keep`: it stays. `ask`: it goes only after a yes. `stop`: no yes helps. */
  readonly fate: 'keep' | 'ask' | 'stop';
  readonly says: string;
  /** The things themselves, a line each. */
  readonly found: readonly string[];
  /** `stop`: what to do instead. */
  readonly next?: string | undefined;
}

/** Everything that `apply` will do on one host, in this order. */
export interface HostPlan {
  readonly changes: readonly Change[];
  /** What somebody else has on the host, as far as the plan concerns it. */
  readonly theirs: readonly Theirs[];
  /** The bash script that does it: what is planned is what runs. Holds secrets; never print it. */
  readonly script: string;
  /** Texts to hide wherever output is shown. */
  readonly secrets: readonly string[];
}
