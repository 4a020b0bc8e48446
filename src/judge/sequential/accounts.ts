/** The tests of all metrics, fed with pairs of seconds of the two variants. */
import { seededUniform } from '../random.ts';
import type { PerVariant, QuantileSettings, SequentialConfig, VariantSecond } from '../types.ts';
import { type CountState, countSecond, noCounts } from './counts.ts';
import { type BlockPair, type DistributionState, noDistribution, observeBlock } from './distribution.ts';
import {
  type EventState,
  type GaugeState,
  noEvents,
  noGauge,
  observeEvents,
  observeGauge,
} from './gauges.ts';
import { merge, NO_COUNTS, type SparseCounts, sparse, spread, thinned } from './slots.ts';
import { bodyTrials, errorTrials, requestsOf } from './trials.ts';

/** Beyond this ratio of requests the variants' traffic is unequal, and differences between them no longer symmetric by themselves. */
const EQUAL_TRAFFIC = 1.5;

type Pair = PerVariant<VariantSecond>;

/** A distribution with the block that is not complete yet. */
export interface DistributionAccount {
  readonly distribution: DistributionState;
  readonly block: BlockPair;
}

/** The latency of one route; `order` is its place among the routes as they appeared, from 1. */
export interface RouteAccount extends DistributionAccount {
  readonly order: number;
}

/** Sums over the gauge block that is not complete yet. */
interface GaugeBlock {
  readonly seconds: number;
  readonly requests: PerVariant<number>;
  readonly cpuSeconds: PerVariant<number>;
  readonly memory: PerVariant<number>;
  readonly memoryReadings: PerVariant<number>;
  readonly restarts: PerVariant<number>;
  readonly errorLines: PerVariant<number>;
}

export interface Accounts {
  /** Pairs of seconds that were compared. */
  readonly pairs: number;
  readonly requests: PerVariant<number>;
  readonly errors5xx: CountState;
  readonly errors4xx: CountState;
  readonly bodies: CountState;
  readonly latency: DistributionAccount;
  /** By route; empty as long as there was one route only, which `latency` then speaks for. */
  readonly routes: Readonly<Record<string, RouteAccount>>;
  readonly firstRoute: string | null;
  readonly size: DistributionAccount;
  readonly gaugeBlock: GaugeBlock;
  readonly cpu: GaugeState;
  readonly memory: GaugeState;
  readonly restarts: EventState;
  readonly errorLines: EventState;
  /** Which of what may be absent was measured on both variants. */
  readonly measured: Readonly<
    Record<'bodies' | 'restarts' | 'errorLines' | 'cpuSeconds' | 'memoryBytes' | 'size', boolean>
  >;
}

const none: PerVariant<number> = { baseline: 0, candidate: 0 };
const NO_GAUGE_BLOCK: GaugeBlock = {
  seconds: 0,
  requests: none,
  cpuSeconds: none,
  memory: none,
  memoryReadings: none,
  restarts: none,
  errorLines: none,
};
const NO_BLOCK: BlockPair = { baseline: NO_COUNTS, candidate: NO_COUNTS };

export function noAccounts(config: SequentialConfig): Accounts {
  return {
    pairs: 0,
    requests: none,
    errors5xx: noCounts(),
    errors4xx: noCounts(),
    bodies: noCounts(),
    latency: noDistributionAccount(config.quantiles),
    routes: {},
    firstRoute: null,
    size: noDistributionAccount(sizeQuantiles(config)),
    gaugeBlock: NO_GAUGE_BLOCK,
    cpu: noGauge(),
    memory: noGauge(),
    restarts: noEvents(),
    errorLines: noEvents(),
    measured: {
      bodies: false,
      restarts: false,
      errorLines: false,
      cpuSeconds: false,
      memoryBytes: false,
      size: false,
    },
  };
}

const noDistributionAccount = (quantiles: readonly QuantileSettings[]): DistributionAccount => ({
  distribution: noDistribution(quantiles),
  block: NO_BLOCK,
});

/** Sizes are compared at their median. */
export function sizeQuantiles(config: SequentialConfig): readonly QuantileSettings[] {
  return [{ quantile: 0.5, ...config.metrics.size }];
}

