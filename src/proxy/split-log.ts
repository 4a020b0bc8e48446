/**
 * What nginx tells a rollout's process about each request, and who counts as one visitor. nginx has no
 * keyed hash, so a line holds the key itself. The log is in memory, only nginx and root may read it, and
 * the process frees what it has read (`docs/proxy.md`). Pure.
 */
import { createHmac } from 'node:crypto';

/**
 * How a request's side was found. By chance: `new` (the visitor got a cookie), `known` (the cookie came
 * back), `header`, `address`, `request`. In another way, and so no evidence: `tester`, `session` (the
 * request belongs to one), `keyless`.
 */
export type SplitHow = 'new' | 'known' | 'header' | 'address' | 'request' | 'tester' | 'session' | 'keyless';

const HOW: ReadonlySet<string> = new Set<SplitHow>([
  ...(['new', 'known', 'header', 'address', 'request'] as const),
  ...(['tester', 'session', 'keyless'] as const),
]);

export interface SplitLine {
  /** End of the request, seconds since 1970. */
  readonly at: number;
  readonly side: 'baseline' | 'candidate';
  readonly how: SplitHow;
  readonly status: number;
  readonly milliseconds: number;
  /** Of all attempts, e.g. `502, 200` if the side failed and the other one answered. Empty: a file. */
  readonly upstreamStatus: string;
  /** Do not keep or log it: call `unitOf` first. */
  readonly key: string;
}

/** undefined: not a line of this log, or a half one. */
export function parseSplitLine(line: string): SplitLine | undefined {
  let fields: Record<string, unknown>;
  try {
    // nginx writes 000 where it closed the connection without an answer, which is no number in JSON.
    fields = JSON.parse(line.replace('"status":000', '"status":0'));
  } catch {
    return undefined;
  }
  const { msec, side, how, status, time, upstream_status: upstream, key } = fields;
  if (typeof msec !== 'number' || typeof status !== 'number' || typeof time !== 'number') return undefined;
  if ((side !== 'baseline' && side !== 'candidate') || !isHow(how)) return undefined;
  if (typeof key !== 'string' || typeof upstream !== 'string') return undefined;
  const milliseconds = Math.round(time * 1e6) / 1000;
  return { at: msec, side, how, status, milliseconds, upstreamStatus: upstream, key };
}

function isHow(value: unknown): value is SplitHow {
  return typeof value === 'string' && HOW.has(value);
}

/** The name of a visitor in reports and logs: 16 hex digits of HMAC-SHA256. `secret`: the rollout's own. */
export function unitOf(secret: string, key: string): string {
  return createHmac('sha256', secret).update(key).digest('hex').slice(0, 16);
}
