/** Histograms in memory: sparse for one block of time, dense for the whole experiment. */
import { bucketOf, upperEdge } from '../histogram.ts';
import { HISTOGRAM_GAMMA, type LogHistogram } from '../types.ts';

/**
 * A slot is a bucket's index moved by `OFFSET`, so that slots are array indices; slot 0 holds the values ≤ 0.
 * What lies outside of (γ^−511, γ^1535], about 4e−5 to 1.6e13, is counted in the outermost slots.
 */
const SLOTS = 2048;
const OFFSET = 512;

/** Counts of one block, by ascending slot. */
export interface SparseCounts {
  readonly slots: readonly number[];
  readonly counts: readonly number[];
  readonly total: number;
}

/** Counts by slot, of everything so far. */
export interface DenseCounts {
  readonly counts: Float64Array;
  readonly total: number;
}

export const NO_COUNTS: SparseCounts = { slots: [], counts: [], total: 0 };

export function slotOfIndex(index: number): number {
  return Math.min(SLOTS - 1, Math.max(1, index + OFFSET));
}

function slotOfValue(value: number): number {
  return value <= 0 ? 0 : slotOfIndex(bucketOf(value));
}

/** The slot whose upper edge is nearest to `value` as a ratio. */
export function nearestSlot(value: number): number {
  return value <= 0 ? 0 : slotOfIndex(Math.round(Math.log(value) / Math.log(HISTOGRAM_GAMMA)));
}

/** Upper edge of a slot in the histogram's unit. */
export function slotEdge(slot: number): number {
  return slot === 0 ? 0 : upperEdge(slot - OFFSET);
}

/** The value that stands for a slot: the geometric middle of its bucket. */
export function slotMiddle(slot: number): number {
  return slot === 0 ? 0 : upperEdge(slot - OFFSET - 0.5);
}

const EDGES = Float64Array.from({ length: SLOTS }, (_, slot) => slotEdge(slot));

/**
 * The counts as if each value had been measured exactly: a clock of the given resolution says v for anything
 * within half a unit of v, so a value's count is spread evenly over the slots between v − resolution/2 and v
 * + resolution/2. Where slots are wider than the resolution, or the resolution is 0, nothing changes. Without
 * this, a service of 12 ms could only ever seem 8 % slower or 17 %.
 */
export function spread(block: SparseCounts, resolution: number): SparseCounts {
  if (resolution <= 0) return block;
  const bySlot = new Map<number, number>();
  const add = (slot: number, count: number) => bySlot.set(slot, (bySlot.get(slot) ?? 0) + count);
  for (const [i, slot] of block.slots.entries()) {
    const count = block.counts[i] as number;
    const top = EDGES[slot] as number;
    const bottom = slot === 0 ? 0 : (EDGES[slot - 1] as number);
    if (top - bottom >= resolution) {
      add(slot, count);
      continue;
    }
    const ticks = Math.round(top / resolution) * resolution;
    const value = ticks > bottom && ticks <= top ? ticks : (bottom + top) / 2;
    const low = Math.max(0, value - resolution / 2);
    const high = value + resolution / 2;
    const first = Math.max(slotOfValue(low), slotOfValue(resolution / 64));
    const last = slotOfValue(high);
    for (let target = first; target <= last; target++) {
      const from = target === first ? low : (EDGES[target - 1] as number);
      const to = target === last ? high : (EDGES[target] as number);
      add(target, (count * (to - from)) / (high - low));
    }
  }
  return fromMap(bySlot);
}

/** The counts of several histograms together. */
export function sparse(histograms: Iterable<LogHistogram>): SparseCounts {
  const bySlot = new Map<number, number>();
  for (const { zero = 0, counts } of histograms) {
    if (zero > 0) bySlot.set(0, (bySlot.get(0) ?? 0) + zero);
    for (const [index, count] of Object.entries(counts)) {
      const slot = slotOfIndex(Number(index));
      bySlot.set(slot, (bySlot.get(slot) ?? 0) + count);
    }
  }
  return fromMap(bySlot);
}

export function merge(a: SparseCounts, b: SparseCounts): SparseCounts {
  if (a.total === 0) return b;
  if (b.total === 0) return a;
  const bySlot = new Map(a.slots.map((slot, i) => [slot, a.counts[i] as number]));
  for (const [i, slot] of b.slots.entries())
    bySlot.set(slot, (bySlot.get(slot) ?? 0) + (b.counts[i] as number));
  return fromMap(bySlot);
}

function fromMap(bySlot: ReadonlyMap<number, number>): SparseCounts {
  const slots = [...bySlot.keys()].sort((a, b) => a - b);
  const counts = slots.map((slot) => bySlot.get(slot) as number);
  return { slots, counts, total: counts.reduce((sum, count) => sum + count, 0) };
}

/** Share of a block's values in `slot` or higher. The block is not empty. */
export function shareFrom(block: SparseCounts, slot: number): number {
  let above = 0;
  for (let i = block.slots.length - 1; i >= 0 && (block.slots[i] as number) >= slot; i--)
    above += block.counts[i] as number;
  return above / block.total;
}

export function noDenseCounts(): DenseCounts {
  return { counts: new Float64Array(SLOTS), total: 0 };
}

export function addBlock(dense: DenseCounts, block: SparseCounts): DenseCounts {
  if (block.total === 0) return dense;
  const counts = Float64Array.from(dense.counts);
  for (const [i, slot] of block.slots.entries())
    counts[slot] = (counts[slot] as number) + (block.counts[i] as number);
  return { counts, total: dense.total + block.total };
}

/**
 * The slot that holds the quantile: the lowest with at least the share `quantile` of all values up to it.
 * There must be values.
 */
export function quantileSlot(dense: DenseCounts, quantile: number): number {
  const rank = quantile * dense.total;
  let seen = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    seen += dense.counts[slot] as number;
    if (seen >= rank && seen > 0) return slot;
  }
  return SLOTS - 1;
}

/**
 * A random part of a block of whole counts, of `size` values, every part equally likely. `random` returns
 * numbers in [0, 1); the draw is by sequential selection (Fan, Muller & Rezucha, 1962).
 */
export function thinned(block: SparseCounts, size: number, random: () => number): SparseCounts {
  let left = block.total;
  let wanted = size;
  const counts = block.counts.map((count) => {
    let taken = 0;
    for (let i = 0; i < count; i++, left--) {
      if (random() * left < wanted) {
        taken++;
        wanted--;
      }
    }
    return taken;
  });
  return { slots: block.slots, counts, total: size };
}

/** The values that a part of the block (`thinned`) leaves. */
export function without(block: SparseCounts, part: SparseCounts): SparseCounts {
  const counts = block.counts.map((count, i) => count - (part.counts[i] as number));
  return { slots: block.slots, counts, total: block.total - part.total };
}
