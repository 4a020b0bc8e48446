import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CanaryOptions, planRun } from '../../../src/canary/experiment/plan.ts';
import {
  choosePaths,
  type DraftRequest,
  pathMap,
  probesFor,
  readyRequests,
} from '../../../src/canary/load/requests.ts';
import { type CanaryRequest, type Config, configSchema } from '../../../src/config/schema.ts';

function config(canary: unknown, apps: Record<string, unknown> = {}): Config {
  const values = configSchema.parse({
    project: 'test',
    hosts: { web: {} },
    apps: { preview: { source: 'x', hosts: ['web'], ...(canary === undefined ? {} : { canary }) }, ...apps },
  });
  return { ...values, path: '/p/pipeline.yml', directory: '/p' };
}

const OPTIONS: CanaryOptions = { baseline: 'a', candidate: 'b', seed: 1, keep: false };
const LOAD = { requests: [{ path: '/' }] };

describe('the plan of an experiment', () => {
  it('takes the application that has a canary, and its settings', () => {
    expect(planRun(config({ ...LOAD, rate: 50, duration: '30s', split: 20 }), OPTIONS)).toMatchObject({
      app: 'preview',
      rate: 50,
      durationSeconds: 30,
      split: 20,
      traffic: 'interleaved',
      judge: 'sequential',
    });
  });

  it('lets the command line win', () => {
    const options = {
      ...OPTIONS,
      rate: 7,
      durationMs: 10_000,
      split: 30,
      traffic: 'sequential',
      judge: 'kayenta',
    } as const;
    const plan = planRun(config(LOAD), options);
    expect(plan).toMatchObject({
      rate: 7,
      durationSeconds: 10,
      split: 30,
      traffic: 'sequential',
      judge: 'kayenta',
    });
    expect(plan.config).toMatchObject({ traffic: 'sequential', deadlineSeconds: 10 });
  });

  it.each([
    [0.1, 'interleaved', 0.1, 0.15],
    [0.1, 'sequential', 0.4, 0.5],
    [0.6, 'sequential', 0.6, 0.6],
  ] as const)(
    'a tolerance of %s, %s traffic: %s, and a pass shows less than %s',
    (tolerance, traffic, alarm, pass) => {
      const { config: judge } = planRun(config({ ...LOAD, tolerance }), { ...OPTIONS, traffic });
      expect(judge.quantiles[0]).toMatchObject({ tolerance: alarm, margin: pass });
    },
  );

  it('alternates which host is the baseline by the seed, always the same for the same', () => {
    const colors = Array.from(
      { length: 40 },
      (_, seed) => planRun(config(LOAD), { ...OPTIONS, seed }).baselineColour,
    );
    const blue = colors.filter((color) => color === 'blue').length;
    expect(blue).toBeGreaterThan(10);
    expect(blue).toBeLessThan(30);
    expect(planRun(config(LOAD), { ...OPTIONS, seed: 3 }).baselineColour).toBe(colors[3]);
  });

  it('gives the judge tolerance, warm-up and critical metrics of the definition', () => {
    const { config: judge } = planRun(
      config({ ...LOAD, tolerance: 0.5, warm_up: '7s', critical: ['errors (5xx)', 'Memory', 'latency p99'] }),
      OPTIONS,
    );
    expect(judge.warmupSeconds).toBe(7);
    expect(judge.quantiles.map(({ quantile, role, tolerance }) => [quantile, role, tolerance])).toEqual([
      [0.5, 'watched', 0.5],
      [0.9, 'watched', 0.5],
      [0.99, 'critical', 0.5],
    ]);
    expect(judge.metrics['errors-5xx'].role).toBe('critical');
    expect(judge.metrics.memory.role).toBe('critical');
    expect(judge.metrics.bodies.role).toBe('watched');
  });

  it('knows the words of the reference file for critical metrics', () => {
    const reference = readFileSync(
      join(import.meta.dirname, '..', '..', '..', 'docs', 'pipeline.reference.yml'),
      'utf8',
    );
    const words = /critical: \[(.+)\]/.exec(reference)?.[1]?.split(', ') ?? [];
    expect(words).toEqual(['errors', 'bodies']);
    const { config: judge } = planRun(config({ ...LOAD, critical: words }), OPTIONS);
    const critical = Object.entries(judge.metrics).filter(([, { role }]) => role === 'critical');
    expect(critical.map(([kind]) => kind)).toEqual(['errors-5xx', 'errors-4xx', 'bodies']);
    expect(judge.quantiles.map(({ role }) => role)).toEqual(['watched', 'watched', 'watched']);
  });

  it('takes the names of reports too, and one word for all of latency', () => {
    const roles = (critical: string[]) => planRun(config({ ...LOAD, critical }), OPTIONS).config;
    expect(roles(['errors (5xx)']).metrics['errors-5xx'].role).toBe('critical');
    expect(roles(['latency']).quantiles.map(({ role }) => role)).toEqual(Array(3).fill('critical'));
  });

  it.each([
    [
      'an unknown application',
      config(LOAD),
      { app: 'previw' },
      /no application "previw".*/,
      'Did you mean "preview"?',
    ],
    ['no canary', config(undefined), { app: 'preview' }, /has no canary/, 'apps.preview.canary.requests'],
    ['no canary anywhere', config(undefined), {}, /No application .* has a canary/, 'requests'],
    [
      'several',
      config(LOAD, { other: { source: 'x', hosts: ['web'], canary: LOAD } }),
      {},
      /Several applications/,
      '--app',
    ],
    ['a rate of nothing', config(LOAD), { rate: 0 }, /--rate must be above 0/, '--help'],
    [
      'too much load',
      config(LOAD),
      { rate: 5000, durationMs: 3.6e6 },
      /--rate must be such that at most/,
      '--help',
    ],
    ['half a per cent', config(LOAD), { split: 0.5 }, /--split must be/, '--help'],
    ['a blink', config(LOAD), { durationMs: 100 }, /--duration must be/, '--help'],
    [
      'an unknown metric',
      config({ ...LOAD, critical: ['throughput'] }),
      {},
      /names "throughput", which is not a metric/,
      'There are: errors, bodies, latency,',
    ],
    [
      'a percentile that is not measured: such a canary could never pass',
      config({ ...LOAD, critical: ['latency p95'] }),
      {},
      /names "latency p95", which is not a metric/,
      'Did you mean "latency p90"? There are: errors,',
    ],
    [
      'nothing critical at all',
      config({ ...LOAD, critical: [] }),
      {},
      /no candidate could ever pass/,
      'There are: errors,',
    ],
  ])('refuses %s with a next step', (_, configuration, over, message, next) => {
    expect(() => planRun(configuration, { ...OPTIONS, ...over })).toThrow(
      expect.objectContaining({
        kind: 'usage',
        message: expect.stringMatching(message),
        next: expect.stringContaining(next),
      }),
    );
  });
});

