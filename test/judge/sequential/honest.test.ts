/** The cases in which a judge is tempted to say more than it knows, and the plain ones. */
import { describe, expect, test } from 'vitest';
import {
  type CanaryVerdict,
  createSequentialJudge,
  judgeExperiment,
  type MetricResult,
  observe,
  verdict,
} from '../../../src/judge/index.ts';
import { experiment, seconds } from './experiments.ts';

const metric = (said: CanaryVerdict, name: string): MetricResult => {
  const found = said.metrics.find((result) => result.name === name);
  if (found === undefined)
    throw new Error(`no metric ${name} in ${said.metrics.map((m) => m.name).join(', ')}`);
  return found;
};

/** The verdict at the first moment at which the judge would stop, and the seconds until then. */
function live(data: ReturnType<typeof seconds>, ended = false) {
  let state = createSequentialJudge();
  for (const [i, second] of data.entries()) {
    state = observe(state, second);
    const said = verdict(state, { ended: ended && i === data.length - 1 });
    if (said.decided) return { said, after: i + 1 };
  }
  return { said: verdict(state), after: data.length };
}

describe('nothing to judge', () => {
  test('no second at all', () => {
    const said = judgeExperiment(experiment([]));
    expect(said).toMatchObject({
      verdict: 'inconclusive',
      decided: true,
      samples: { baseline: 0, candidate: 0 },
    });
    expect(said.reason).toBe('No request arrived at either side, so there is nothing to compare.');
    expect(said.metrics.every((result) => result.verdict !== 'pass' || result.sampleUnit === 'seconds')).toBe(
      true,
    );
  });

  test('no traffic arrives', () => {
    const said = judgeExperiment(experiment(seconds(60, { rate: 0 }, { rate: 0 })));
    expect(said.verdict).toBe('inconclusive');
    expect(said.needs).toBe('requests to both sides');
    expect(said.score).toBeLessThan(50);
  });

  test('one side gets no request', () => {
    const said = judgeExperiment(experiment(seconds(60, {}, { rate: 0 })));
    expect(said.verdict).toBe('inconclusive');
    expect(said.reason).toBe(
      'The candidate got no request at all, the baseline 3000: there is nothing to compare.',
    );
  });

  test('the first second decides nothing', () => {
    const state = observe(createSequentialJudge(), seconds(1)[0] ?? expect.fail());
    expect(verdict(state)).toMatchObject({ verdict: 'inconclusive', decided: false });
  });
});

describe('a side that does not answer', () => {
  test('a candidate that never answers fails', () => {
    const { said, after } = live(seconds(60, {}, { unanswered: 1 }));
    expect(said).toMatchObject({ verdict: 'failed', score: 0 });
    expect(said.decidedBy).toContain('errors (5xx)');
    expect(after).toBeLessThanOrEqual(3);
  });

  test(
    'a baseline that never answers is a reason to pass nothing by latency, and no failure of the ' +
      'candidate',
    () => {
      const said = judgeExperiment(experiment(seconds(60, { unanswered: 1 })));
      expect(said.verdict).toBe('inconclusive');
      expect(metric(said, 'errors (5xx)').verdict).toBe('low');
      expect(metric(said, 'latency p99').verdict).toBe('no data');
      expect(said.needs).toMatch(/^data for /);
    },
  );

  test('a load that no side answers: both are broken, which is no regression and no pass', () => {
    const { said, after } = live(seconds(120, { unanswered: 1 }, { unanswered: 1 }));
    expect(said.verdict).toBe('inconclusive');
    expect(said.decided).toBe(true);
    expect(after).toBe(15);
    expect(said.notes[0]).toBe(
      "Both sides are broken: 100 % of the baseline's requests failed and 100 % of the candidate's.",
    );
  });

  test('both fail alike', () => {
    const said = judgeExperiment(experiment(seconds(60, { errors: 0.7 }, { errors: 0.7 })));
    expect(said.verdict).toBe('inconclusive');
    expect(metric(said, 'errors (5xx)').verdict).not.toBe('high');
    expect(said.reason).toMatch(/^Both sides are broken: /);
  });

  test('both fail, and the candidate more: it fails', () => {
    const said = judgeExperiment(experiment(seconds(60, { errors: 0.6 }, { errors: 0.95 })));
    expect(said).toMatchObject({ verdict: 'failed', decidedBy: ['errors (5xx)'] });
  });

  test('a candidate that dies in the middle fails within three seconds', () => {
    const { said, after } = live(seconds(60, {}, (at) => (at < 10 ? {} : { errors: 1 })));
    expect(said.verdict).toBe('failed');
    expect(after).toBe(13);
  });

  test('a side that falls silent is named, and not passed, though it was fine until then', () => {
    const silence = (rate: number) => seconds(60, {}, (at) => (at < 50 ? {} : { rate }));
    const said = judgeExperiment(experiment(silence(0)));
    expect(said.verdict).toBe('inconclusive');
    expect(said.reason).toBe(
      'The candidate got no request after second 50, while the baseline got 500: it may have died there.',
    );
    expect(judgeExperiment(experiment(silence(1))).verdict).toBe('passed');
  });

  test('the interval of a rate that changed in the middle holds what was measured', () => {
    const said = judgeExperiment(experiment(seconds(40, {}, (at) => (at < 30 ? {} : { errors: 1 }))));
    const { interval, effect } = metric(said, 'errors (5xx)');
    const [low, high] = interval ?? [];
    expect(low).toBeLessThanOrEqual(effect?.value ?? Number.NaN);
    expect(high ?? 1).toBeGreaterThanOrEqual(effect?.value ?? Number.NaN);
  });

  test('a pause that chance explains is no silence', () => {
    const sparse = seconds(40, { rate: 1 }, (at) => (at < 30 ? { rate: 1 } : { rate: 0 }));
    expect(judgeExperiment(experiment(sparse)).notes).toEqual([]);
  });
});

