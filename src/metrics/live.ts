/**
 * What `agent.js stream` prints: one JSON document a line, one line a second, for whoever listens on the
 * other end of a pipe (the canary). `parseLiveLine` reads them back; it is the only description of the
 * format.
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

/** The requests of one route, method and variant that ended within the line's interval. */
const trafficGroup = z.object({
  app: z.string(),
  /** The log's `variant`: which upstream answered, e.g. `blue`; empty for what nginx answered itself. */
  variant: z.string(),
  release: z.string(),
  method: z.string(),
  /** The normalised path, e.g. `/api/study/load/:id`; `other` where there were too many. */
  route: z.string(),
  requests: count,
  /** Requests by the status code that the visitor got. */
  status: z.record(z.string().regex(/^\d{3}$/), count),
  /** Attempts at an upstream beyond the first, over all requests. */
  retries: count,
  /** Bytes of all bodies sent. */
  bytes: amount,
  /**
   * Milliseconds from the first byte of the request to the last of the answer (`$request_time`, resolution 1
   * ms), answers below 500.
   */
  latency: histogram,
  /**
   * Milliseconds the upstream took at the last attempt (`$upstream_response_time`), answers below 500 that
   * one gave.
   */
  upstream: histogram,
  /** Bytes of the body, answers below 500. */
  size: histogram,
});

const trafficLine = z.object({
  kind: z.literal('traffic'),
  /** End of the interval, seconds since 1970. */
  at: z.number(),
  /** Length of the interval. */
  seconds: amount,
  /** Lines read, of which `unreadable` were not what the proxy's format writes. */
  lines: count,
  unreadable: count,
  /** Bytes of log skipped since the reader was too far behind. */
  skippedBytes: count,
  groups: z.array(trafficGroup),
});

const unitLine = z.object({
  kind: z.literal('unit'),
  at: z.number(),
  seconds: amount,
  unit: z.string(),
  /** systemd's ActiveState, e.g. `active`, `activating`, `failed`; `absent` where no such unit is loaded. */
  state: z.string(),
  /** systemd's SubState, e.g. `running`, `auto-restart`. */
  sub: z.string(),
  /** Starts beyond the first (NRestarts), since the unit was last started by hand. */
  restarts: count,
  /**
   * Processor seconds of the unit's control group within the interval; null where no process of it was seen
   * twice.
   */
  cpuSeconds: amount.nullable(),
  /**
   * Memory of the control group without the page cache that can be dropped (the working set); null where it
   * has none.
   */
  memoryBytes: amount.nullable(),
  /** Lines in the journal within the interval, and those that report an error (by priority or by wording). */
  logLines: count,
  errorLines: count,
});

const liveLine = z.discriminatedUnion('kind', [trafficLine, unitLine]);

export type TrafficGroup = z.infer<typeof trafficGroup>;
export type TrafficLine = z.infer<typeof trafficLine>;
export type UnitLine = z.infer<typeof unitLine>;
export type LiveLine = z.infer<typeof liveLine>;

/** Reads one line; `undefined` where it is not one of ours (a cut line, another program's output). */
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
