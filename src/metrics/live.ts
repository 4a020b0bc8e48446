/**
 * What `agent.js stream` prints for whoever reads the pipe (the canary): one JSON document a line, one line a
 * second. `parseLiveLine` reads them back, and is the only description of the format.
 */
import { z } from 'zod';

const count = z.number().int().nonnegative();
const amount = z.number().nonnegative();

/** `HistogramData`: sum, values ≤ 0, and bucket index → count. */
const histogram = z.object({
  sum: amount,
  zero: count,
  counts: z.record(z.string().regex(/^-?\d{1,4}$/), count),
});

/** The requests of one route, method and colour that ended within the line's interval. */
const trafficGroup = z.object({
  app: z.string(),
  /** The log's `colour`: which upstream answered, e.g. `blue`; empty for what nginx answered itself. */
  colour: z.string(),
  release: z.string(),
  method: z.string(),
  /** The normalised path, e.g. `/api/study/load/:id`; `other` if there were too many. */
  route: z.string(),
  requests: count,
  /** Requests by status code, as visitors got it. */
  status: z.record(z.string().regex(/^\d{3}$/), count),
  /** Repeated attempts at an upstream, over all requests. */
  retries: count,
  /** Bytes of all bodies sent. */
  bytes: amount,
  /**
   * Milliseconds from the request's first byte to the answer's last (`$request_time`, in steps of 1 ms), for
   * answers below 500.
   */
  latency: histogram,
  /**
   * Milliseconds that the upstream took at the last attempt (`$upstream_response_time`), for its answers
   * below 500.
   */
  upstream: histogram,
  /** Bytes of the body, for answers below 500. */
  size: histogram,
});

const trafficLine = z.object({
  kind: z.literal('traffic'),
  /** End of the interval, seconds since 1970. */
  at: z.number(),
  /** Length of the interval. */
  seconds: amount,
  /** Lines read; `unreadable` of them were not in the proxy's format. */
  lines: count,
  unreadable: count,
  /** Bytes of log skipped because the reader was too far behind. */
  skippedBytes: count,
  groups: z.array(trafficGroup),
});

const unitLine = z.object({
  kind: z.literal('unit'),
  at: z.number(),
  seconds: amount,
  unit: z.string(),
  /** systemd's ActiveState, e.g. `active`, `activating`, `failed`; `absent` if no such unit is loaded. */
  state: z.string(),
  /** systemd's SubState, e.g. `running`, `auto-restart`. */
  sub: z.string(),
  /** Restarts (NRestarts) since the unit was last started by hand. */
  restarts: count,
  /**
   * Processor seconds of the unit's control group within the interval; null if none of its processes was seen
   * twice.
   */
  cpuSeconds: amount.nullable(),
  /**
   * Memory of the control group without page cache that can be dropped (the working set); null without a
   * group.
   */
  memoryBytes: amount.nullable(),
  /** Lines in the journal within the interval, and those that report an error, by priority or wording. */
  logLines: count,
  errorLines: count,
});

const numbersLine = z.object({
  kind: z.literal('numbers'),
  at: z.number(),
  seconds: amount,
  /**
   * By name: a gauge's value, what a counter rose by within the interval, or the values that a histogram took
   * in. Absent: the service did not say.
   */
  values: z.record(
    z.string(),
    z.union([z.number(), z.object({ counts: z.record(z.string().regex(/^-?\d{1,4}$/), count) })]),
  ),
});

const liveLine = z.discriminatedUnion('kind', [trafficLine, unitLine, numbersLine]);

export type TrafficGroup = z.infer<typeof trafficGroup>;
export type TrafficLine = z.infer<typeof trafficLine>;
export type UnitLine = z.infer<typeof unitLine>;
export type NumbersLine = z.infer<typeof numbersLine>;
export type LiveLine = z.infer<typeof liveLine>;

/** Reads one line; `undefined` if it is not one of ours (a cut line, another program's output). */
export function parseLiveLine(text: string): LiveLine | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = liveLine.safeParse(document);
  return result.success ? result.data : undefined;
}