/** The accounts after a pair of seconds; `age` is how many seconds of traffic came before. */
export function observePair(accounts: Accounts, pair: Pair, age: number, config: SequentialConfig): Accounts {
  const { metrics } = config;
  const margin = (kind: 'errors-5xx' | 'errors-4xx' | 'bodies') => ({
    difference: metrics[kind].absolute,
    ratio: metrics[kind].margin,
  });
  const counted: Accounts = {
    ...accounts,
    pairs: accounts.pairs + 1,
    requests: plus(accounts.requests, both(pair, requestsOf)),
    errors5xx: countSecond(accounts.errors5xx, errorTrials(pair, '5xx'), margin('errors-5xx')),
    errors4xx: countSecond(accounts.errors4xx, errorTrials(pair, '4xx'), margin('errors-4xx')),
    bodies: countSecond(accounts.bodies, bodyTrials(pair), margin('bodies')),
    measured: measured(accounts.measured, pair),
  };
  const events = observeGauges(counted, pair, age >= config.warmupSeconds, config);
  return age < config.warmupSeconds ? events : observeDistributions(events, pair, config);
}

function observeDistributions(accounts: Accounts, pair: Pair, config: SequentialConfig): Accounts {
  const blocks = latencyBlocks(pair, config.latencyResolutionMs);
  const names = Object.keys(blocks);
  const firstRoute = accounts.firstRoute ?? names[0] ?? null;
  const routes = names.some((name) => name !== firstRoute)
    ? severalRoutes(accounts, firstRoute)
    : { ...accounts.routes };
  for (const name of Object.keys(routes).length === 0 ? [] : names) {
    const route = routes[name] ?? {
      ...noDistributionAccount(config.quantiles),
      order: Object.keys(routes).length + 1,
    };
    const block = blocks[name] ?? NO_BLOCK;
    routes[name] = { ...route, ...observeSecond(route, block, accounts, config.quantiles, config) };
  }
  const latency = Object.values(blocks).reduce(mergePairs, NO_BLOCK);
  const size = both(pair, (second) =>
    sparse(Object.values(second.routes).flatMap((route) => (route.size === undefined ? [] : [route.size]))),
  );
  return {
    ...accounts,
    latency: observeSecond(accounts.latency, latency, accounts, config.quantiles, config),
    routes,
    firstRoute,
    size: observeSecond(accounts.size, size, accounts, sizeQuantiles(config), config),
  };
}

/** Latencies of a pair of seconds by route. */
function latencyBlocks(pair: Pair, resolution: number): Readonly<Record<string, BlockPair>> {
  const names = new Set([...Object.keys(pair.baseline.routes), ...Object.keys(pair.candidate.routes)]);
  const block = (name: string) =>
    both(pair, (second) => {
      const histogram = second.routes[name]?.latency;
      return histogram === undefined ? NO_COUNTS : spread(sparse([histogram]), resolution);
    });
  return Object.fromEntries([...names].map((name) => [name, block(name)]));
}

/** The accounts of routes once there is a second one: until then the first was all of the latency. */
function severalRoutes({ routes, latency }: Accounts, first: string | null): Record<string, RouteAccount> {
  return Object.keys(routes).length > 0 || first === null
    ? { ...routes }
    : { [first]: { ...latency, order: 1 } };
}

/** Adds a second to the block, and where that completes it, tests. */
function observeSecond(
  account: DistributionAccount,
  second: BlockPair,
  { pairs, requests }: Accounts,
  quantiles: readonly QuantileSettings[],
  config: SequentialConfig,
): DistributionAccount {
  const block = mergePairs(account.block, second);
  if (pairs % config.latencyBlockSeconds !== 0) return { distribution: account.distribution, block };
  const compared = isEqual(requests) ? block : equalParts(block, pairs);
  return { distribution: observeBlock(account.distribution, block, quantiles, compared), block: NO_BLOCK };
}

/** The block with as many values on either side, drawn at random: swapping the sides then changes no distribution. */
function equalParts(block: BlockPair, seed: number): BlockPair {
  const random = seededUniform(seed);
  const size = Math.floor(Math.min(block.baseline.total, block.candidate.total) + 1e-9);
  const part = (counts: SparseCounts) => (counts.total - size < 0.5 ? counts : thinned(counts, size, random));
  return { baseline: part(block.baseline), candidate: part(block.candidate) };
}

