import { describe, expect, it } from 'vitest';
import { conclude, type RunRecord } from '../../../src/canary/judging/conclude.ts';
import { evidenceTimeline } from '../../../src/canary/judging/evidence.ts';
import { mutable } from '../../../src/canary/judging/mutable.ts';
import { defaultSequentialConfig, histogramOf } from '../../../src/judge/index.ts';
import type { Second } from '../../../src/judge/types.ts';
import { parseReport } from '../../../src/report/document.ts';
import { type Behaviour, report, simulate, verdict } from '../../report/sample.ts';

/** A run with these data and facts. */
function run(seconds: readonly Second[], over: Partial<RunRecord> = {}): RunRecord {
  const { verdict: _, ...base } = report(seconds, verdict([]));
  return {
    ...base,
    experiment: { config: mutable(defaultSequentialConfig), seconds: mutable([...seconds]), ended: true },
    stopped: 'deadline',
    ...over,
  };
}

const LOAD = {
  sent: 1000,
  answered: 1000,
  failed: 0,
  timedOut: 0,
  skipped: 0,
  latency: { counts: {} },
  lag: { counts: {} },
};
const judged = (baseline: Behaviour, candidate: Behaviour, over: Partial<RunRecord> = {}, seconds = 20) =>
  conclude(run(simulate(seconds, baseline, candidate), { load: LOAD, ...over }), 'sequential');

