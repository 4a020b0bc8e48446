/** Metrics of the application's own, block by block, by the tests of gauges and events. */
import { upperEdge } from '../histogram.ts';
import type { LogHistogram, MetricResult, PerSide, SequentialConfig, SideSecond } from '../types.ts';
import { UNEQUAL_TRAFFIC } from './distribution-account.ts';
import {
  type EventState,
  type GaugeState,
  noEvents,
  noGauge,
  observeEvents,
  observeGauge,
} from './gauges.ts';
import { eventResult } from './other-results.ts';
import { both, imbalance } from './pairs.ts';
import { ownDraft } from './ratio-draft.ts';
import { finish } from './results.ts';

/** Of a histogram. */
const QUANTILE = 0.9;

type Reading = number | LogHistogram;

interface OwnAccount {
  readonly gauge: GaugeState;
  readonly events: EventState;
  /** Readings of the open block. */
  readonly block: PerSide<readonly Reading[]>;
}

export interface OwnAccounts {
  /** Seconds in the open block. */
  readonly seconds: number;
  readonly accounts: Readonly<Record<string, OwnAccount>>;
}

const NOTHING: PerSide<readonly Reading[]> = { baseline: [], candidate: [] };

export function noOwn(config: SequentialConfig): OwnAccounts {
  const none: OwnAccount = { gauge: noGauge(), events: noEvents(), block: NOTHING };
  return {
    seconds: 0,
    accounts: Object.fromEntries(Object.keys(config.own ?? {}).map((name) => [name, none])),
  };
}

/** The accounts after a pair of seconds; `requests`: the experiment's so far. */
export function observeOwn(
  { seconds, accounts }: OwnAccounts,
  pair: PerSide<SideSecond>,
  requests: PerSide<number>,
  warm: boolean,
  config: SequentialConfig,
): OwnAccounts {
  const isFull = seconds + 1 >= config.gaugeBlockSeconds;
  const observed = Object.entries(accounts).map(([name, account]) => {
    const block = both(account.block, (readings, side) => {
      const reading = pair[side].own?.[name];
      return reading === undefined || !warm ? readings : [...readings, reading];
    });
    if (!isFull) return [name, { ...account, block }] as const;
    const closed = closeBlock({ ...account, block }, name, seconds + 1, requests, config);
    return [name, { ...closed, block: NOTHING }] as const;
  });
  return { seconds: isFull ? 0 : seconds + 1, accounts: Object.fromEntries(observed) };
}

function closeBlock(
  account: OwnAccount,
  name: string,
  seconds: number,
  requests: PerSide<number>,
  config: SequentialConfig,
): OwnAccount {
  const settings = config.own?.[name];
  const { block } = account;
  if (settings === undefined || block.baseline.length === 0 || block.candidate.length === 0) return account;
  if (settings.type === 'counter') {
    const counts = { events: both(block, sumOf), counted: both(block, (readings) => readings.length) };
    const comparable = imbalance(requests) <= UNEQUAL_TRAFFIC;
    return { ...account, events: observeEvents(account.events, counts, seconds, comparable) };
  }
  const { baseline, candidate } = both(block, settings.type === 'gauge' ? meanOf : quantileOf);
  if (!(baseline > 0) || !(candidate > 0)) return account;
  return { ...account, gauge: observeGauge(account.gauge, baseline, candidate, settings) };
}

const numbers = (readings: readonly Reading[]) => readings.filter((one) => typeof one === 'number');
const sumOf = (readings: readonly Reading[]) => numbers(readings).reduce((sum, one) => sum + one, 0);
const meanOf = (readings: readonly Reading[]) => sumOf(readings) / numbers(readings).length;

/** Over all values of the block; 0: there are none above 0. */
function quantileOf(readings: readonly Reading[]): number {
  const counts = new Map<number, number>();
  let all = 0;
  for (const reading of readings) {
    if (typeof reading === 'number') continue;
    all += reading.zero ?? 0;
    for (const [bucket, count] of Object.entries(reading.counts)) {
      counts.set(Number(bucket), (counts.get(Number(bucket)) ?? 0) + count);
      all += count;
    }
  }
  let above = all * (1 - QUANTILE);
  for (const [bucket, count] of [...counts].sort(([a], [b]) => b - a)) {
    above -= count;
    if (above < 0) return upperEdge(bucket);
  }
  return 0;
}

/** A result for each, in the order of the configuration. */
export function ownResults(
  { accounts }: OwnAccounts,
  config: SequentialConfig,
  requests: number,
): MetricResult[] {
  return Object.entries(config.own ?? {}).flatMap(([name, settings]): MetricResult[] => {
    const account = accounts[name];
    if (account === undefined) return [];
    if (settings.type === 'counter')
      return [{ ...eventResult(name, 'error-lines', account.events, config, settings), kind: 'own' }];
    const what = settings.type === 'gauge' ? name : `90th percentile of ${name}`;
    return [
      { ...finish(ownDraft(name, what, account.gauge, settings, config), config, requests), kind: 'own' },
    ];
  });
}