function observeGauges(accounts: Accounts, pair: Pair, warm: boolean, config: SequentialConfig): Accounts {
  const { metrics } = config;
  const block = addToBlock(accounts.gaugeBlock, pair, warm);
  if (block.seconds < config.gaugeBlockSeconds) return { ...accounts, gaugeBlock: block };
  const perRequest = both(
    block.cpuSeconds,
    (_, variant) => (1000 * block.cpuSeconds[variant]) / block.requests[variant],
  );
  const memory = both(block.memory, (sum, variant) => sum / block.memoryReadings[variant]);
  const gauge = (state: GaugeState, values: PerVariant<number>, kind: 'cpu' | 'memory') =>
    isPositive(values.baseline) && isPositive(values.candidate)
      ? observeGauge(state, values.baseline, values.candidate, metrics[kind])
      : state;
  const { restarts, errorLines, seconds } = block;
  return {
    ...accounts,
    gaugeBlock: NO_GAUGE_BLOCK,
    cpu: gauge(accounts.cpu, perRequest, 'cpu'),
    memory: gauge(accounts.memory, memory, 'memory'),
    restarts: observeEvents(accounts.restarts, restarts, seconds, true),
    errorLines: observeEvents(accounts.errorLines, errorLines, seconds, isEqual(accounts.requests)),
  };
}

/** Gauges are read when the variants are warm, events always. */
function addToBlock(block: GaugeBlock, pair: Pair, warm: boolean): GaugeBlock {
  const add = (sum: PerVariant<number>, value: (second: VariantSecond) => number | undefined) =>
    plus(
      sum,
      both(pair, (second) => value(second) ?? 0),
    );
  const addWarm = (sum: PerVariant<number>, value: (second: VariantSecond) => number | undefined) =>
    warm ? add(sum, value) : sum;
  return {
    seconds: block.seconds + 1,
    requests: addWarm(block.requests, (second) => (second.cpuSeconds === undefined ? 0 : requestsOf(second))),
    cpuSeconds: addWarm(block.cpuSeconds, (second) => second.cpuSeconds),
    memory: addWarm(block.memory, (second) => second.memoryBytes),
    memoryReadings: addWarm(block.memoryReadings, (second) => (second.memoryBytes === undefined ? 0 : 1)),
    restarts: add(block.restarts, (second) => second.restarts),
    errorLines: add(block.errorLines, (second) => second.errorLines),
  };
}

function measured(before: Accounts['measured'], pair: Pair): Accounts['measured'] {
  const has = (key: 'bodies' | 'restarts' | 'errorLines' | 'cpuSeconds' | 'memoryBytes') =>
    before[key] || (pair.baseline[key] !== undefined && pair.candidate[key] !== undefined);
  const hasSize = (second: VariantSecond) =>
    Object.values(second.routes).some((route) => route.size !== undefined);
  return {
    bodies: has('bodies'),
    restarts: has('restarts'),
    errorLines: has('errorLines'),
    cpuSeconds: has('cpuSeconds'),
    memoryBytes: has('memoryBytes'),
    size: before.size || hasSize(pair.baseline) || hasSize(pair.candidate),
  };
}

const isPositive = (value: number) => Number.isFinite(value) && value > 0;

function isEqual({ baseline, candidate }: PerVariant<number>): boolean {
  return Math.max(baseline, candidate) <= EQUAL_TRAFFIC * Math.min(baseline, candidate);
}

const mergePairs = (a: BlockPair, b: BlockPair): BlockPair => ({
  baseline: merge(a.baseline, b.baseline),
  candidate: merge(a.candidate, b.candidate),
});

const plus = (a: PerVariant<number>, b: PerVariant<number>): PerVariant<number> => ({
  baseline: a.baseline + b.baseline,
  candidate: a.candidate + b.candidate,
});

function both<T, R>(
  pair: PerVariant<T>,
  f: (value: T, variant: 'baseline' | 'candidate') => R,
): PerVariant<R> {
  return { baseline: f(pair.baseline, 'baseline'), candidate: f(pair.candidate, 'candidate') };
}
