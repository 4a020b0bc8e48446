/**
 * What makes the guarantee: where the candidate is no worse, no bet is expected to grow, over all outcomes.
 */
import { describe, expect, test } from 'vitest';
import {
  betOnDifference,
  betOnMargin,
  differenceAccount,
  FAILING_STAKES,
  marginAccount,
  SLOWER_STAKES,
  type ValueOf,
} from '../../../src/judge/units/differences.ts';
import {
  absentAccount,
  betOnAbsence,
  betOnEvents,
  betOnLeaving,
  eventAccount,
  leavingAccount,
} from '../../../src/judge/units/labels.ts';
import type { UnitStratum, UnitValue } from '../../../src/judge/units/types.ts';

const CHANCES = [0.01, 0.05, 0.5, 0.9, 0.99];
const none = { baseline: 0, candidate: 0 };
const one = { baseline: { baseline: 1, candidate: 0 }, candidate: { baseline: 0, candidate: 1 } };

/** A unit, of which a share of `failed` in a hundred requests failed. */
const unit = (failed: number): UnitValue => ({ requests: 100, failed, ms: [] });
const failing: ValueOf = ({ requests, failed }) => failed / requests;
const same = { candidate: failing, baseline: failing };

function stratum(baseline: readonly UnitValue[], candidate: readonly UnitValue[]): UnitStratum {
  return {
    chance: 0.5,
    dealt: { baseline: baseline.length, candidate: candidate.length },
    baseline,
    candidate,
  };
}

function orders<T>(values: readonly T[]): T[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((value, i) => orders(values.toSpliced(i, 1)).map((rest) => [value, ...rest]));
}

/** Mean over all outcomes of what each gambler's wealth is multiplied by. */
function meanFactors(
  outcomes: readonly { readonly chance: number; readonly logs: readonly number[] }[],
): number[] {
  const [first] = outcomes;
  return (first?.logs ?? []).map((_, gambler) =>
    outcomes.reduce((sum, { chance, logs }) => sum + chance * Math.exp(logs[gambler] ?? Number.NaN), 0),
  );
}

describe('bets on sides', () => {
  test.each(CHANCES)(
    'a failure is the candidate’s with the chance %f of its deal: nothing is gained',
    (chance) => {
      const bet = (side: 'baseline' | 'candidate') =>
        betOnEvents(eventAccount(), [{ chance, counts: one[side] }]).logs;
      const factors = meanFactors([
        { chance, logs: bet('candidate') },
        { chance: 1 - chance, logs: bet('baseline') },
      ]);
      for (const factor of factors) expect(factor).toBeLessThan(1 + 1e-12);
    },
  );

  test.each(CHANCES)('leaving, staying and missing gain nothing either at a chance of %f', (chance) => {
    const bets = [
      (side: 'baseline' | 'candidate') =>
        betOnLeaving(leavingAccount(), [{ chance, alone: one[side], returned: none }]),
      (side: 'baseline' | 'candidate') =>
        betOnLeaving(leavingAccount(), [{ chance, alone: none, returned: one[side] }]),
      (side: 'baseline' | 'candidate') => betOnAbsence(absentAccount(), [{ chance, counts: one[side] }]),
    ];
    for (const bet of bets) {
      const factors = meanFactors([
        { chance, logs: bet('candidate').logs },
        { chance: 1 - chance, logs: bet('baseline').logs },
      ]);
      for (const factor of factors) expect(factor).toBeLessThan(1 + 1e-12);
    }
  });

  test('one second never suffices for an alarm, however many fail; two visitors at 1 % do', () => {
    const fail = (account = eventAccount(), candidate = 1) =>
      betOnEvents(account, [{ chance: 0.01, counts: { baseline: 0, candidate } }]);
    const alarm = Math.log(100 / 0.45);
    expect(fail(eventAccount(), 500).peak).toBeLessThan(alarm);
    expect(fail(fail()).peak).toBeGreaterThan(alarm);
  });

  test('failures of the baseline take evidence away, its highest stays', () => {
    const up = betOnEvents(eventAccount(), [{ chance: 0.5, counts: { baseline: 0, candidate: 3 } }]);
    const down = betOnEvents(up, [{ chance: 0.5, counts: { baseline: 5, candidate: 0 } }]);
    expect(Math.max(...down.logs)).toBeLessThan(Math.max(...up.logs));
    expect(down.peak).toBe(up.peak);
  });
});

describe('bets on differences', () => {
  const values = [0, 100, 0, 40, 100];

  test.each([1, 2, 3, 4].flatMap((candidates) => [1, 10].map((parts) => [candidates, parts] as const)))(
    '%i of five exchangeable units with the candidate, in %i parts: nothing is gained',
    (candidates, parts) => {
      const all = orders(values.map(unit)).map((order) => [
        stratum(order.slice(candidates), order.slice(0, candidates)),
      ]);
      // The scale of the second bet comes from the first one.
      const before = betOnDifference(differenceAccount(), [stratum([unit(30)], [unit(50)])], same);
      for (const account of [differenceAccount(), before]) {
        const outcomes = all.map((strata) => {
          const { logs } = betOnDifference(account, strata, same, parts);
          return { chance: 1 / all.length, logs: logs.map((log, i) => log - (account.logs[i] ?? 0)) };
        });
        for (const factor of meanFactors(outcomes)) expect(factor).toBeLessThan(1 + 1e-9);
      }
    },
  );

  test('a side that has more is compared whole, not a part of it', () => {
    const before = betOnDifference(differenceAccount(), [stratum([unit(30)], [unit(50)])], same);
    const baseline = [100, 0, 0, 0, 0, 0].map(unit);
    const gained = (parts: number) => {
      const { logs } = betOnDifference(before, [stratum(baseline, [unit(100)])], same, parts);
      return Math.max(...logs.map((log, i) => log - (before.logs[i] ?? 0)));
    };
    // The first part has the one slow unit of the baseline: alone it says that both are alike.
    expect(gained(10)).toBeGreaterThan(gained(1));
  });

  test('strata with one side alone tell nothing', () => {
    const account = differenceAccount();
    expect(betOnDifference(account, [stratum([unit(0)], [])], same)).toBe(account);
    const margin = marginAccount(FAILING_STAKES);
    expect(betOnMargin(margin, [stratum([], [unit(0)])], same, 0.1, FAILING_STAKES)).toBe(margin);
  });

  test.each([0.01, 0.1, 0.2])('a candidate that is worse by the margin %f is not cleared by it', (margin) => {
    // Each unit fails wholly or not at all: the baseline with q, the candidate with q + margin.
    const q = 0.3;
    const stakes = [...FAILING_STAKES, ...SLOWER_STAKES];
    const outcomes = [0, 1].flatMap((candidate) =>
      [0, 1].map((baseline) => {
        const chance = (candidate === 1 ? q + margin : 1 - q - margin) * (baseline === 1 ? q : 1 - q);
        const strata = [stratum([unit(100 * baseline)], [unit(100 * candidate)])];
        return { chance, logs: betOnMargin(marginAccount(stakes), strata, same, margin, stakes).logs };
      }),
    );
    for (const factor of meanFactors(outcomes)) expect(factor).toBeLessThan(1 + 1e-12);
  });

  test('a block clears nothing by itself, however large', () => {
    const many = Array.from({ length: 300 }, () => unit(0));
    const none = marginAccount(FAILING_STAKES);
    const account = betOnMargin(none, [stratum(many, many)], same, 0.2, FAILING_STAKES);
    expect(account.peak).toBeLessThanOrEqual(1);
    expect(account.peak).toBeGreaterThan(0.5);
  });
});