describe('the verdict about a run', () => {
  it('no traffic arrives: inconclusive, and says what was sent', () => {
    const verdict = conclude(run([], { stopped: 'no traffic', load: LOAD }), 'sequential');
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.reason).toBe(
      '1,000 requests were sent and none was seen by the proxy, so nothing is known.',
    );
  });

  it('the candidate never starts: failed, with the reason', () => {
    const event = {
      at: null,
      side: 'candidate',
      kind: 'never started',
      detail: 'The candidate never started to answer: refused.',
    } as const;
    const verdict = conclude(
      run([], { stopped: 'never started', load: null, events: [event] }),
      'sequential',
    );
    expect(verdict).toMatchObject({ verdict: 'failed', score: 0, reason: event.detail });
  });

  it('the baseline never starts: inconclusive, since nothing can be compared', () => {
    const event = {
      at: null,
      side: 'baseline',
      kind: 'never started',
      detail: 'The baseline never started to answer: refused.',
    } as const;
    const verdict = conclude(
      run([], { stopped: 'never started', load: null, events: [event] }),
      'sequential',
    );
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.reason).toContain('Without a baseline there is nothing to compare with');
  });

  it('neither side starts: inconclusive', () => {
    const events = (['baseline', 'candidate'] as const).map((side) => ({
      at: null,
      side,
      kind: 'never started' as const,
      detail: `The ${side} is down.`,
    }));
    const verdict = conclude(run([], { stopped: 'never started', load: null, events }), 'sequential');
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.reason).toContain('Neither side runs');
  });

  it('both sides fail alike: no failure, and both are called broken', () => {
    const verdict = judged({ errors: 1 }, { errors: 1 });
    expect(verdict.verdict).toBe('inconclusive');
    expect([verdict.reason, ...verdict.notes].join(' ')).toMatch(/both (sides|sides) /i);
    expect([verdict.reason, ...verdict.notes].join(' ')).toMatch(/broken/);
  });

  it('both sides fail alike now and then: that is no regression', () => {
    expect(judged({ errors: 0.05 }, { errors: 0.05 }, {}, 100).verdict).not.toBe('failed');
  });

  it('the candidate dies in the middle: failed', () => {
    const event = {
      at: 5,
      side: 'candidate',
      kind: 'died',
      detail: "The candidate's service is failed (failed) and did not come back.",
    } as const;
    const verdict = judged({}, {}, { stopped: 'side lost', events: [event] });
    expect(verdict).toMatchObject({
      verdict: 'failed',
      score: 0,
      reason: "The candidate's service is failed (failed) and did not come back after 5 s.",
    });
  });

  it('the baseline dies in the middle: inconclusive', () => {
    const event = { at: 5, side: 'baseline', kind: 'died', detail: 'The baseline is gone.' } as const;
    expect(judged({}, {}, { stopped: 'side lost', events: [event] })).toMatchObject({
      verdict: 'inconclusive',
      reason: 'The baseline is gone after 5 s. What remains is no comparison.',
    });
  });

  it('a host falls silent: inconclusive, whichever it is', () => {
    const event = {
      at: 5,
      side: 'candidate',
      kind: 'silent',
      detail: 'The host green sends no samples.',
    } as const;
    expect(judged({}, {}, { stopped: 'side lost', events: [event] }).verdict).toBe('inconclusive');
  });

  it('a side that is lost does not undo a failure that was proven before', () => {
    const event = { at: 5, side: 'baseline', kind: 'died', detail: 'The baseline is gone.' } as const;
    expect(judged({}, { errors: 1 }, { stopped: 'side lost', events: [event] }).verdict).toBe('failed');
  });

  it('the candidate is faster but fails: failed, by its errors', () => {
    const verdict = judged({ median: 5 }, { median: 2, errors: 0.5 });
    expect(verdict.verdict).toBe('failed');
    expect(verdict.decidedBy).toContain('errors (5xx)');
  });

  it('the candidate answers 200 with a wrong body: failed, by its bodies', () => {
    const verdict = judged({}, { wrongBodies: 0.2 });
    expect(verdict.verdict).toBe('failed');
    expect(verdict.decidedBy).toContain('wrong bodies');
  });

  it('identical refs: judged as any other, with a note', () => {
    const { baseline } = run([]);
    const verdict = judged({}, {}, { candidate: { ...baseline, colour: 'green', host: 'green' } });
    expect(verdict.verdict).not.toBe('failed');
    expect(verdict.notes.join(' ')).toContain('Both refs are commit 05c965f');
  });

  it('a load that no side answers: inconclusive, not passed', () => {
    const notFound = simulate(60, {}, {}).map((second): Second => {
      const refuse = (side: Second['baseline']): Second['baseline'] => ({
        ...side,
        routes: Object.fromEntries(
          Object.entries(side.routes).map(([name, route]) => [
            name,
            { ...route, status: { '4xx': route.requests } },
          ]),
        ),
      });
      return { at: second.at, baseline: refuse(second.baseline), candidate: refuse(second.candidate) };
    });
    const verdict = conclude(run(notFound, { load: LOAD }), 'sequential');
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.reason).toContain('Both sides answer the load with errors (100 % of the baseline');
  });

  it('a load beyond what the baseline can carry: what a queue can do is no proof of harm', () => {
    const queue = (seconds: readonly Second[], lost: number) =>
      seconds.map(({ at, baseline, candidate }): Second => {
        const late = (side: Second['baseline'], from: number): Second['baseline'] => ({
          ...side,
          routes: Object.fromEntries(
            Object.entries(side.routes).map(([name, route]) => [
              name,
              {
                ...route,
                status: { ...route.status, '2xx': at > from ? 0 : (route.status['2xx'] ?? 0) },
                latency: histogramOf(Array.from({ length: route.requests }, () => 5 + at * at * 12)),
              },
            ]),
          ),
        });
        return { at, baseline: late(baseline, 99), candidate: late(candidate, lost) };
      });
    const starved = conclude(run(queue(simulate(30, {}, {}), 22), { load: LOAD }), 'sequential');
    expect(starved.verdict).toBe('inconclusive');
    expect(starved.reason).toMatch(
      /^The baseline itself cannot keep up with the load: its median latency went from/,
    );
    expect(starved.needs).toContain('--rate');
    expect(starved.score).toBe(50);
    const broken = conclude(run(queue(simulate(30, {}, { errors: 1 }), 99), { load: LOAD }), 'sequential');
    expect(broken.verdict).toBe('failed');
  });

  it('a load beyond what the baseline can carry: no pass either, since that may be luck', () => {
    const unanswered = simulate(240, { median: 40 }, { median: 20 }).map(
      ({ at, baseline, candidate }): Second => {
        const routes = Object.entries(baseline.routes).map(
          ([name, route]) => [name, { ...route, status: { '2xx': (route.status['2xx'] ?? 0) - 3 } }] as const,
        );
        return { at, baseline: { ...baseline, routes: Object.fromEntries(routes) }, candidate };
      },
    );
    const verdict = conclude(run(unanswered, { load: LOAD }), 'sequential');
    expect(verdict.metrics.find(({ name }) => name === 'errors (5xx)')?.verdict).toBe('low');
    expect(verdict).toMatchObject({ verdict: 'inconclusive', needs: expect.stringContaining('--rate') });
    expect(verdict.reason).toContain('may be luck');
  });

  it('a candidate that cannot keep up where the baseline can: failed', () => {
    const seconds = simulate(60, {}, { median: 2_000 });
    expect(conclude(run(seconds, { load: LOAD }), 'sequential').verdict).toBe('failed');
  });

  it('interrupted before there was evidence: inconclusive, and says so', () => {
    expect(judged({}, {}, { stopped: 'interrupted' }, 4).reason).toMatch(/^Interrupted\. /);
  });

  it('says when the load could not be sent as planned', () => {
    const { notes } = judged({}, {}, { load: { ...LOAD, skipped: 500 } });
    expect(notes.join(' ')).toContain('500 of 1,500 requests were not sent');
  });

  it('is the same after the report went through a file', () => {
    for (const judge of ['sequential', 'kayenta'] as const) {
      const record = run(simulate(30, {}, { median: 6, errors: 0.01 }), { load: LOAD });
      const verdict = conclude(record, judge);
      const { verdict: _, ...read } = parseReport(
        JSON.parse(JSON.stringify({ ...record, verdict })),
        'r.json',
      );
      expect(conclude(read, judge)).toEqual(verdict);
    }
  });

  it("Kayenta's judge: its classes and score, never a pass without data", () => {
    const failed = conclude(run(simulate(60, {}, { errors: 1, median: 30 }), { load: LOAD }), 'kayenta');
    expect(failed).toMatchObject({ judge: 'kayenta', verdict: 'failed' });
    expect(failed.metrics.length).toBeGreaterThan(3);
    expect(conclude(run([], { load: LOAD }), 'kayenta').verdict).toBe('inconclusive');
  });

  it("Kayenta's judge: a marginal score is said in words", () => {
    const marginal = conclude(run(simulate(120, {}, { median: 6 }), { load: LOAD }), 'kayenta');
    expect(marginal.verdict).toBe('inconclusive');
    expect(marginal.reason).toMatch(
      /^Kayenta's score is [\d.]+, which it calls marginal: it finds a difference in latency p50/,
    );
  });

  it('the interval of a rate that changed in the middle holds what was measured', () => {
    const seconds = [
      ...simulate(6, {}, {}),
      ...simulate(4, {}, { errors: 1 }).map((second) => ({ ...second, at: second.at + 6 })),
    ];
    const errors = conclude(run(seconds, { load: LOAD }), 'sequential').metrics.find(
      ({ name }) => name === 'errors (5xx)',
    );
    const value = errors?.effect?.value ?? Number.NaN;
    expect(value).toBeGreaterThan(0.3);
    expect(errors?.interval?.[0] ?? Number.NEGATIVE_INFINITY).toBeLessThanOrEqual(value);
    expect(errors?.interval?.[1] ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(value);
  });
});

describe('the evidence over time', () => {
  it('reaches the alarm where the judge raised one', () => {
    const seconds = simulate(10, {}, { errors: 0.5 });
    const timeline = evidenceTimeline({ config: defaultSequentialConfig, seconds, ended: true });
    expect(timeline.at).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const errors = timeline.harm.find(({ name }) => name === 'errors (5xx)');
    expect(errors?.shares.at(-1)).toBeGreaterThanOrEqual(1);
    expect(errors?.shares).toHaveLength(10);
  });

  it('is empty without data', () => {
    expect(evidenceTimeline({ config: defaultSequentialConfig, seconds: [], ended: true }).at).toEqual([]);
  });
});
