/** How long measurements are kept, and at what resolution. */
import type { Window } from './catalogue.ts';
import { mergeWindows } from './merge.ts';

export interface Tier {
  readonly name: 'raw' | 'minute' | 'ten-minutes';
  /** Length of one window; 0: samples as they came. */
  readonly seconds: number;
  /** How long windows are kept. */
  readonly keepSeconds: number;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** From fine to coarse. */
export const TIERS: readonly Tier[] = [
  { name: 'raw', seconds: 0, keepSeconds: DAY },
  { name: 'minute', seconds: 60, keepSeconds: 7 * DAY },
  { name: 'ten-minutes', seconds: 600, keepSeconds: 90 * DAY },
];

/**
 * Start of the tier's window that a sample belongs to, milliseconds. It belongs where it ended; if that is an
 * edge, to the window before.
 */
export function windowStart(tier: Tier, at: number): number {
  const length = tier.seconds * 1000;
  return length === 0 ? at : Math.floor((at - 1) / length) * length;
}

/**
 * A tier's windows by their start, from those of a finer tier (or from samples). The last may still grow.
 */
export function rollUp(tier: Tier, windows: readonly Window[]): Map<number, Window> {
  const groups = new Map<number, Window[]>();
  for (const window of windows) {
    const start = windowStart(tier, window.at);
    const group = groups.get(start);
    if (group === undefined) groups.set(start, [window]);
    else group.push(window);
  }
  const rolled = new Map<number, Window>();
  for (const [start, group] of groups) {
    const merged = mergeWindows(group);
    if (merged !== undefined) rolled.set(start, merged);
  }
  return rolled;
}

/**
 * The tier to draw a chart from: of those that reach back to the range's start, the coarsest with `points`
 * windows in it.
 * @param agoSeconds how long ago the range starts
 * @param rangeSeconds length of the range
 * @param rawSeconds interval of the samples
 */
export function tierFor(agoSeconds: number, rangeSeconds: number, points: number, rawSeconds: number): Tier {
  const reaching = TIERS.filter((tier) => tier.keepSeconds >= agoSeconds);
  const fine = reaching.filter((tier) => rangeSeconds / (tier.seconds || rawSeconds) >= points);
  const coarsest = TIERS[TIERS.length - 1] as Tier;
  return fine.at(-1) ?? reaching[0] ?? coarsest;
}
