/** Everything that goes wrong between a program and an API, on purpose. */

/**
 * One call to the fake, named so that runs can be compared: `POST /v2/tags#2` is the second call of its
 * kind.
 */
export interface CallId {
  readonly method: string;
  /** The route, e.g. `/v2/droplets/:id`; `SSH` calls have the command's label instead. */
  readonly route: string;
  /** Counts from 1 among calls of the same method and route. */
  readonly occurrence: number;
}

export type Fault =
  /** Never answers. `effect` says whether the call is carried out. */
  | { readonly kind: 'hang'; readonly effect: boolean }
  /** Breaks the connection. */
  | { readonly kind: 'reset'; readonly effect: boolean }
  /** Answers with an error; whether it was carried out is another question. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly effect: boolean;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Carries it out and answers half. */
  | { readonly kind: 'truncated' }
  /** Carries it out and answers something else: not JSON, or JSON of another shape. */
  | { readonly kind: 'malformed'; readonly body: string }
  /** Never answers, and is carried out so many milliseconds (of the fake's clock) later. */
  | { readonly kind: 'late'; readonly effect: false; readonly afterMs: number }
  /**
   * Runs `act` (a test kills the client there) before or after the call is carried out; no answer follows.
   */
  | { readonly kind: 'call'; readonly effect: boolean; readonly act: () => void };

export type FaultPlan = (call: CallId) => Fault | undefined;

/** Every fault that a test tries at every call; the time-outs are for clients that give up soon. */
export const EVERY_FAULT: Readonly<Record<string, Fault>> = {
  'time-out before the effect': { kind: 'hang', effect: false },
  'time-out after the effect': { kind: 'hang', effect: true },
  'connection reset before the effect': { kind: 'reset', effect: false },
  'connection reset after the effect': { kind: 'reset', effect: true },
  '429': { kind: 'status', status: 429, effect: false, headers: { 'retry-after': '2' } },
  '500 before the effect': { kind: 'status', status: 500, effect: false },
  '500 after the effect': { kind: 'status', status: 500, effect: true },
  '503': { kind: 'status', status: 503, effect: false },
  'truncated answer': { kind: 'truncated' },
  'malformed answer: a page of a proxy': {
    kind: 'malformed',
    body: '<html><body>Service unavailable</body></html>',
  },
  'malformed answer: another shape': { kind: 'malformed', body: '{"droplets": {"id": "none"}}' },
};

/**
 * Counts calls by kind, so that each has an identity that does not depend on the order of calls at the same
 * moment.
 */
export function callCounter(): (method: string, route: string) => CallId {
  const counts = new Map<string, number>();
  return (method, route) => {
    const key = `${method} ${route}`;
    const occurrence = (counts.get(key) ?? 0) + 1;
    counts.set(key, occurrence);
    return { method, route, occurrence };
  };
}

export function callName({ method, route, occurrence }: CallId): string {
  return `${method} ${route}#${occurrence}`;
}
