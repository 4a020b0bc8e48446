/** What a rollout does next. */
import { describe, expect, it } from 'vitest';
import type { RolloutPhase, RolloutWord } from '../../src/contract/rollout.ts';
import type { UnitEvent, UnitValue } from '../../src/judge/units/types.ts';
import {
  beginState,
  next,
  type Observation,
  type RolloutPlan,
  type RolloutState,
  waitsFor,
} from '../../src/rollout/next.ts';

const PLAN: RolloutPlan = { steps: [5, 50, 100], alpha: 0.01, atMost: 600, otherwise: 'hold' };
const QUIET: Observation = {
  seconds: 1,
  events: [],
  unwell: { baseline: null, candidate: null },
  word: null,
};
const NONE = { baseline: 0, candidate: 0 };

function unit(ms: number): UnitValue {
  return { requests: 2, failed: 0, ms: [ms, ms] };
}

/** A stretch of time in which both sides did the same. */
function calm(at: number, share: number): UnitEvent {
  const units = (count: number) => Array.from({ length: count }, (_, index) => unit(20 + (index % 10)));
  const dealt = { baseline: 100 - share, candidate: share };
  const strata = [{ chance: share / 100, dealt, baseline: units(100 - share), candidate: units(share) }];
  return { kind: 'block', at, warm: true, strata };
}

function failing(at: number, candidate: number): UnitEvent {
  const deal = { chance: 0.05, refused: NONE, alone: NONE, returned: NONE };
  return { kind: 'second', at, deals: [{ ...deal, failed: { baseline: 0, candidate } }] };
}

function stateAfter(events: readonly UnitEvent[], from: RolloutState = beginState(PLAN)): RolloutState {
  return next({ ...PLAN, steps: [5, 50, 100] }, from, { ...QUIET, events }).state;
}

describe('a rollout', () => {
  it('waits for evidence, says for which, and then takes its step', () => {
    let state = beginState(PLAN);
    expect(waitsFor(state).map(({ metric }) => metric)).toContain('latency p50');
    const acts: string[] = [];
    for (let at = 1; at < 590 && state.phase === 'running'; at++) {
      const events = at % 10 === 0 ? [calm(at, PLAN.steps[state.step] ?? 0)] : [];
      const done = next(PLAN, state, { ...QUIET, events });
      state = done.state;
      if (done.act !== null) acts.push(`${done.act.kind} ${done.act.percent} ${done.act.reason.kind}`);
    }
    expect(acts).toEqual(['step 50 evidence', 'promoted 100 evidence']);
    expect(state.phase).toBe('promoted');
  });

  it('goes back where visitors fail, and not for a single one', () => {
    const one = next(PLAN, beginState(PLAN), { ...QUIET, events: [failing(1, 1)] });
    expect(one.act).toBeNull();
    const more = next(PLAN, one.state, { ...QUIET, events: [failing(2, 2), failing(3, 2)] });
    expect(more.act).toMatchObject({
      kind: 'taken back',
      percent: 0,
      reason: { kind: 'harm', metric: 'errors (5xx)' },
    });
    expect(more.act?.reason.kind === 'harm' && more.act.reason.odds).toBeGreaterThan(100);
  });

  it('goes back where the new version is not well, even in a pause; not where the old one is not', () => {
    const unwell = { baseline: null, candidate: 'GET / → 500' };
    const paused: RolloutState = { ...beginState(PLAN), phase: 'paused' };
    for (const state of [beginState(PLAN), paused]) {
      expect(next(PLAN, state, { ...QUIET, unwell }).act).toMatchObject({
        kind: 'taken back',
        reason: { kind: 'unwell', said: 'GET / → 500' },
      });
    }
    let state = beginState(PLAN);
    for (let at = 10; at < 590; at += 10) {
      const seen = { ...QUIET, events: [calm(at, 5)], unwell: { baseline: 'gone', candidate: null } };
      const done = next(PLAN, state, seen);
      expect(done.act).toBeNull();
      state = done.state;
    }
    expect(waitsFor(state)).toEqual([]);
  });

  it.each<[RolloutPhase, RolloutWord, string | null, RolloutPhase]>([
    ['running', 'pause', 'paused', 'paused'],
    ['running', 'resume', null, 'running'],
    ['paused', 'pause', null, 'paused'],
    ['paused', 'resume', 'resumed', 'running'],
    ['held', 'resume', 'resumed', 'running'],
    ['held', 'pause', 'paused', 'paused'],
    ['running', 'promote', 'promoted', 'promoted'],
    ['paused', 'promote', 'promoted', 'promoted'],
    ['held', 'promote', 'promoted', 'promoted'],
    ['running', 'abort', 'taken back', 'taken back'],
    ['held', 'abort', 'taken back', 'taken back'],
    ['promoted', 'abort', null, 'promoted'],
    ['taken back', 'promote', null, 'taken back'],
  ])('%s, told to %s: %s', (phase, word, act, then) => {
    const state = { ...beginState(PLAN), phase };
    const done = next(PLAN, state, { ...QUIET, word: { word, by: 'me@here' } });
    expect(done.act?.kind ?? null).toBe(act);
    expect(done.state.phase).toBe(then);
    if (done.act !== null) expect(done.act.reason).toEqual({ kind: 'word', by: 'me@here' });
  });

  it.each([
    ['hold', 'held', 5],
    ['promote', 'promoted', 100],
    ['take back', 'taken back', 0],
  ] as const)('does what `otherwise` says when no visitor comes: %s', (otherwise, kind, percent) => {
    const plan = { ...PLAN, otherwise };
    const early = next(plan, beginState(PLAN), { ...QUIET, seconds: 599 });
    expect(early.act).toBeNull();
    const late = next(plan, early.state, { ...QUIET, seconds: 1 });
    expect(late.act).toEqual({ kind, percent, reason: { kind: 'time' } });
  });

  it('counts no time while it is paused, and begins to count again once it is resumed', () => {
    const paused: RolloutState = { ...beginState(PLAN), phase: 'paused', running: 599 };
    const waited = next(PLAN, paused, { ...QUIET, seconds: 10_000 });
    expect(waited.act).toBeNull();
    const resumed = next(PLAN, waited.state, { ...QUIET, word: { word: 'resume', by: 'me' } }).state;
    expect(resumed.running).toBe(0);
  });

  it('is plain JSON: written down and read again it goes on as it was', () => {
    const state = stateAfter([calm(10, 5), failing(11, 1), calm(20, 5)]);
    const read = JSON.parse(JSON.stringify(state)) as RolloutState;
    expect(stateAfter([calm(30, 5)], read)).toEqual(stateAfter([calm(30, 5)], state));
  });

  it('takes no step while both versions fail half of what they are asked', () => {
    const broken = (count: number) => Array.from({ length: count }, () => ({ ...unit(20), failed: 1 }));
    let state = beginState(PLAN);
    for (let at = 10; at < 900; at += 10) {
      const dealt = { baseline: 95, candidate: 5 };
      const strata = [{ chance: 0.05, dealt, baseline: broken(95), candidate: broken(5) }];
      const done = next({ ...PLAN, atMost: 1e6 }, state, {
        ...QUIET,
        events: [{ kind: 'block', at, warm: true, strata }],
      });
      expect(done.act).toBeNull();
      state = done.state;
    }
  });
});