describe('plain regressions', () => {
  test.each<[string, Parameters<typeof seconds>[2], string, number]>([
    ['all requests fail, fast and small', { errors: 1, median: 1, size: 20 }, 'errors (5xx)', 3],
    ['a faster candidate that fails one in twenty', { errors: 0.05, median: 5 }, 'errors (5xx)', 30],
    ['200 with a wrong body', { wrongBodies: 1 }, 'wrong bodies', 3],
    ['one wrong body in fifty', { wrongBodies: 0.02 }, 'wrong bodies', 40],
    ['4xx for everybody', { refused: 1 }, 'errors (4xx)', 5],
    ['half as slow again', { median: 30 }, 'latency p50', 25],
    ['a crash loop', { restarts: 1 }, 'restarts', 75],
    ['error lines, second by second', { errorLines: 3 }, 'error lines', 85],
  ])('%s', (_, candidate, decisive, within) => {
    const { said, after } = live(seconds(120, { median: 20 }, candidate));
    // Restarts and error lines take longer than a pass by everything else: only an alarm counts here.
    const whole = judgeExperiment(experiment(seconds(within, { median: 20 }, candidate)));
    expect(whole.verdict).toBe('failed');
    expect(whole.decidedBy).toContain(decisive);
    expect(metric(whole, decisive).verdict).toBe('high');
    if (said.verdict === 'failed') expect(after).toBeLessThanOrEqual(within);
  });

  test('informative metrics say so and decide nothing', () => {
    const said = judgeExperiment(experiment(seconds(90, {}, { size: 4000, cpuMs: 9, memory: 200e6 })));
    for (const name of ['response size', 'cpu for each request', 'memory']) {
      expect(metric(said, name).verdict).toBe('high');
      expect(said.decidedBy).not.toContain(name);
    }
    expect(said.verdict).toBe('passed');
    expect(said.score).toBeLessThan(100);
  });

  test('made critical, they decide', () => {
    const { metrics } = experiment([]).config;
    const config = { metrics: { ...metrics, memory: { ...metrics.memory, role: 'critical' as const } } };
    const said = judgeExperiment(experiment(seconds(90, {}, { memory: 200e6 }), config));
    expect(said).toMatchObject({ verdict: 'failed', decidedBy: ['memory'] });
  });

  test('an improvement is called low, and passes', () => {
    const said = judgeExperiment(experiment(seconds(90, { median: 40, errors: 0.05 }, { median: 20 })));
    expect(metric(said, 'latency p50').verdict).toBe('low');
    expect(metric(said, 'errors (5xx)').verdict).toBe('low');
    expect(said.verdict).toBe('passed');
  });

  test('a slow rare route is found though the whole hides it', () => {
    const routes = ['GET /', 'GET /a', 'GET /b', 'GET /c', 'GET /d'];
    const data = seconds(120, { routes }, { routes }).map((second, i) => {
      const slow = seconds(1, { routes }, { routes, median: 40 }, i + 500)[0]?.candidate.routes['GET /d'];
      if (slow === undefined) throw new Error('a route is missing');
      return {
        ...second,
        candidate: { ...second.candidate, routes: { ...second.candidate.routes, 'GET /d': slow } },
      };
    });
    const said = judgeExperiment(experiment(data));
    expect(said.verdict).toBe('failed');
    expect(said.decidedBy).toContain('latency p50 GET /d');
    expect(metric(said, 'latency p50 GET /d')).toMatchObject({
      route: 'GET /d',
      role: 'watched',
      critical: false,
    });
  });
});

