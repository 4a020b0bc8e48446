/**
 * `agent.js probe`: what the lab wants to know of a version on its own host, one JSON document on standard
 * input; and the answer, one on standard output.
 */

/** One request to the service's own port. */
export interface ProbeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64; null: none. */
  readonly body: string | null;
}

export interface ProbeWish {
  /** Of systemd, with its suffix. */
  readonly unit: string;
  readonly port: number;
  /** Where the service's own port is; absent: 127.0.0.1. */
  readonly address?: string | undefined;
  /** Port of the site in front, which the requests go through; absent: the service's own. */
  readonly site?: number | undefined;
  /** The health check of the definition; times in milliseconds. */
  readonly health: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string | undefined;
    /** Accepted statuses; absent: any below 500. */
    readonly status?: number | readonly number[] | undefined;
    readonly contains?: string | undefined;
    readonly timeout: number;
    /** Good answers in a row that make it healthy. */
    readonly consecutive: number;
    readonly within: number;
  };
  /** Asked once, when it answers. */
  readonly requests: readonly ProbeRequest[];
}

export interface ProbeAnswer {
  /** It answers HTTP, whatever the answer is: an experiment can begin. */
  readonly answers: boolean;
  /** It also passes the health check of its definition. */
  readonly healthy: boolean;
  /** Of the last attempt, e.g. `GET / → 500`. */
  readonly last: string;
  /** Status of each request; 0: no answer. */
  readonly statuses: readonly number[];
}
