/** What the judge of units remembers, as plain JSON, and how an event changes it. */
import { bucketOf, upperEdge } from '../histogram.ts';
import type { PerSide } from '../types.ts';
import { type Account, logMean } from './accounts.ts';
import {
  betOnDifference,
  betOnMargin,
  type DifferenceAccount,
  differenceAccount,
  FAILING_STAKES,
  hasBoth,
  marginAccount,
  SLOWER_STAKES,
} from './differences.ts';
import {
  absentAccount,
  betOnAbsence,
  betOnEvents,
  betOnLeaving,
  betOnSlowness,
  eventAccount,
  leavingAccount,
  slowAccount,
} from './labels.ts';
import type {
  Harm,
  LabelMetric,
  Missing,
  UnitBlock,
  UnitConfig,
  UnitEvent,
  UnitSecond,
  UnitValue,
} from './types.ts';

/** Answers beyond a quantile that must have been seen before it counts as known. */
const KNOWN_BEYOND = 3;

/** A side's sums over all blocks. */
interface Totals {
  readonly units: number;
  readonly requests: number;
  readonly failed: number;
  readonly refused: number;
  readonly alone: number;
  readonly returned: number;
  readonly failedUnits: number;
  /** Absent: none. */
  readonly slow?: number;
  /** Answers by bucket of latency (`bucketOf`), each unit weighing 1. */
  readonly latency: Readonly<Record<string, number>>;
}

export interface UnitState {
  readonly config: UnitConfig;
  readonly accounts: Readonly<Record<LabelMetric, Account>>;
  /** One for each quantile. */
  readonly slower: readonly DifferenceAccount[];
  /** By quantile, then by step. */
  readonly notSlower: readonly (readonly Account[])[];
  /** One for each step. */
  readonly notFailing: readonly Account[];
  readonly totals: PerSide<Totals>;
  readonly blocks: number;
  readonly lastAt: number;
}

const NONE: Totals = {
  units: 0,
  requests: 0,
  failed: 0,
  refused: 0,
  alone: 0,
  returned: 0,
  failedUnits: 0,
  latency: {},
};

export function createUnitJudge(config: UnitConfig): UnitState {
  return {
    config,
    accounts: {
      errors: eventAccount(),
      refused: eventAccount(),
      returning: leavingAccount(),
      missing: absentAccount(),
      slow: slowAccount(),
    },
    slower: config.quantiles.map(differenceAccount),
    notSlower: config.quantiles.map(() => config.margins.map(() => marginAccount(SLOWER_STAKES))),
    notFailing: config.margins.map(() => marginAccount(FAILING_STAKES)),
    totals: { baseline: NONE, candidate: NONE },
    blocks: 0,
    lastAt: 0,
  };
}

/** The state after one more event. */
export function observeUnits(state: UnitState, event: UnitEvent): UnitState {
  const next = event.kind === 'second' ? afterSecond(state, event) : afterBlock(state, event);
  return { ...next, lastAt: Math.max(state.lastAt, event.at) };
}

function afterSecond(state: UnitState, { deals }: UnitSecond): UnitState {
  const { accounts } = state;
  const of = (what: 'failed' | 'refused') =>
    deals.map((deal) => ({ chance: deal.chance, counts: deal[what] }));
  const sum = (side: 'baseline' | 'candidate'): Totals => {
    const add = (what: 'failed' | 'refused' | 'alone' | 'returned') =>
      deals.reduce((total, deal) => total + deal[what][side], 0);
    const before = state.totals[side];
    return {
      ...before,
      failedUnits: before.failedUnits + add('failed'),
      refused: before.refused + add('refused'),
      alone: before.alone + add('alone'),
      returned: before.returned + add('returned'),
      slow: (before.slow ?? 0) + deals.reduce((total, { slow }) => total + (slow?.[0]?.[side] ?? 0), 0),
    };
  };
  return {
    ...state,
    accounts: {
      ...accounts,
      errors: betOnEvents(accounts.errors, of('failed')),
      refused: betOnEvents(accounts.refused, of('refused')),
      returning: betOnLeaving(accounts.returning, deals),
      slow: betOnSlowness(accounts.slow, deals),
    },
    totals: { baseline: sum('baseline'), candidate: sum('candidate') },
  };
}

