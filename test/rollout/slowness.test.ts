/** Who waits grossly long, again and again, and what that is worth. */
import { describe, expect, test } from 'vitest';
import { betOnSlowness, slowAccount } from '../../src/judge/units/labels.ts';
import { harms } from '../../src/judge/units/state.ts';
import type { UnitEvent } from '../../src/judge/units/types.ts';
import { Episodes, type UnitRequest } from '../../src/rollout/episodes.ts';
import { beginState, next, revivedState, rulesOf } from '../../src/rollout/next.ts';

const name = (index: number) => (Math.imul(index + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');

/** Visitors of each second ask once, and some seconds later again; `ms` of an answer by side and second. */
function slowCounts(ms: (side: UnitRequest['side'], second: number) => number, later: number): number[] {
  const episodes = new Episodes('visitor', 50);
  const events: UnitEvent[] = [];
  for (let second = 0; second < 60; second++) {
    for (let of = 0; of < 10; of++) {
      const side = of < 5 ? 'candidate' : 'baseline';
      const plain = { side, status: 200, upstreamStatus: '200', milliseconds: ms(side, second) } as const;
      const before = second - later;
      if (before >= 0) episodes.take({ ...plain, unit: name(before * 10 + of), how: 'known' });
      episodes.take({ ...plain, unit: name(second * 10 + of), how: 'new' });
    }
    events.push(...episodes.until(second + 1));
  }
  const deals = events.flatMap((event) => (event.kind === 'second' ? event.deals : []));
  const sum = (side: 'baseline' | 'candidate') =>
    deals.reduce((total, { slow }) => total + (slow?.[0]?.[side] ?? 0), 0);
  return [sum('baseline'), sum('candidate')];
}

describe('a visitor counts as slow', () => {
  test('with two answers of ten times the usual, some seconds apart, once the version is warm', () => {
    const [baseline, candidate = 0] = slowCounts((side) => (side === 'candidate' ? 300 : 30), 6);
    expect(baseline).toBe(0);
    expect(candidate).toBeGreaterThan(150);
  });

  test('not while its version is as slow as one that has just begun, but with more than that', () => {
    const cold = (times: number) => {
      let answers = 0;
      return (side: string, second: number) => {
        const usual = second % 3 === 0 ? 60 : 30;
        return side === 'candidate' ? usual * (1 + (times - 1) * Math.exp(-answers++ / 50)) : usual;
      };
    };
    expect(slowCounts(cold(5), 6)).toEqual([0, 0]);
    expect(slowCounts(cold(200), 6)[1]).toBeGreaterThan(0);
  });

  test('not with answers that one stand of the process explains', () => {
    const stands = (side: string, second: number) => (side === 'candidate' && second % 20 < 4 ? 3000 : 30);
    expect(slowCounts(stands, 2)).toEqual([0, 0]);
  });

  test('not where everybody waits that long, nor for a few milliseconds', () => {
    expect(slowCounts(() => 300, 6)).toEqual([0, 0]);
    expect(slowCounts((side) => (side === 'candidate' ? 9 : 1), 6)).toEqual([0, 0]);
  });
});

describe('a bet on who is slow', () => {
  const none = { baseline: 0, candidate: 0 };
  const deal = (chance: number, counts: typeof none) => [{ chance, slow: [counts, counts] }];

  test.each([0.01, 0.05, 0.5])('wins nothing on average at a share of %f', (chance) => {
    const wealth = (counts: typeof none) => {
      const { logs } = betOnSlowness(slowAccount(), deal(chance, counts));
      return logs.reduce((sum, log) => sum + Math.exp(log), 0) / logs.length;
    };
    const mean = chance * wealth({ ...none, candidate: 1 }) + (1 - chance) * wealth({ ...none, baseline: 1 });
    expect(mean).toBeLessThanOrEqual(1 + 1e-9);
    expect(mean).toBeGreaterThan(0.5);
  });

  test('takes back a version whose visitors alone wait', () => {
    const plan = { steps: [5, 50], alpha: 0.01, atMost: 60, otherwise: 'hold' } as const;
    const events = [1, 2, 3, 4].map((at): UnitEvent => {
      const counts = { failed: none, refused: none, alone: none, returned: none };
      return {
        kind: 'second',
        at,
        deals: [{ ...counts, ...deal(0.05, { ...none, candidate: 1 })[0], chance: 0.05 }],
      };
    });
    const seen = { seconds: 1, events, unwell: { baseline: null, candidate: null }, word: null };
    const { act } = next(plan, beginState(plan), seen);
    expect(act).toMatchObject({ kind: 'taken back', reason: { metric: 'slow again and again' } });
  });
});

test('a rollout that an earlier version began goes on by its own rules', () => {
  const state = beginState({ steps: [5], alpha: 0.01 }, 1);
  const { slow: _, ...accounts } = state.judge.accounts;
  const { slow: __, ...weights } = state.judge.config.weights;
  const kept = { ...state, judge: { ...state.judge, accounts, config: { ...state.judge.config, weights } } };
  const revived = revivedState(JSON.parse(JSON.stringify(kept)));
  expect(revived).toEqual(state);
  expect(rulesOf(revived)).toBe(1);
  expect(harms(revived.judge).find(({ metric }) => metric === 'slow again and again')?.evidence).toBe(
    Number.NEGATIVE_INFINITY,
  );
  const today = beginState({ steps: [5], alpha: 0.01 });
  expect(revivedState(today)).toBe(today);
  expect(rulesOf(today)).toBe(2);
});
