/** The judge of units over seconds and blocks. */
import { describe, expect, test } from 'vitest';
import { seededUniform } from '../../../src/judge/random.ts';
import { defaultUnitConfig, marginsBefore } from '../../../src/judge/units/config.ts';
import {
  areBothBroken,
  createUnitJudge,
  harms,
  isHarmful,
  missingFor,
  observeUnits,
  UNIT_METRICS,
  type UnitState,
} from '../../../src/judge/units/state.ts';
import type { DealCounts, UnitBlock, UnitEvent, UnitValue } from '../../../src/judge/units/types.ts';

const config = { ...defaultUnitConfig, margins: [5, 25, 50, 100].map((percent) => marginsBefore(percent)) };
const none = { baseline: 0, candidate: 0 };

function second(at: number, chance: number, counts: Partial<Omit<DealCounts, 'chance'>>): UnitEvent {
  return {
    kind: 'second',
    at,
    deals: [{ chance, failed: none, refused: none, alone: none, returned: none, ...counts }],
  };
}

interface Sides {
  readonly chance?: number;
  readonly warm?: boolean;
  readonly size?: number;
  readonly slower?: number;
  readonly failing?: number;
  readonly bothFail?: number;
}

/** Blocks of units with latencies of 20 to 80 ms. */
function blocks(count: number, sides: Sides, from = 0): UnitBlock[] {
  const { chance = 0.5, warm = true, size = 60, slower = 1, failing = 0, bothFail = 0 } = sides;
  const random = seededUniform(7 + from);
  const unit = (factor: number, errors: number): UnitValue => {
    const ms = [0, 1, 2].map(() => (20 + 60 * random()) * factor);
    return { requests: 4, failed: random() < errors ? 4 : 0, ms };
  };
  return Array.from({ length: count }, (_, i): UnitBlock => {
    const candidates = Math.max(1, Math.round(size * chance));
    const dealt = { baseline: size - candidates, candidate: candidates };
    const baseline = Array.from({ length: dealt.baseline }, () => unit(1, bothFail));
    const candidate = Array.from({ length: dealt.candidate }, () => unit(slower, bothFail + failing));
    return {
      kind: 'block',
      at: 40 + 10 * (from + i),
      warm,
      strata: [{ chance, dealt, baseline, candidate }],
    };
  });
}

const judge = (events: readonly UnitEvent[], state: UnitState = createUnitJudge(config)) =>
  events.reduce(observeUnits, state);
const cleared = (state: UnitState) => config.margins.map((_, step) => missingFor(state, step).length === 0);

describe('harm', () => {
  const failed = (baseline: number, candidate: number) => ({ failed: { baseline, candidate } });
  test.each<[string, number, { baseline: number; candidate: number }, number, boolean]>([
    ['the first two visitors at 1 % fail', 0.01, { baseline: 0, candidate: 1 }, 2, true],
    ['one fails', 0.01, { baseline: 0, candidate: 1 }, 1, false],
    ['many fail within one second', 0.5, { baseline: 0, candidate: 50 }, 1, false],
    ['many fail in two', 0.5, { baseline: 0, candidate: 50 }, 2, true],
    ['both fail alike at 50 %', 0.5, { baseline: 20, candidate: 20 }, 60, false],
    ['both fail alike at 5 %', 0.05, { baseline: 19, candidate: 1 }, 60, false],
    ['both fail alike at 99 %', 0.99, { baseline: 1, candidate: 99 }, 60, false],
    ['the baseline fails', 0.5, { baseline: 20, candidate: 0 }, 60, false],
    ['three times as many fail at 5 %', 0.05, { baseline: 19, candidate: 3 }, 60, true],
  ])('%s', (_, chance, { baseline, candidate }, seconds, harmful) => {
    const events = Array.from({ length: seconds }, (__, at) =>
      second(at, chance, failed(baseline, candidate)),
    );
    expect(isHarmful(judge(events))).toBe(harmful);
  });

  test('visitors who do not come back are harm, also where no answer is wrong', () => {
    const events = Array.from({ length: 30 }, (_, at) =>
      second(at, 0.25, { alone: { baseline: 1, candidate: 2 }, returned: { baseline: 8, candidate: 1 } }),
    );
    expect(harms(judge(events))[0]?.metric).toBe(UNIT_METRICS.returning);
    expect(isHarmful(judge(events))).toBe(true);
  });

  test('a candidate whose visitors never get an answer is missing them', () => {
    const silent = Array.from({ length: 30 }, (_, i): UnitBlock => {
      const strata = [{ chance: 0.25, dealt: { baseline: 40, candidate: 0 }, baseline: [], candidate: [] }];
      return { kind: 'block', at: 40 + 10 * i, warm: true, strata };
    });
    expect(harms(judge(silent))[0]?.metric).toBe(UNIT_METRICS.missing);
    expect(isHarmful(judge(silent))).toBe(true);
  });

  test('a slow candidate is found, and one that is slow while it is cold is not', () => {
    expect(isHarmful(judge(blocks(60, { slower: 1.5 })))).toBe(true);
    expect(isHarmful(judge(blocks(60, { slower: 1.5, warm: false })))).toBe(false);
  });

  test('evidence stays, however well it goes afterwards', () => {
    const bad = judge([second(1, 0.01, failed(0, 1)), second(2, 0.01, failed(0, 1))]);
    const later = Array.from({ length: 100 }, (_, at) => second(3 + at, 0.01, failed(9, 0)));
    expect(isHarmful(judge(later, bad))).toBe(true);
  });

  test('a version against itself: at most one of a hundred, at any share', () => {
    const random = seededUniform(11);
    const alarms = Array.from({ length: 400 }, (_, run) => {
      const chance = [0.01, 0.05, 0.25, 0.5, 0.9][run % 5] as number;
      const counts = () => {
        const dealt = { baseline: 0, candidate: 0 };
        for (let i = 0; i < 3; i++) dealt[random() < chance ? 'candidate' : 'baseline'] += 1;
        return dealt;
      };
      const events = Array.from({ length: 200 }, (__, at) =>
        second(at, chance, { failed: counts(), alone: counts(), returned: counts() }),
      );
      return isHarmful(judge(events));
    });
    // With a chance of 1 %, nine of 400 or more come in one of forty series.
    expect(alarms.filter(Boolean).length).toBeLessThan(9);
  });
});