function afterBlock(state: UnitState, { strata, warm }: UnitBlock): UnitState {
  const { config } = state;
  const failing = (unit: UnitValue) => (unit.requests === 0 ? 0 : unit.failed / unit.requests);
  const notFailing = state.notFailing.map((account, step) =>
    betOnMargin(
      account,
      strata,
      { candidate: failing, baseline: failing },
      config.margins[step]?.errors ?? 0,
      FAILING_STAKES,
    ),
  );
  const totals = {
    baseline: addUnits(
      state.totals.baseline,
      strata.flatMap(({ baseline }) => baseline),
    ),
    candidate: addUnits(
      state.totals.candidate,
      strata.flatMap(({ candidate }) => candidate),
    ),
  };
  const missing = betOnAbsence(
    state.accounts.missing,
    strata.map(({ chance, dealt }) => ({ chance, counts: dealt })),
  );
  const accounts = { ...state.accounts, missing };
  const next = { ...state, accounts, notFailing, totals, blocks: state.blocks + 1 };
  return warm ? { ...next, ...latencyBets(state, strata) } : next;
}

/** Thresholds come from blocks before this one. */
function latencyBets(state: UnitState, all: UnitBlock['strata']): Pick<UnitState, 'slower' | 'notSlower'> {
  const { config } = state;
  const answered = ({ ms }: UnitValue) => ms.length > 0;
  const strata = all
    .map((stratum) => ({
      ...stratum,
      baseline: stratum.baseline.filter(answered),
      candidate: stratum.candidate.filter(answered),
    }))
    .filter(hasBoth);
  const raised = (ms: number, ratio: number) => Math.max(ms * (1 + ratio), ms + config.toleratedMs);
  const above = (threshold: number) => (unit: UnitValue) => shareAbove(unit, threshold, config.resolutionMs);
  const thresholds = config.quantiles.map(({ quantile }) =>
    quantileOf(state.totals.baseline.latency, quantile, KNOWN_BEYOND),
  );
  return {
    slower: state.slower.map((account, i) => {
      const q = thresholds[i] ?? null;
      if (q === null) return account;
      const values = { candidate: above(raised(q, config.tolerated)), baseline: above(q) };
      return betOnDifference(account, strata, values, config.parts);
    }),
    notSlower: state.notSlower.map((accounts, i) => {
      const q = thresholds[i] ?? null;
      if (q === null) return accounts;
      const rare = 1 - (config.quantiles[i]?.quantile ?? 0);
      return accounts.map((account, step) => {
        const margin = config.margins[step]?.latency ?? 0;
        // Of the slowest answers the times scatter too much: what counts is how many there are.
        const [ratio, more] = rare < 0.5 ? [config.tolerated, 2 * margin * rare] : [margin, 0];
        const values = { candidate: above(raised(q, ratio)), baseline: above(q) };
        return betOnMargin(account, strata, values, more, SLOWER_STAKES);
      });
    }),
  };
}

/** Share of a unit's answers above `threshold`; an answer of v ms took anything within half a tick of it. */
function shareAbove({ ms }: UnitValue, threshold: number, resolution: number): number {
  const above = (value: number) =>
    resolution <= 0
      ? Number(value > threshold)
      : Math.min(1, Math.max(0, (value + resolution / 2 - threshold) / resolution));
  return ms.reduce((sum, value) => sum + above(value), 0) / ms.length;
}