describe('the requests', () => {
  const draft = (
    over: Partial<CanaryRequest> & { baseline?: string[]; candidate?: string[] } = {},
  ): DraftRequest => {
    const { baseline = ['/preview', '/json'], candidate = baseline, ...wanted } = over;
    return {
      wanted: { method: 'POST', path: baseline, headers: {}, weight: 1, ...wanted },
      body: Buffer.from('x'),
      paths: { baseline, candidate },
    };
  };

  it('are probed only where there is a choice', () => {
    expect(probesFor([draft({ baseline: ['/a'] }), draft()], 'baseline').map(({ path }) => path)).toEqual([
      '/preview',
      '/json',
    ]);
  });

  it('go to the first path that a side knows, else to the first', () => {
    const drafts = [draft(), draft({ baseline: ['/only'] }), draft()];
    expect(choosePaths(drafts, 'baseline', [404, 200, 500, 200])).toEqual(['/json', '/only', '/preview']);
    expect(choosePaths(drafts, 'baseline', [404, 404, 0, 404])).toEqual(['/preview', '/only', '/preview']);
  });

  it('are sent to one path, which the proxy turns into each side’s own', () => {
    const ready = readyRequests([draft()], { baseline: ['/json'], candidate: ['/preview'] });
    expect(ready[0]).toMatchObject({
      name: 'POST /preview',
      path: '/preview',
      paths: { baseline: '/json', candidate: '/preview' },
    });
    expect(pathMap(ready, 'baseline')).toEqual({ '/preview': '/json' });
    expect(pathMap(ready, 'candidate')).toEqual({});
  });

  it('may not mean different things by one path', () => {
    expect(() =>
      readyRequests([draft(), draft({ method: 'GET' })], {
        baseline: ['/json', '/preview'],
        candidate: ['/preview', '/preview'],
      }),
    ).toThrow(expect.objectContaining({ kind: 'usage' }));
  });
});