describe('steps', () => {
  test('few visitors exclude what a few could meet, many what all could', () => {
    expect(cleared(judge(blocks(2, {})))).toEqual([false, false, false, false]);
    expect(cleared(judge(blocks(12, {})))[0]).toBe(true);
    expect(cleared(judge(blocks(120, {})))).toEqual([true, true, true, true]);
  });

  test('at 5 % as well, from all of the baseline', () => {
    expect(cleared(judge(blocks(120, { chance: 0.05, size: 200 }))).slice(0, 2)).toEqual([true, true]);
  });

  test.each<[string, Sides]>([
    ['fails every twentieth visitor', { failing: 0.05 }],
    ['is slower by half', { slower: 1.5 }],
  ])('no last step for one that %s', (_, sides) => {
    expect(cleared(judge(blocks(120, sides))).at(-1)).toBe(false);
  });

  test('what is missing has a metric, and visitors once the evidence grows', () => {
    expect(missingFor(createUnitJudge(config), 0)).toEqual([
      expect.objectContaining({ metric: UNIT_METRICS.errors, units: null }),
      expect.objectContaining({ metric: 'latency p50', units: null }),
    ]);
    const [errors] = missingFor(judge(blocks(5, {})), 3);
    expect(errors?.metric).toBe(UNIT_METRICS.errors);
    expect(errors?.units).toBeGreaterThan(100);
    expect(errors?.units).toBeLessThan(5000);
  });

  test('where both fail, neither is a measure', () => {
    expect(areBothBroken(judge(blocks(5, { bothFail: 0.9 })))).toBe(true);
    expect(areBothBroken(judge(blocks(5, { failing: 0.9 })))).toBe(false);
  });
});

describe('its state', () => {
  test('is plain JSON: one that was read again goes on to the digit', () => {
    const [first, rest] = [blocks(20, { slower: 1.2 }), blocks(20, { slower: 1.2 }, 20)];
    const read = JSON.parse(JSON.stringify(judge(first))) as UnitState;
    expect(judge(rest, read)).toEqual(judge([...first, ...rest]));
  });

  test('does not grow with the traffic', () => {
    const random = seededUniform(3);
    const wide = (): UnitValue => ({
      requests: 3,
      failed: 0,
      ms: [10 ** (5 * random() - 1), 1e6 * random(), 0],
    });
    const many = Array.from({ length: 400 }, (_, i): UnitBlock => {
      const values = () => Array.from({ length: 20 }, wide);
      const strata = [
        { chance: 0.5, dealt: { baseline: 20, candidate: 20 }, baseline: values(), candidate: values() },
      ];
      return { kind: 'block', at: 10 * i, warm: true, strata };
    });
    const [half, whole] = [200, 400].map((count) => JSON.stringify(judge(many.slice(0, count))).length);
    expect(whole).toBeLessThan(60_000);
    expect(whole).toBeLessThan(1.3 * (half ?? 0));
  });
});