function addUnits(totals: Totals, units: readonly UnitValue[]): Totals {
  const latency = { ...totals.latency };
  let { requests, failed } = totals;
  for (const unit of units) {
    requests += unit.requests;
    failed += unit.failed;
    for (const value of unit.ms) {
      const bucket = String(bucketOf(Math.max(0.1, value)));
      latency[bucket] = (latency[bucket] ?? 0) + 1 / unit.ms.length;
    }
  }
  return { ...totals, units: totals.units + units.length, requests, failed, latency };
}

/** The quantile in ms; null where fewer than `beyond` units lie beyond it. */
export function quantileOf(
  latency: Readonly<Record<string, number>>,
  quantile: number,
  beyond = 0,
): number | null {
  const buckets = Object.entries(latency)
    .map(([bucket, count]) => [Number(bucket), count] as const)
    .sort((a, b) => a[0] - b[0]);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0 || total * Math.min(quantile, 1 - quantile) < beyond) return null;
  let seen = 0;
  for (const [bucket, count] of buckets) {
    seen += count;
    if (seen >= quantile * total) return upperEdge(bucket - 0.5);
  }
  return null;
}

export const quantileName = (quantile: number) => `latency p${Number((quantile * 100).toPrecision(6))}`;

export const UNIT_METRICS = {
  errors: 'errors (5xx)',
  refused: 'errors (4xx)',
  returning: 'visitors who leave',
  missing: 'missing visitors',
  slow: 'slow again and again',
} as const;

/**
 * Evidence of harm in each metric, most first. Where the candidate is no worse, any of them reaches ln(1/α)
 * with probability at most α (Ville's inequality, and a union over metrics by their weights: it holds though
 * they look at the data in different ways).
 */
export function harms({ config, accounts, slower }: UnitState): readonly Harm[] {
  const of = (metric: string, { peak }: Account, weight: number): Harm => ({
    metric,
    evidence: weight === 0 ? Number.NEGATIVE_INFINITY : peak + Math.log(weight),
  });
  const labels = (['errors', 'refused', 'returning', 'missing', 'slow'] as const).map((kind) =>
    of(UNIT_METRICS[kind], accounts[kind], config.weights[kind]),
  );
  const latency = config.quantiles.map(({ quantile, weight }, i) =>
    of(quantileName(quantile), slower[i] as Account, weight),
  );
  return [...labels, ...latency].sort((a, b) => b.evidence - a.evidence);
}

/** Whether any metric's evidence of harm suffices. */
export function isHarmful(state: UnitState): boolean {
  return (harms(state)[0]?.evidence ?? 0) >= -Math.log(state.config.alpha);
}

/** What is not yet excluded by the margins of a step; empty: it may be taken. */
export function missingFor(state: UnitState, step: number): readonly Missing[] {
  const { config, totals } = state;
  const threshold = -Math.log(config.promoteAlpha);
  const check = (metric: string, account: Account | undefined): Missing[] => {
    if (account === undefined || account.peak >= threshold) return [];
    const evidence = logMean(account.logs);
    const leader = Math.max(...account.logs);
    const units =
      leader <= 0 ? null : Math.ceil((totals.candidate.units * (threshold + 1 - leader)) / leader);
    return [{ metric, evidence, threshold, units: units === null ? null : Math.max(1, units) }];
  };
  return [
    ...check(UNIT_METRICS.errors, state.notFailing[step]),
    ...config.quantiles.flatMap(({ quantile, askedWithin }, i) =>
      (config.margins[step]?.latency ?? 0) <= askedWithin
        ? check(quantileName(quantile), state.notSlower[i]?.[step])
        : [],
    ),
  ];
}

/** Both sides fail so often that neither is a measure of the other. */
export function areBothBroken({ totals, config }: UnitState): boolean {
  const share = ({ failed, requests }: Totals) => (requests === 0 ? 0 : failed / requests);
  return Math.min(share(totals.baseline), share(totals.candidate)) >= config.brokenShare;
}
