/** The distributions of an experiment (latency of all and of each route, size), fed with pairs of seconds. */
import { seededUniform } from '../random.ts';
import type { PerSide, QuantileSettings, SequentialConfig, SideSecond } from '../types.ts';
import { orderTolerance } from './config.ts';
import {
  type BlockPair,
  type Compared,
  type DistributionState,
  noDistribution,
  observeBlock,
} from './distribution.ts';
import { both, imbalance } from './pairs.ts';
import { merge, NO_COUNTS, sparse, spread, thinned, without } from './slots.ts';

/**
 * Beyond this ratio of requests the sides' traffic is unequal, and differences between them are no longer
 * symmetric by themselves: over the whole experiment, and in one block, where chance makes them differ more.
 */
export const UNEQUAL_TRAFFIC = 1.5;
const UNEQUAL_BLOCK = 3;
/** Parts of the bigger side that are compared; more would tell hardly anything more. */
const MOST_PARTS = 10;

type Pair = PerSide<SideSecond>;

/** A distribution with its open block. */
export interface DistributionAccount {
  readonly distribution: DistributionState;
  readonly block: BlockPair;
}

/** The latency of one route; `order`: its place among routes as they appeared, from 1. */
interface RouteAccount extends DistributionAccount {
  readonly order: number;
}

export interface DistributionAccounts {
  readonly latency: DistributionAccount;
  /** By route; empty while there is only one, for which `latency` speaks. */
  readonly routes: Readonly<Record<string, RouteAccount>>;
  readonly firstRoute: string | null;
  readonly size: DistributionAccount;
}

/** How far the experiment is: pairs of seconds, including this one, and all requests. */
export interface ExperimentProgress {
  readonly pairs: number;
  readonly requests: PerSide<number>;
}

const NO_BLOCK: BlockPair = { baseline: NO_COUNTS, candidate: NO_COUNTS };

const noAccount = (compared: Compared): DistributionAccount => ({
  distribution: noDistribution(compared),
  block: NO_BLOCK,
});

export function noDistributions(config: SequentialConfig): DistributionAccounts {
  return {
    latency: noAccount(latencyMeasure(config)),
    routes: {},
    firstRoute: null,
    size: noAccount(sizeMeasure(config)),
  };
}

/** Sizes are compared at their median. */
export function sizeQuantiles(config: SequentialConfig): readonly QuantileSettings[] {
  return [{ quantile: 0.5, ...config.metrics.size }];
}

export function observeDistributions(
  accounts: DistributionAccounts,
  pair: Pair,
  position: ExperimentProgress,
  config: SequentialConfig,
): DistributionAccounts {
  const blocks = latencyBlocks(pair);
  const names = Object.keys(blocks);
  const firstRoute = accounts.firstRoute ?? names[0] ?? null;
  const routes = names.some((name) => name !== firstRoute)
    ? severalRoutes(accounts, firstRoute)
    : { ...accounts.routes };
  for (const name of Object.keys(routes).length === 0 ? [] : names) {
    const route = routes[name] ?? {
      ...noAccount(routeMeasure(config)),
      order: Object.keys(routes).length + 1,
    };
    const block = blocks[name] ?? NO_BLOCK;
    routes[name] = { ...route, ...observeSecond(route, block, position, routeMeasure(config), config) };
  }
  const latency = Object.values(blocks).reduce(mergePairs, NO_BLOCK);
  const size = both(pair, (second) =>
    sparse(Object.values(second.routes).flatMap((route) => (route.size === undefined ? [] : [route.size]))),
  );
  return {
    latency: observeSecond(accounts.latency, latency, position, latencyMeasure(config), config),
    routes,
    firstRoute,
    size: observeSecond(accounts.size, size, position, sizeMeasure(config), config),
  };
}

/** Latencies of a pair of seconds by route. */
function latencyBlocks(pair: Pair): Readonly<Record<string, BlockPair>> {
  const names = new Set([...Object.keys(pair.baseline.routes), ...Object.keys(pair.candidate.routes)]);
  const block = (name: string) =>
    both(pair, ({ routes }) => (routes[name] === undefined ? NO_COUNTS : sparse([routes[name].latency])));
  return Object.fromEntries([...names].map((name) => [name, block(name)]));
}

/** The accounts of routes once there is a second one; until then the first is all of the latency. */
function severalRoutes(
  { routes, latency }: DistributionAccounts,
  first: string | null,
): Record<string, RouteAccount> {
  return Object.keys(routes).length > 0 || first === null
    ? { ...routes }
    : { [first]: { ...latency, order: 1 } };
}

/** How a distribution is observed: where it is compared, and with what clock. */
interface Measure extends Compared {
  readonly resolution: number;
}

const latencyMeasure = (config: SequentialConfig): Measure => ({
  ...routeMeasure(config),
  order: orderTolerance(config),
});

/** Of one route only the quantiles are judged. */
const routeMeasure = ({ quantiles, latencyResolutionMs }: SequentialConfig): Measure => ({
  quantiles,
  order: null,
  resolution: latencyResolutionMs,
});

const sizeMeasure = (config: SequentialConfig): Measure => ({
  quantiles: sizeQuantiles(config),
  order: null,
  resolution: 0,
});

/** Adds a second to the block, and tests a complete one. */
function observeSecond(
  account: DistributionAccount,
  second: BlockPair,
  { pairs, requests }: ExperimentProgress,
  { resolution, ...compared }: Measure,
  config: SequentialConfig,
): DistributionAccount {
  const block = mergePairs(account.block, second);
  if (pairs % config.latencyBlockSeconds !== 0 || !isFull(block))
    return { distribution: account.distribution, block };
  const exact = (counts: BlockPair) => both(counts, (side) => spread(side, resolution));
  const whole = exact(block);
  const totals = both(block, (side) => side.total);
  const isEqual = imbalance(requests) <= UNEQUAL_TRAFFIC && imbalance(totals) <= UNEQUAL_BLOCK;
  const parts = isEqual ? [whole] : equalParts(block, pairs).map(exact);
  return { distribution: observeBlock(account.distribution, whole, compared, parts), block: NO_BLOCK };
}

/** Both sides answered something; until then a block stays open, which is the same for both sides. */
const isFull = ({ baseline, candidate }: BlockPair) => baseline.total > 0 && candidate.total > 0;

/**
 * The smaller side beside parts of the bigger one with as many values, drawn at random: swapping the sides
 * then changes no distribution. The parts have no value in common, so hardly any is thrown away.
 */
function equalParts(block: BlockPair, seed: number): readonly BlockPair[] {
  const random = seededUniform(seed);
  const size = Math.min(block.baseline.total, block.candidate.total);
  if (size === 0) return [block];
  const bigger = block.baseline.total > size ? 'baseline' : 'candidate';
  const parts: BlockPair[] = [];
  for (let rest = block[bigger]; rest.total >= size && parts.length < MOST_PARTS; ) {
    const part = rest.total === size ? rest : thinned(rest, size, random);
    parts.push({ ...block, [bigger]: part });
    rest = without(rest, part);
  }
  return parts;
}

const mergePairs = (a: BlockPair, b: BlockPair): BlockPair => ({
  baseline: merge(a.baseline, b.baseline),
  candidate: merge(a.candidate, b.candidate),
});
