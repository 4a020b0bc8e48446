/** Gauges and events of an experiment, fed with pairs of seconds. */
import type { PerSide, SequentialConfig, SideSecond } from '../types.ts';
import { UNEQUAL_TRAFFIC } from './distribution-account.ts';
import {
  type EventBlock,
  type EventState,
  type GaugeState,
  noEvents,
  noGauge,
  observeEvents,
  observeGauge,
} from './gauges.ts';
import { both, imbalance, NONE, plus } from './pairs.ts';
import { requestsOf } from './trials.ts';

type Pair = PerSide<SideSecond>;

/** Sums over the open gauge block. */
interface GaugeBlock {
  readonly seconds: number;
  readonly requests: PerSide<number>;
  readonly cpuSeconds: PerSide<number>;
  readonly memory: PerSide<number>;
  readonly memoryReadings: PerSide<number>;
  readonly restarts: EventBlock;
  readonly errorLines: EventBlock;
}

export interface GaugeAccounts {
  readonly block: GaugeBlock;
  readonly cpu: GaugeState;
  readonly memory: GaugeState;
  readonly restarts: EventState;
  readonly errorLines: EventState;
}

const NO_EVENTS: EventBlock = { events: NONE, counted: NONE };
const NO_BLOCK: GaugeBlock = {
  seconds: 0,
  requests: NONE,
  cpuSeconds: NONE,
  memory: NONE,
  memoryReadings: NONE,
  restarts: NO_EVENTS,
  errorLines: NO_EVENTS,
};

export const noGauges = (): GaugeAccounts => ({
  block: NO_BLOCK,
  cpu: noGauge(),
  memory: noGauge(),
  restarts: noEvents(),
  errorLines: noEvents(),
});

/**
 * The accounts after a pair of seconds; `requests`: the experiment's so far. Gauges count once sides are
 * `warm`.
 */
export function observeGauges(
  accounts: GaugeAccounts,
  pair: Pair,
  requests: PerSide<number>,
  warm: boolean,
  config: SequentialConfig,
): GaugeAccounts {
  const { metrics } = config;
  const block = addToBlock(accounts.block, pair, warm);
  if (block.seconds < config.gaugeBlockSeconds) return { ...accounts, block };
  const perRequest = both(
    block.cpuSeconds,
    (_, side) => (1000 * block.cpuSeconds[side]) / block.requests[side],
  );
  const memory = both(block.memory, (sum, side) => sum / block.memoryReadings[side]);
  const gauge = (state: GaugeState, values: PerSide<number>, kind: 'cpu' | 'memory') =>
    isPositive(values.baseline) && isPositive(values.candidate)
      ? observeGauge(state, values.baseline, values.candidate, metrics[kind])
      : state;
  const { restarts, errorLines, seconds } = block;
  return {
    block: NO_BLOCK,
    cpu: gauge(accounts.cpu, perRequest, 'cpu'),
    memory: gauge(accounts.memory, memory, 'memory'),
    restarts: observeEvents(accounts.restarts, restarts, seconds, true),
    errorLines: observeEvents(
      accounts.errorLines,
      errorLines,
      seconds,
      imbalance(requests) <= UNEQUAL_TRAFFIC,
    ),
  };
}

/** Gauges are read when the sides are warm, events always. */
function addToBlock(block: GaugeBlock, pair: Pair, warm: boolean): GaugeBlock {
  const add = (sum: PerSide<number>, value: (second: SideSecond) => number | undefined) =>
    plus(
      sum,
      both(pair, (second) => value(second) ?? 0),
    );
  const addWarm = (sum: PerSide<number>, value: (second: SideSecond) => number | undefined) =>
    warm ? add(sum, value) : sum;
  const addEvents = (
    { events, counted }: EventBlock,
    value: (second: SideSecond) => number | undefined,
  ): EventBlock => ({
    events: add(events, value),
    counted: add(counted, (second) => (value(second) === undefined ? 0 : 1)),
  });
  return {
    seconds: block.seconds + 1,
    requests: addWarm(block.requests, (second) => (second.cpuSeconds === undefined ? 0 : requestsOf(second))),
    cpuSeconds: addWarm(block.cpuSeconds, (second) => second.cpuSeconds),
    memory: addWarm(block.memory, (second) => second.memoryBytes),
    memoryReadings: addWarm(block.memoryReadings, (second) => (second.memoryBytes === undefined ? 0 : 1)),
    restarts: addEvents(block.restarts, (second) => second.restarts),
    errorLines: addEvents(block.errorLines, (second) => second.errorLines),
  };
}

const isPositive = (value: number) => Number.isFinite(value) && value > 0;
