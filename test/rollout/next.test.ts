/** What a rollout does next. */
import { describe, expect, test } from 'vitest';
import type { UnitEvent } from '../../src/judge/units/types.ts';
import {
  type Act,
  beginState,
  next,
  type Observation,
  type RolloutPlan,
  waitsFor,
} from '../../src/rollout/next.ts';

const PLAN: RolloutPlan = { steps: [1, 5, 25, 50, 100], alpha: 0.01, atMost: 100, otherwise: 'hold' };
const WELL = { baseline: null, candidate: null };
const CALM: Observation = { seconds: 1, events: [], unwell: WELL, word: null };
const BY = 'ada';

const none = { baseline: 0, candidate: 0 };
const failure = (at: number): UnitEvent => ({
  kind: 'second',
  at,
  deals: [
    { chance: 0.01, failed: { baseline: 0, candidate: 1 }, refused: none, alone: none, returned: none },
  ],
});
/** As good as each other; the baseline is known after the first. */
const good = (at: number, failed = 0, size = 100): UnitEvent => {
  const values = Array.from({ length: size }, (_, i) => ({ requests: 1, failed, ms: [20 + (i % 50)] }));
  const dealt = { baseline: size, candidate: size };
  return {
    kind: 'block',
    at,
    warm: true,
    strata: [{ chance: 0.5, dealt, baseline: values, candidate: values }],
  };
};
const goods = (count: number, failed = 0, size = 100) =>
  Array.from({ length: count }, (_, i) => good(40 + 10 * i, failed, size));
const say = (word: NonNullable<Observation['word']>['word']): Partial<Observation> => ({
  word: { word, by: BY },
});

/** What it did, look by look. */
function acts(looks: readonly Partial<Observation>[], plan: Partial<RolloutPlan> = {}): (Act | null)[] {
  const whole = { ...PLAN, ...plan };
  let state = beginState(whole);
  return looks.map((look) => {
    const after = next(whole, state, { ...CALM, ...look });
    state = JSON.parse(JSON.stringify(after.state));
    return after.act;
  });
}
const last = (looks: readonly Partial<Observation>[], plan: Partial<RolloutPlan> = {}) =>
  acts(looks, plan).at(-1);
const times = (count: number, look: Partial<Observation> = {}) => Array.from({ length: count }, () => look);
const enough = { events: goods(100) };

describe('evidence', () => {
  test('nothing seen: nothing done', () => {
    expect(acts(times(3))).toEqual([null, null, null]);
  });

  test('one step a look, each for its own evidence, then everybody', () => {
    const evidence = { kind: 'evidence' };
    expect(acts([enough, ...times(4)])).toEqual([
      { kind: 'step', percent: 5, reason: evidence },
      { kind: 'step', percent: 25, reason: evidence },
      { kind: 'step', percent: 50, reason: evidence },
      { kind: 'promoted', percent: 100, reason: evidence },
      null,
    ]);
  });

  test('a few visitors suffice for a few more', () => {
    expect(acts([{ events: goods(14, 0, 6) }, {}]).map((act) => act?.percent)).toEqual([5, undefined]);
  });

  test('steps that do not end at 100 % are followed by everybody', () => {
    expect(acts([enough, {}], { steps: [10, 50] }).map((act) => act?.percent)).toEqual([50, 100]);
  });

  test('harm takes it back, and says which', () => {
    expect(last([{ events: [failure(1)] }, { events: [failure(2)] }])).toEqual({
      kind: 'taken back',
      percent: 0,
      reason: { kind: 'harm', metric: 'errors (5xx)', odds: expect.any(Number) },
    });
  });

  test('harm goes before a step that the same look would allow', () => {
    expect(last([{ events: [...goods(100), failure(1), failure(2)] }])?.kind).toBe('taken back');
  });

  test('it waits for errors and latency, with how many visitors', () => {
    const { state } = next(PLAN, beginState(PLAN), { ...CALM, events: goods(2) });
    expect(waitsFor(state).map(({ metric }) => metric)).toContain('errors (5xx)');
  });
});

