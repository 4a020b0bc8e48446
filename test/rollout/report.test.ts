/** The verdict of a rollout, computed again from what its host kept. */
import { describe, expect, test } from 'vitest';
import type { RolloutOrder } from '../../src/contract/release.ts';
import type { RolloutEvent } from '../../src/contract/rollout.ts';
import type { UnitEvent } from '../../src/judge/units/types.ts';
import { type KeptEvent, rolloutReport } from '../../src/rollout/kept.ts';
import { type Act, beginState, next, type Observation } from '../../src/rollout/next.ts';
import { decidedOn, isRolloutReport, judgeRollout, parseRolloutReport } from '../../src/rollout/report.ts';
import { reasonWords, statusOf } from '../../src/rollout/status.ts';

const PLAN = { steps: [1, 5, 25, 50, 100], alpha: 0.01, atMost: 3600, otherwise: 'hold' } as const;
const none = { baseline: 0, candidate: 0 };
const CALM = { seconds: 1, unwell: { baseline: null, candidate: null }, word: null };

const failure = (at: number): UnitEvent => ({
  kind: 'second',
  at,
  deals: [
    { chance: 0.01, failed: { baseline: 0, candidate: 1 }, refused: none, alone: none, returned: none },
  ],
});
const good = (at: number, failed = 0): UnitEvent => {
  const values = Array.from({ length: 60 }, (_, i) => ({ requests: 1, failed, ms: [20 + (i % 50)] }));
  const dealt = { baseline: 60, candidate: 60 };
  return {
    kind: 'block',
    at,
    warm: true,
    strata: [{ chance: 0.5, dealt, baseline: values, candidate: values }],
  };
};
const goods = (count: number) => Array.from({ length: count }, (_, i) => good(40 + 10 * i));

const manifest = { app: 'shop', release: 'r', ref: 'v', commit: null, subject: null };
const ORDER = {
  ...{ id: '1', seed: '2', by: 'visitor', steps: PLAN.steps, alpha: PLAN.alpha, atMost: 3_600_000 },
  ...{ otherwise: 'hold', baseline: { manifest }, settle: { manifest } },
} as unknown as RolloutOrder;

/** As a host runs it: one event a look. */
function run(events: readonly UnitEvent[], unwell: Observation['unwell'] = CALM.unwell) {
  let state = beginState(PLAN);
  const told: RolloutEvent[] = [{ at: '2026-01-01T00:00:00.000Z', kind: 'began', percent: 1, why: '' }];
  const note = ({ kind, percent, reason }: Act) =>
    told.push({ at: '2026-01-01T00:00:00.000Z', kind, percent, why: reasonWords(reason) });
  for (const event of events) {
    const after = next(PLAN, state, { ...CALM, events: [event] });
    state = after.state;
    if (after.act !== null) note(after.act);
  }
  const counted = {
    baseline: { visitors: 30, requests: 400, failed: 2 },
    candidate: { visitors: 3, requests: 40, failed: 3 },
  };
  return statusOf({ order: ORDER, began: 0, now: 1000, state, counted, unwell, events: told });
}

const read = (status: ReturnType<typeof run>, events: readonly KeptEvent[]) => {
  const parsed = parseRolloutReport(JSON.parse(JSON.stringify(rolloutReport(status, events))));
  if ('mistake' in parsed) throw new Error(parsed.mistake);
  return judgeRollout(parsed.report);
};

describe('a report', () => {
  test.each<[string, readonly UnitEvent[], string, boolean, boolean | null]>([
    ['of one that was taken back', [...goods(3), failure(80), failure(81)], 'taken back', true, true],
    ['of one that was promoted', goods(100), 'promoted', false, true],
    ['of one that is under way', goods(6), 'running', false, null],
    ['of one that nobody visited', [], 'running', false, null],
  ])('%s has the same verdict, to the digit', (_, events, phase, harmful, agrees) => {
    const status = run(events);
    expect(status.phase).toBe(phase);
    const judged = read(status, events);
    expect(judged).toEqual({ status: JSON.parse(JSON.stringify(status)), harmful, agrees });
  });

  test('tells errors as they were counted, until their evidence has its first block', () => {
    const status = run([failure(1)]);
    const [errors] = status.metrics;
    expect(errors).toMatchObject({ name: 'errors (5xx)', baseline: 2 / 400, candidate: 3 / 40 });
    expect(run(goods(1)).metrics[0]).toMatchObject({ baseline: 0, candidate: 0 });
    const ended = run([failure(1), failure(2)]);
    const { metrics } = ended;
    // Earlier programs told nothing then.
    const told = metrics.map((one, row) => (row === 0 ? { ...one, baseline: null, candidate: null } : one));
    expect(read({ ...ended, metrics: told }, [failure(1), failure(2)]).agrees).toBe(true);
    const edited = metrics.map((one, row) => (row === 0 ? { ...one, candidate: 0 } : one));
    expect(read({ ...ended, metrics: edited }, [failure(1), failure(2)]).agrees).toBe(false);
  });

  test.each<[string, readonly UnitEvent[], Observation['unwell'], RegExp]>([
    ['an old version that is not well', [], { baseline: 'it died', candidate: null }, /well again: it died$/],
    ['two versions that both fail', [good(40, 1)], CALM.unwell, /both fail half/],
    ['too few visitors', goods(2), CALM.unwell, /errors \(5xx\).* to be shown no worse/],
  ])('says that the next step waits for %s', (_, events, unwell, words) => {
    expect(run(events, unwell).next?.waitsFor).toMatch(words);
  });

  test('one that was edited disagrees', () => {
    const events = [failure(1), failure(2)];
    const status = run(events);
    expect(read(status, events.slice(1)).agrees).toBe(false);
    const metrics = status.metrics.map((metric) => ({ ...metric, odds: 1 }));
    expect(read({ ...status, metrics }, events).agrees).toBe(false);
  });

  test('what a process that was killed had seen and not decided on does not count', () => {
    const events: KeptEvent[] = [good(40), failure(41), failure(42), { kind: 'resumed', at: 40.5 }, good(50)];
    expect(decidedOn(events)).toEqual([good(40), good(50)]);
    expect(read(run([good(40), good(50)]), events).harmful).toBe(false);
  });

  test.each<[string, (report: Record<string, unknown>) => unknown, string]>([
    ['another version', (one) => ({ ...one, version: 2 }), 'version'],
    ['no events', (one) => ({ ...one, events: undefined }), 'events'],
    [
      'a chance that is none',
      (one) => ({ ...one, events: [{ ...failure(1), deals: [{ chance: 1 }] }] }),
      'chance',
    ],
    ['no steps', (one) => ({ ...one, status: { ...(one.status as object), steps: [] } }), 'steps'],
  ])('with %s is refused by its place', (_, change, place) => {
    const document = change(JSON.parse(JSON.stringify(rolloutReport(run([]), []))));
    expect(isRolloutReport(document)).toBe(true);
    expect(parseRolloutReport(document)).toEqual({ mistake: expect.stringContaining(place) });
  });

  test('says what it is', () => {
    expect(isRolloutReport(rolloutReport(run([]), []))).toBe(true);
    for (const other of [null, 3, {}, { format: 'pipeline-canary-report' }])
      expect(isRolloutReport(other)).toBe(false);
  });
});
