/** The tests of all metrics, fed with pairs of seconds, one of each side. */
import type { PerSide, SequentialConfig, SideSecond } from '../types.ts';
import { type CountState, countSecond, noCounts } from './counts.ts';
import { type DistributionAccounts, noDistributions, observeDistributions } from './distribution-account.ts';
import { type GaugeAccounts, noGauges, observeGauges } from './gauge-account.ts';
import { noOwn, type OwnAccounts, observeOwn } from './own.ts';
import { both, NONE, plus } from './pairs.ts';
import { bodyTrials, errorTrials, requestsOf } from './trials.ts';

type Pair = PerSide<SideSecond>;

export interface Accounts {
  /** Pairs of seconds that were compared. */
  readonly pairs: number;
  readonly requests: PerSide<number>;
  readonly errors5xx: CountState;
  readonly errors4xx: CountState;
  readonly bodies: CountState;
  readonly distributions: DistributionAccounts;
  readonly gauges: GaugeAccounts;
  readonly own: OwnAccounts;
  /** Which optional measurements both sides have. */
  readonly measured: Readonly<
    Record<'bodies' | 'restarts' | 'errorLines' | 'cpuSeconds' | 'memoryBytes' | 'size', boolean>
  >;
}

export function noAccounts(config: SequentialConfig): Accounts {
  return {
    pairs: 0,
    requests: NONE,
    errors5xx: noCounts(),
    errors4xx: noCounts(),
    bodies: noCounts(),
    distributions: noDistributions(config),
    gauges: noGauges(),
    own: noOwn(config),
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

/** The accounts after a pair of seconds; `age`: seconds of traffic before it. */
export function observePair(accounts: Accounts, pair: Pair, age: number, config: SequentialConfig): Accounts {
  const { metrics } = config;
  const margin = (kind: 'errors-5xx' | 'errors-4xx' | 'bodies') => ({
    difference: metrics[kind].absolute,
    ratio: metrics[kind].margin,
  });
  const pairs = accounts.pairs + 1;
  const requests = plus(accounts.requests, both(pair, requestsOf));
  const warm = age >= config.warmupSeconds;
  return {
    pairs,
    requests,
    errors5xx: countSecond(accounts.errors5xx, errorTrials(pair, '5xx'), margin('errors-5xx')),
    errors4xx: countSecond(accounts.errors4xx, errorTrials(pair, '4xx'), margin('errors-4xx')),
    bodies: countSecond(accounts.bodies, bodyTrials(pair), margin('bodies')),
    distributions: warm
      ? observeDistributions(accounts.distributions, pair, { pairs, requests }, config)
      : accounts.distributions,
    gauges: observeGauges(accounts.gauges, pair, requests, warm, config),
    own: observeOwn(accounts.own, pair, requests, warm, config),
    measured: measured(accounts.measured, pair),
  };
}

function measured(before: Accounts['measured'], pair: Pair): Accounts['measured'] {
  const has = (key: 'bodies' | 'restarts' | 'errorLines' | 'cpuSeconds' | 'memoryBytes') =>
    before[key] || (pair.baseline[key] !== undefined && pair.candidate[key] !== undefined);
  const hasSize = (second: SideSecond) =>
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
