/**
 * Bets on the sides of deals to which something happened: they failed, or never came back.
 *
 * Were the candidate no worse, a deal that fails would be the candidate's with the chance of its deal at
 * most, whoever the visitor is, whatever others do, however the load wanders: the side was drawn, and nothing
 * else was. So for any odds ratio ρ > 1 the ratio of likelihoods "the odds are ρ times those of the deal" has
 * expectation at most 1. One in a hundred units that fails at a share of 1 % is worth up to 100 to 1: nothing
 * of the baseline is thrown away. (Betting on assignments: Duan, Ramdas & Wasserman, arXiv:2206.09107.)
 *
 * Rests on: sides are drawn independently by the stated chance, and a deal counts once. A failure may come as
 * late as it likes: until then the deal's side was not used here. Two assumptions are approximate. When steps
 * are taken tells little about sides that were not used yet. And where most units fail at some time, the
 * first failures of a worse baseline leave more of the candidate's units to fail later. A process that fails
 * for a moment though its version is no worse would break the independence, so no second gains more than
 * `MOST`.
 */
import type { PerSide } from '../types.ts';
import { type Account, afterGains, newAccount } from './accounts.ts';
import { SLOW_LIMITS } from './config.ts';

/** Odds ratios that gamblers bet on. */
const ODDS = [1.3, 2, 4, 20, 200];
/** The same for whether a visitor returns, which is never so one-sided: more leave, and fewer return. */
const LEAVING = [
  { leave: 1.15, stay: 0.87 },
  { leave: 1.4, stay: 0.7 },
  { leave: 2, stay: 0.5 },
  { leave: 6, stay: 0.2 },
];
/** Largest log gain of one second: an alarm takes at least two. */
const MOST = 3.6;

export const eventAccount = (): Account => newAccount(ODDS.length);
export const slowAccount = (): Account => newAccount(ODDS.length * SLOW_LIMITS.length);
export const leavingAccount = (): Account => newAccount(LEAVING.length);

interface Counted {
  readonly chance: number;
  readonly counts: PerSide<number>;
}

/** After events that would be harm: does the candidate have more of them than it was dealt? */
export function betOnEvents(account: Account, strata: readonly Counted[]): Account {
  if (strata.every(({ counts }) => counts.baseline + counts.candidate === 0)) return account;
  const gain = (gambler: number) =>
    strata.reduce((sum, { chance, counts }) => sum + logRatio(chance, ODDS[gambler] as number, counts), 0);
  return afterGains(account, gain, MOST);
}

/**
 * After visitors waited grossly long again and again, by each limit: as `betOnEvents`, with gamblers of their
 * own for each limit, who share the stake.
 */
export function betOnSlowness(
  account: Account,
  deals: readonly { readonly chance: number; readonly slow?: readonly PerSide<number>[] }[],
): Account {
  const by = SLOW_LIMITS.map((_, limit) =>
    deals.flatMap(({ chance, slow }) => {
      const counts = slow?.[limit];
      return counts === undefined ? [] : [{ chance, counts }];
    }),
  );
  const gain = (gambler: number) => {
    const odds = ODDS[gambler % ODDS.length] as number;
    const counted = by[Math.floor(gambler / ODDS.length)] ?? [];
    return counted.reduce((sum, { chance, counts }) => sum + logRatio(chance, odds, counts), 0);
  };
  return afterGains(account, gain, MOST);
}

/** After episodes: do more of the candidate's units end with their first request? */
export function betOnLeaving(
  account: Account,
  strata: readonly {
    readonly chance: number;
    readonly alone: PerSide<number>;
    readonly returned: PerSide<number>;
  }[],
): Account {
  const gain = (gambler: number) => {
    const { leave, stay } = LEAVING[gambler] as (typeof LEAVING)[number];
    return strata.reduce(
      (sum, { chance, alone, returned }) =>
        sum + logRatio(chance, leave, alone) + logRatio(chance, stay, returned),
      0,
    );
  };
  return afterGains(account, gain, MOST);
}

/** Log likelihood ratio of labels: odds times `odds`, against the odds of the deal. */
function logRatio(chance: number, odds: number, { baseline, candidate }: PerSide<number>): number {
  const total = odds * chance + 1 - chance;
  return candidate * Math.log(odds / total) - baseline * Math.log(total);
}

/** Odds ratios of being answered in time: fewer of the candidate's units are than were dealt to it. */
const ABSENT = [0.7, 0.4, 0.1];
export const absentAccount = (): Account => newAccount(ABSENT.length);

/**
 * After a stretch of time: is the candidate missing units? It answers nothing, or the deal is not what is
 * stated. Units count by when they asked, so a pause of one side changes nothing.
 */
export function betOnAbsence(account: Account, strata: readonly Counted[]): Account {
  const gain = (gambler: number) =>
    strata.reduce((sum, { chance, counts }) => sum + logRatio(chance, ABSENT[gambler] as number, counts), 0);
  return afterGains(account, gain, MOST);
}