describe('processes', () => {
  const dead = 'its process ended 4 times by itself';

  test('a candidate that is not well goes back at once, also while it is paused or held', () => {
    const unwell = { unwell: { baseline: null, candidate: dead } };
    const expected = { kind: 'taken back', percent: 0, reason: { kind: 'unwell', said: dead } };
    expect(last([unwell])).toEqual(expected);
    expect(last([say('pause'), unwell])).toEqual(expected);
    expect(last([...times(100), unwell])).toEqual(expected);
  });

  test('where the baseline is not well, nothing is decided by comparing with it', () => {
    expect(last([{ ...enough, unwell: { baseline: dead, candidate: null } }])).toBeNull();
    expect(last([{ ...enough, unwell: { baseline: dead, candidate: null } }, {}])?.kind).toBe('step');
  });

  test('where both are not well, the candidate is not to blame', () => {
    expect(last([{ unwell: { baseline: dead, candidate: dead } }])).toBeNull();
  });

  test('both answer with errors alone: no step', () => {
    expect(last([{ events: goods(100, 1) }])).toBeNull();
  });
});

describe('time', () => {
  const late = { kind: 'time' } as const;
  test.each<[RolloutPlan['otherwise'], Act]>([
    ['hold', { kind: 'held', percent: 1, reason: late }],
    ['promote', { kind: 'promoted', percent: 100, reason: late }],
    ['take back', { kind: 'taken back', percent: 0, reason: late }],
  ])('nothing is decided in time: %s', (otherwise, act) => {
    const all = acts(times(100), { otherwise });
    expect(all.slice(0, 99).every((one) => one === null)).toBe(true);
    expect(all[99]).toEqual(act);
  });

  test('a clock that jumps costs a look, not the rollout', () => {
    expect(acts([{ seconds: 86_400 }, { seconds: -86_400 }, ...times(89)]).every((one) => one === null)).toBe(
      true,
    );
    expect(last([{ seconds: 86_400 }, ...times(90)])?.kind).toBe('held');
  });

  test('a pause does not count', () => {
    expect(last([...times(60), say('pause'), ...times(500)])).toBeNull();
  });

  test('one that is held neither steps nor ends, and can be resumed with all of its time', () => {
    const all = acts([...times(100), enough, ...times(200), say('resume'), {}], { atMost: 100 });
    expect(all[100]).toBeNull();
    expect(all.slice(101, 301).every((one) => one === null)).toBe(true);
    expect(all.slice(301).map((one) => one?.kind)).toEqual(['resumed', 'step']);
  });
});

describe('words', () => {
  const word = { kind: 'word', by: BY } as const;

  test.each<[string, Partial<Observation>[], Act | null]>([
    ['promote', [say('promote')], { kind: 'promoted', percent: 100, reason: word }],
    ['abort', [say('abort')], { kind: 'taken back', percent: 0, reason: word }],
    ['pause', [say('pause')], { kind: 'paused', percent: 1, reason: word }],
    ['pause what is held', [...times(100), say('pause')], { kind: 'paused', percent: 1, reason: word }],
    ['pause twice', [say('pause'), say('pause')], null],
    ['resume what runs', [say('resume')], null],
    ['resume', [say('pause'), say('resume')], { kind: 'resumed', percent: 1, reason: word }],
    ['no step while paused', [say('pause'), enough], null],
    [
      'a step after it is resumed',
      [say('pause'), enough, say('resume'), {}],
      {
        kind: 'step',
        percent: 5,
        reason: { kind: 'evidence' },
      },
    ],
    [
      'promote while paused',
      [say('pause'), say('promote')],
      { kind: 'promoted', percent: 100, reason: word },
    ],
    ['nothing after the end', [say('abort'), say('promote')], null],
    ['pause keeps the share', [enough, say('pause')], { kind: 'paused', percent: 5, reason: word }],
  ])('%s', (_, looks, act) => {
    expect(last(looks)).toEqual(act);
  });

  test('harm while paused takes it back', () => {
    expect(last([say('pause'), { events: [failure(1), failure(2)] }])?.kind).toBe('taken back');
  });

  test('a pause that comes with harm takes it back', () => {
    expect(last([{ ...say('pause'), events: [failure(1), failure(2)] }])?.kind).toBe('taken back');
  });
});
