/**
 * Bets on differences between the sides of one block: episodes of deals that began in one stretch of time.
 *
 * D = share of the candidate − share of the baseline, each a mean over units. Within a block, and given how
 * many units each side has, E[D] ≤ 0 where the candidate is no worse: units were dealt by chance, so it holds
 * for any two sizes, under any load that both share, and though units of one side influence each other (a
 * pause of one process): only the mean is used. D lies in [−1, 1], so 1 + λD with 0 < λ < 1 never falls below
 * 0 and has expectation at most 1. Half of the gamblers bet so; the others on as many units of either side,
 * which a swap of the sides leaves alike (symmetric.ts): that grows faster where blocks are large. Of a side
 * that has more, several such parts are taken, and each gets an equal part of the stake: the mean of what
 * they gain has expectation at most 1 as well, and nothing is thrown away.
 *
 * Rests on: which block a unit is in depends on when its deal began, never on how it went; both processes
 * pause alike. λ is fixed; the scale of the symmetric bets is read from earlier blocks.
 */
import { STEEPNESS, symmetricGain } from '../sequential/symmetric.ts';
import { type Account, afterGains, logMean, newAccount } from './accounts.ts';
import type { UnitStratum, UnitValue } from './types.ts';

/** Shares of the wealth that are at stake. */
const STAKES = [0.15, 0.4, 0.7, 0.95];
/** Stakes against "fails more often by the margin": what did not fail is worth nearly all of it. */
export const FAILING_STAKES = [0.4, 0.95];
/** Stakes against "slower by the margin". */
export const SLOWER_STAKES = [0.15, 0.4, 0.9];
/** Largest log gain of one block towards a step: it takes at least three blocks. */
const MOST_FROM_A_BLOCK = 1;

export interface DifferenceAccount extends Account {
  /** Sum of |D| of equal sides, and blocks, for the scale of the next bet. */
  readonly sum: number;
  readonly blocks: number;
}

export const differenceAccount = (): DifferenceAccount => ({
  ...newAccount(STAKES.length + STEEPNESS.length),
  sum: 0,
  blocks: 0,
});

export type ValueOf = (unit: UnitValue) => number;

/** After a block; positive differences speak for the claim. */
export function betOnDifference(
  account: DifferenceAccount,
  strata: readonly UnitStratum[],
  values: { readonly candidate: ValueOf; readonly baseline: ValueOf },
  parts = 1,
): DifferenceAccount {
  const compared = strata.filter(hasBoth);
  if (compared.length === 0) return account;
  const whole = weightedDifference(compared, values);
  const equal = Array.from({ length: partsOf(compared, parts) }, (_, part) =>
    weightedDifference(
      compared.map((stratum) => equalParts(stratum, part)),
      values,
    ),
  );
  // Before any difference was seen there is no scale: bet on the sign.
  const scaled = equal.map((difference) =>
    account.sum === 0 ? Math.sign(difference) : (difference * account.blocks) / account.sum,
  );
  const gain = (gambler: number) =>
    gambler < STAKES.length
      ? Math.log1p((STAKES[gambler] as number) * whole)
      : logMean(scaled.map((one) => symmetricGain(one, STEEPNESS[gambler - STAKES.length] as number)));
  return {
    ...afterGains(account, gain, Number.POSITIVE_INFINITY),
    sum: account.sum + equal.reduce((sum, difference) => sum + Math.abs(difference), 0) / equal.length,
    blocks: account.blocks + 1,
  };
}

export const marginAccount = (stakes: readonly number[]): Account => newAccount(stakes.length);

/**
 * After a block, on the way to "not worse by `margin`": groups of units, each with one of the rarer side.
 * Under "worse by the margin" the D of each group has mean ≥ margin, so 1 + λ(margin − D) has expectation at
 * most 1. Where the margin lies in the values themselves (a raised threshold of the candidate's), it is 0
 * here. Takes units as independent; hence the limit of what a block may gain.
 */
export function betOnMargin(
  account: Account,
  strata: readonly UnitStratum[],
  values: { readonly candidate: ValueOf; readonly baseline: ValueOf },
  margin: number,
  stakes: readonly number[],
): Account {
  const groups = strata.filter(hasBoth).flatMap((stratum) => groupDifferences(stratum, values));
  if (groups.length === 0) return account;
  const gain = (gambler: number) => {
    const stake = (stakes[gambler] as number) / (1 - margin);
    return groups.reduce((sum, difference) => sum + Math.log1p(stake * (margin - difference)), 0);
  };
  return afterGains(account, gain, MOST_FROM_A_BLOCK);
}

export const hasBoth = ({ baseline, candidate }: UnitStratum) => baseline.length > 0 && candidate.length > 0;

function mean(units: readonly UnitValue[], value: ValueOf): number {
  return units.reduce((sum, unit) => sum + value(unit), 0) / units.length;
}

/** Mean of the strata's differences, weighted by how much each can tell; weights depend on counts alone. */
function weightedDifference(
  strata: readonly UnitStratum[],
  values: { readonly candidate: ValueOf; readonly baseline: ValueOf },
): number {
  let sum = 0;
  let total = 0;
  for (const { baseline, candidate } of strata) {
    const weight = (baseline.length * candidate.length) / (baseline.length + candidate.length);
    sum += weight * (mean(candidate, values.candidate) - mean(baseline, values.baseline));
    total += weight;
  }
  return sum / total;
}

/** How many parts the strata give, at most `most`: as many as the one that gives most. */
function partsOf(strata: readonly UnitStratum[], most: number): number {
  return Math.min(most, Math.max(...strata.map(ratioOf)));
}

function ratioOf({ baseline, candidate }: UnitStratum): number {
  const [less = 1, more = 1] = [baseline.length, candidate.length].sort((a, b) => a - b);
  return Math.floor(more / less);
}

/**
 * As many units of either side, the next ones for each part, and the first ones again where there are no
 * more; units come in an order that has to do with nothing.
 */
function equalParts(stratum: UnitStratum, part: number): UnitStratum {
  const size = Math.min(stratum.baseline.length, stratum.candidate.length);
  const from = (part % ratioOf(stratum)) * size;
  const of = (units: readonly UnitValue[]) =>
    units.length < from + size ? units : units.slice(from, from + size);
  return { ...stratum, baseline: of(stratum.baseline), candidate: of(stratum.candidate) };
}

function groupDifferences(
  { baseline, candidate }: UnitStratum,
  values: { readonly candidate: ValueOf; readonly baseline: ValueOf },
): number[] {
  const groups = Math.min(baseline.length, candidate.length);
  const part = (units: readonly UnitValue[], group: number) =>
    units.slice(
      Math.floor((group * units.length) / groups),
      Math.floor(((group + 1) * units.length) / groups),
    );
  return Array.from(
    { length: groups },
    (_, group) =>
      mean(part(candidate, group), values.candidate) - mean(part(baseline, group), values.baseline),
  );
}
