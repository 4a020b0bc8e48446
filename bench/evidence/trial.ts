/**
 * Experiments made of recorded data: what both sides did in each tick, and who found when that they differ.
 */
import { histogramOf, type Second, type SideSecond, sequentialConfig } from '../../src/judge/index.ts';
import type { Random } from '../judge/random.ts';

/** One request: ms it took, and whether it failed. */
export interface Answer {
  readonly ms: number;
  readonly failed: boolean;
}

/** What one side did in one tick: requests, or one reading of a gauge. */
export type Tick = readonly Answer[] | number;

export interface TickPair {
  readonly baseline: Tick;
  readonly candidate: Tick;
}

export interface Trial {
  /** Data set. */
  readonly set: string;
  /** Kind of fault, or how fault-free data were dealt. */
  readonly row: string;
  /** Both sides come from fault-free data, so that each alarm is a false one. */
  readonly faultFree: boolean;
  readonly ticks: readonly TickPair[];
}

const ROUTE = 'requests';

/** The judge's configuration for recordings: they begin warm, and their clocks are fine. */
export const CONFIG = sequentialConfig({ warmupSeconds: 0, latencyResolutionMs: 0 });
/**
 * For readings of a gauge, which stand in the place of memory: the only deciding metric, every tick a block.
 */
export const GAUGE_CONFIG = sequentialConfig({
  warmupSeconds: 0,
  gaugeBlockSeconds: 1,
  quantiles: [],
  routeWeight: 0,
  metrics: { memory: { role: 'watched', weight: 1000, tolerance: 0.1, margin: 0.3, absolute: 0 } },
});

export const isGauge = ({ ticks }: Trial) => typeof ticks[0]?.baseline === 'number';

/** The ticks as the judge's seconds. */
export function secondsOf({ ticks }: Trial): readonly Second[] {
  return ticks.map(({ baseline, candidate }, at) => ({
    at,
    baseline: sideOf(baseline),
    candidate: sideOf(candidate),
  }));
}

function sideOf(tick: Tick): SideSecond {
  if (typeof tick === 'number') {
    const latency = { counts: {} };
    return { routes: { [ROUTE]: { requests: 1, status: { '2xx': 1 }, latency } }, memoryBytes: tick };
  }
  if (tick.length === 0) return { routes: {} };
  const failed = tick.filter((answer) => answer.failed).length;
  const latency = histogramOf(tick.filter((answer) => !answer.failed).map(({ ms }) => ms));
  const status = { '2xx': tick.length - failed, '5xx': failed };
  return { routes: { [ROUTE]: { requests: tick.length, status, latency } } };
}

/** Each request of each tick to a side that a coin chooses. */
export function dealRequests(ticks: readonly (readonly Answer[])[], random: Random): TickPair[] {
  return ticks.map((answers) => {
    const sides: Record<'baseline' | 'candidate', Answer[]> = { baseline: [], candidate: [] };
    for (const answer of answers) sides[random.uniform() < 0.5 ? 'baseline' : 'candidate'].push(answer);
    return sides;
  });
}

/** Neighbouring ticks as they are, one to each side; a coin says which to which. */
export function dealTicks(ticks: readonly Tick[], random: Random): TickPair[] {
  const pairs: TickPair[] = [];
  for (let i = 0; i + 1 < ticks.length; i += 2) {
    const [a, b] = equallyMany(ticks[i] as Tick, ticks[i + 1] as Tick, random);
    pairs.push(random.uniform() < 0.5 ? { baseline: a, candidate: b } : { baseline: b, candidate: a });
  }
  return pairs;
}

/** A recording with the fault beside one without: as many requests of each in a tick, as traffic would be. */
export function compare(baseline: readonly Tick[], candidate: readonly Tick[], random: Random): TickPair[] {
  return candidate.slice(0, baseline.length).map((tick, i) => {
    const [a, b] = equallyMany(baseline[i] as Tick, tick, random);
    return { baseline: a, candidate: b };
  });
}

function equallyMany(a: Tick, b: Tick, random: Random): [Tick, Tick] {
  if (typeof a === 'number' || typeof b === 'number') return [a, b];
  const size = Math.min(a.length, b.length);
  return [some(a, size, random), some(b, size, random)];
}

/** So many of the answers, every choice equally likely. */
function some(answers: readonly Answer[], size: number, random: Random): readonly Answer[] {
  const left = [...answers];
  while (left.length > size) left.splice(Math.floor(random.uniform() * left.length), 1);
  return left;
}