describe('no difference', () => {
  test('identical versions pass, early, with everything shown', () => {
    const { said, after } = live(seconds(120));
    expect(said.verdict).toBe('passed');
    expect(after).toBeLessThan(60);
    expect(said.decidedBy).toEqual([
      'errors (5xx)',
      'errors (4xx)',
      'wrong bodies',
      'latency p50',
      'latency p90',
      'latency p99',
    ]);
  });

  test('no pass before the minimum, though nothing is missing', () => {
    let state = createSequentialJudge({ minimumSeconds: 90 });
    for (const second of seconds(80)) state = observe(state, second);
    expect(verdict(state)).toMatchObject({
      verdict: 'inconclusive',
      decided: false,
      needs: '10 s more traffic',
    });
  });

  test('too little traffic says how much is missing', () => {
    const said = judgeExperiment(experiment(seconds(60, { rate: 4 }, { rate: 4 })));
    expect(said.verdict).toBe('inconclusive');
    expect(said.needs).toMatch(/^(about [\d,]+ more requests|more requests than can be told yet, for .+)$/);
    expect(said.reason).toContain('is not shown to be no worse in');
  });

  test('the deadline of the configuration ends it', () => {
    let state = createSequentialJudge({ deadlineSeconds: 20 });
    const decided = seconds(21, { rate: 4 }, { rate: 4 }).map((second) => {
      state = observe(state, second);
      return verdict(state).decided;
    });
    expect(decided.indexOf(true)).toBe(19);
  });

  test('bodies that differ on the baseline itself tell nothing, and do not stand in the way', () => {
    const said = judgeExperiment(experiment(seconds(90, { wrongBodies: 1 }, { wrongBodies: 1 })));
    expect(said.verdict).toBe('passed');
    expect(said.decidedBy).not.toContain('wrong bodies');
    expect(said.notes.join()).toContain('bodies cannot tell the versions apart');
  });

  test('a noise in bodies that both share is no alarm', () => {
    const said = judgeExperiment(experiment(seconds(120, { wrongBodies: 0.1 }, { wrongBodies: 0.1 })));
    expect(metric(said, 'wrong bodies').verdict).not.toBe('high');
  });

  test('what was not measured is not shown', () => {
    const data = seconds(60).map(({ at, baseline, candidate }) => ({
      at,
      baseline: { routes: baseline.routes },
      candidate: { routes: candidate.routes },
    }));
    const said = judgeExperiment(experiment(data));
    expect(said.verdict).toBe('passed');
    expect(said.metrics.map((result) => result.kind)).not.toContain('bodies');
    expect(said.metrics.map((result) => result.kind)).not.toContain('cpu');
  });
});

describe('traffic one after the other', () => {
  const quiet = { rate: 0 };
  const turns = (candidate: Parameters<typeof seconds>[2]) =>
    seconds(
      120,
      (at) => (at < 60 ? { rate: 100 } : quiet),
      (at) =>
        at < 60 ? quiet : { rate: 100, ...(typeof candidate === 'function' ? candidate(at) : candidate) },
    );

  test('a regression is found, and the verdict says what it assumes', () => {
    const said = judgeExperiment(experiment(turns({ errors: 0.1 }), { traffic: 'sequential' }));
    expect(said).toMatchObject({ verdict: 'failed', decidedBy: ['errors (5xx)'] });
    expect(said.notes.join()).toContain('Interleaved traffic needs no such assumption');
  });

  test('nothing can be said before the second one has traffic', () => {
    const said = judgeExperiment(experiment(turns({}).slice(0, 60), { traffic: 'sequential' }));
    expect(said.verdict).toBe('inconclusive');
    expect(said.reason).toContain('The candidate got no request at all');
  });

  test('load that drifts between the minutes is no regression; twice as slow is one', () => {
    const slower = (median: number) =>
      judgeExperiment(experiment(turns({ median }), { traffic: 'sequential' })).verdict;
    expect(slower(24)).not.toBe('failed');
    expect(slower(40)).toBe('failed');
  });

  test('the same version passes', () => {
    expect(judgeExperiment(experiment(turns({}), { traffic: 'sequential' })).verdict).toBe('passed');
  });
});

describe('unequal traffic', () => {
  test('one in ten to the candidate: a slower one is not shown to be no slower', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const said = judgeExperiment(experiment(seconds(90, { rate: 90 }, { rate: 10, median: 34 }, seed)));
      for (const name of ['latency p50', 'latency p90', 'latency p99']) {
        expect(metric(said, name).verdict).not.toBe('pass');
      }
    }
  });

  test('one in ten to the candidate: the same version passes, a slower one fails', () => {
    const split = (candidate: object) => seconds(180, { rate: 180 }, { rate: 20, ...candidate });
    expect(judgeExperiment(experiment(split({}))).verdict).not.toBe('failed');
    expect(judgeExperiment(experiment(split({ median: 40 })))).toMatchObject({ verdict: 'failed' });
    expect(judgeExperiment(experiment(split({ errors: 0.1 })))).toMatchObject({
      decidedBy: ['errors (5xx)'],
    });
  });
});
