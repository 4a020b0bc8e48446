import { describe, expect, it } from 'vitest';
import {
  begin,
  type ExperimentObservation,
  type ExperimentSettings,
  NO_TRAFFIC_SECONDS,
  next,
} from '../../../src/canary/experiment/experiment.ts';
import { observeUnit, UNKNOWN_HEALTH } from '../../../src/canary/lab/health.ts';
import { defaultSequentialConfig } from '../../../src/judge/index.ts';
import type { UnitLine } from '../../../src/metrics/live.ts';
import { simulate } from '../../report/sample.ts';

const settings = (over: Partial<ExperimentSettings> = {}): ExperimentSettings => ({
  traffic: 'interleaved',
  split: 50,
  durationSeconds: 120,
  stopEarly: true,
  judge: { ...defaultSequentialConfig, deadlineSeconds: 120 },
  ...over,
});

/** Feeds observations; what the machine wanted after each. */
function drive(observations: readonly ExperimentObservation[], over: Partial<ExperimentSettings> = {}) {
  let { state } = begin(settings(over));
  const actions = observations.map((observation) => {
    const step = next(state, observation);
    state = step.state;
    return step.actions;
  });
  return { state, actions };
}

const seconds = (...args: Parameters<typeof simulate>): ExperimentObservation[] =>
  simulate(...args).map((second) => ({ kind: 'second', second }));
const tick = (sinceLoad: number, sinceFirst: number | null): ExperimentObservation => ({
  kind: 'tick',
  sinceLoad,
  sinceFirst,
});

describe('the experiment', () => {
  it('begins with the split', () => {
    expect(begin(settings({ split: 10 })).actions).toEqual([{ kind: 'set weights', candidate: 10 }]);
    expect(begin(settings({ traffic: 'sequential' })).actions).toEqual([
      { kind: 'set weights', candidate: 0 },
    ]);
  });

  it('stops as soon as the harm is proven, within five seconds where everything fails', () => {
    const { state } = drive(seconds(5, {}, { errors: 1 }));
    expect(state.stopped).toBe('decided');
    expect(state.phase).toBe('stopped');
  });

  it('shows a verdict after every second', () => {
    const { actions } = drive(seconds(3, {}, {}));
    expect(actions.map((list) => list.map(({ kind }) => kind))).toEqual([['show'], ['show'], ['show']]);
  });

  it('does not stop early where the judge looks only once', () => {
    expect(drive(seconds(5, {}, { errors: 1 }), { stopEarly: false }).state.stopped).toBeNull();
  });

  it('gives up where no traffic arrives', () => {
    expect(drive([tick(NO_TRAFFIC_SECONDS - 1, null)]).state.stopped).toBeNull();
    expect(drive([tick(NO_TRAFFIC_SECONDS, null)]).state.stopped).toBe('no traffic');
  });

  it('ends at the deadline', () => {
    expect(drive([tick(119, 119)]).state.stopped).toBeNull();
    expect(drive([tick(121, 120)]).state.stopped).toBe('deadline');
  });

  it('one after the other: the second half goes to the candidate', () => {
    const { actions, state } = drive([tick(30, 30), tick(59.9, 59.9), tick(60, 60), tick(61, 61)], {
      traffic: 'sequential',
    });
    expect(actions).toEqual([[], [], [{ kind: 'set weights', candidate: 100 }], []]);
    expect(state.share).toBe(100);
  });

  it('stops when a side is lost, and not when a service restarted', () => {
    const event = (kind: 'restarted' | 'died' | 'silent'): ExperimentObservation => ({
      kind: 'event',
      event: { at: 3, side: 'candidate', kind, detail: '' },
    });
    expect(drive([event('restarted')]).state).toMatchObject({
      stopped: null,
      events: [{ kind: 'restarted' }],
    });
    expect(drive([event('died')]).state.stopped).toBe('side lost');
    expect(drive([event('silent')]).state.stopped).toBe('side lost');
  });

  it('stops once, and what is logged of a load that was cut off is no data', () => {
    const later = [...seconds(5, {}, { errors: 1 }), tick(200, 200), { kind: 'interrupt' } as const];
    const { state, actions } = drive([{ kind: 'interrupt' }, ...later]);
    expect(state).toMatchObject({ stopped: 'interrupted', seconds: [] });
    expect(actions.flat().map(({ kind }) => kind)).toEqual(['stop']);
  });

  it('counts the last answers of a load that ended by itself, and no empty seconds after it', () => {
    const silence: ExperimentObservation = {
      kind: 'second',
      second: { at: 99, baseline: { routes: {} }, candidate: { routes: {} } },
    };
    expect(drive([tick(121, 120), ...seconds(2, {}, {}), silence]).state.seconds).toHaveLength(2);
  });
});

describe('a service seen second by second', () => {
  const line = (over: Partial<UnitLine>): UnitLine => ({
    kind: 'unit',
    at: 0,
    seconds: 1,
    unit: 'u',
    state: 'active',
    sub: 'running',
    restarts: 0,
    cpuSeconds: 0,
    memoryBytes: 0,
    logLines: 0,
    errorLines: 0,
    ...over,
  });
  const events = (...lines: Partial<UnitLine>[]) => {
    let health = UNKNOWN_HEALTH;
    return lines.flatMap((over, at) => {
      const step = observeUnit(health, 'candidate', line(over), at);
      health = step.health;
      return step.events.map(({ kind, at: when }) => `${when} ${kind}`);
    });
  };

  it('that runs is no news, also where it was restarted before', () => {
    expect(events({ restarts: 2 }, { restarts: 2 }, { restarts: 2 })).toEqual([]);
  });

  it('that comes back has restarted', () => {
    const down = { state: 'activating', sub: 'auto-restart' };
    expect(events({}, down, { restarts: 1 }, { restarts: 1 })).toEqual(['2 restarted']);
  });

  it('that systemd gave up is dead at once, and once', () => {
    const failed = { state: 'failed', sub: 'failed' };
    expect(events({}, failed, failed, failed)).toEqual(['1 died']);
  });

  it('that does not come back within its grace is dead', () => {
    const down = { state: 'activating', sub: 'auto-restart' };
    expect(events({}, down, down, down, down, down, down)).toEqual(['5 died']);
  });
});
