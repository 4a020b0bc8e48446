/** Whether an inbox entry is a sample, and when it was measured. Pure. */
import type { Window } from '../../metrics/catalogue.ts';
import { correctTime, parseSample } from '../../metrics/wire.ts';

/**
 * What was taken from a host's inbox last. Written together with the window, so that a restart neither loses
 * nor repeats.
 */
export interface Position {
  /** Stream id of the entry. */
  readonly id: string;
  readonly instance: string;
  readonly sequence: number;
  /** Time of the newest window, ms. */
  readonly at: number;
  /** How far the host's clock is ahead of the hub's, ms. */
  readonly aheadMs: number;
}

export const NOWHERE: Position = { id: '0-0', instance: '', sequence: -1, at: 0, aheadMs: 0 };

export type Admission =
  | {
      readonly kind: 'window';
      readonly window: Window;
      readonly position: Position;
      /** Samples that are missing between the last one and this. */
      readonly lost: number;
    }
  /** Sent again after a lost confirmation. */
  | { readonly kind: 'duplicate'; readonly position: Position }
  | { readonly kind: 'refused'; readonly position: Position; readonly reason: string }
  /** An id in the future blocks the inbox for honest samples: it must be emptied. */
  | { readonly kind: 'blocked' };

/** Ids further in the future cannot come from Redis's own clock. */
const FUTURE_MS = 60_000;

export function admit(
  host: string,
  entry: { readonly id: string; readonly message: Readonly<Record<string, string>> },
  last: Position,
  now: number,
): Admission {
  const stamped = Number(entry.id.split('-')[0]);
  if (stamped > now + FUTURE_MS) return { kind: 'blocked' };
  const parsed = parseSample(entry.message, host);
  if (!parsed.ok) return { kind: 'refused', position: { ...last, id: entry.id }, reason: parsed.reason };
  const { instance, sequence, window } = parsed.value;
  const same = instance === last.instance;
  if (same && sequence <= last.sequence) return { kind: 'duplicate', position: { ...last, id: entry.id } };
  const corrected = correctTime(parsed.value, Math.min(stamped, now));
  // Windows of a host never overlap in the store, whatever its clock did.
  const at = Math.max(Math.round(corrected.at), last.at + 1);
  const aheadMs = Math.round(corrected.aheadMs);
  return {
    kind: 'window',
    window: { ...window, at },
    position: { id: entry.id, instance, sequence, at, aheadMs },
    lost: same ? sequence - last.sequence - 1 : 0,
  };
}
