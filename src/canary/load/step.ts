/** What the load sends: requests by themselves, and flows of them. */

/** Where in an answer a value stands: the first that is given. */
export interface Capture {
  /** Path in a JSON body, with dots: `form.token`, `items.0.id`. */
  readonly json?: string | undefined;
  /** Regular expression over the body: its first group, else the whole match. */
  readonly regex?: string | undefined;
  /** Name of a response header. */
  readonly header?: string | undefined;
}

/** One kind of request. */
export interface LoadRequest {
  /** What reports call it. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  /** Share among requests and flows; 0: it is a step of a flow. */
  readonly weight: number;
  /** In a flow: what later steps call parts of the answer. */
  readonly capture?: Readonly<Record<string, Capture>> | undefined;
  /** In a flow: statuses after which the visitor goes on; absent: all below 400. */
  readonly status?: readonly number[] | undefined;
}

/** Steps that one visitor takes one after the other, as soon as each is answered. */
export interface LoadFlow {
  readonly name: string;
  /** Indices of requests. */
  readonly steps: readonly number[];
  readonly weight: number;
}
