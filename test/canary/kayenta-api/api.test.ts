import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kayentaApi } from '../../../src/canary/kayenta-api/api.ts';
import { Executions } from '../../../src/canary/kayenta-api/executions.ts';
import { quietContext } from '../../../src/context.ts';
import { Failure } from '../../../src/errors.ts';
import type { Prometheus, RangeQuery } from '../../../src/metrics/prometheus.ts';

/** Requests of Argo Rollouts' provider (metricproviders/kayenta/kayenta.go), and how it reads answers. */
function argo(call: Call) {
  const query = 'application=shop&metricsAccountName=prom&configurationAccountName=s3&storageAccountName=s3';
  return {
    async configId(name: string): Promise<string> {
      const found = await call('GET', '/canaryConfig?application=shop&configurationAccountName=s3');
      expect(found.status).toBe(200);
      const configs = found.body as unknown as { id: string; name: string; updatedTimestamp: unknown }[];
      for (const { updatedTimestamp } of configs) expect(Number.isInteger(updatedTimestamp)).toBe(true);
      const one = configs.find((config) => config.name === name);
      if (one === undefined) throw new Error('Canary config not found');
      return one.id;
    },
    async run(id: string, [baseline, candidate]: readonly [string, string]): Promise<string> {
      const side = (scope: string) => ({ scope, location: '', step: 60, start: START, end: END });
      const answer = await call('POST', `/canary/${id}?${query}`, {
        scopes: { default: { controlScope: side(baseline), experimentScope: side(candidate) } },
        thresholds: { pass: 90, marginal: 75 },
      });
      expect(answer.status).toBe(200);
      return answer.body.canaryExecutionId as string;
    },
    /** What `Resume` concludes from a complete answer; undefined: ask again. */
    async resume(id: string): Promise<string | undefined> {
      const { status, body } = await call('GET', `/canary/${id}`);
      if (status !== 200) return 'Invalid Response';
      if (typeof body.complete !== 'boolean') return 'Missing Complete Status';
      if (!body.complete) return undefined;
      const score = at(body, 'result', 'judgeResult', 'score', 'score');
      if (typeof score !== 'number') return 'Missing Score';
      const whole = Math.trunc(score);
      return whole >= 90 ? 'Successful' : whole >= 75 ? 'Inconclusive' : 'Failed';
    },
  };
}

const START = '2026-11-25T14:00:00Z';
const END = '2026-11-25T15:00:00Z';
const CONFIG = {
  name: 'errors',
  applications: ['shop'],
  judge: { name: 'NetflixACAJudge-v1.0', judgeConfigurations: {} },
  metrics: [
    {
      name: 'errors',
      groups: ['requests'],
      query: { type: 'prometheus', customInlineTemplate: 'PromQL:errors{v="$' + '{scope}"}' },
      analysisConfigurations: { canary: { direction: 'increase', nanStrategy: 'replace' } },
    },
  ],
  classifier: { groupWeights: { requests: 100 }, scoreThresholds: { pass: 95, marginal: 75 } },
};
const steady = Array.from({ length: 61 }, (_, index) => 1 + (index % 7));
const SERIES: Readonly<Record<string, readonly number[]>> = {
  good: steady,
  alike: [...steady].reverse(),
  bad: steady.map((value) => value * 9),
};

let folder: string;
let asked: RangeQuery[];
let down: boolean;
let now: number;
let logged: string[];
let controllers: AbortController[];

const prometheus: Prometheus = {
  async range(query) {
    asked.push(query);
    if (down) throw new Failure('host', 'Cannot reach Prometheus at http://127.0.0.1:1: ECONNREFUSED.');
    const values = SERIES[/v="(\w+)"/.exec(query.query)?.[1] ?? ''];
    return { series: values === undefined ? [] : [{ labels: {}, values }], warnings: [] };
  },
};

type Answer = { status: number; body: Record<string, unknown> };
type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** One process of the API. */
async function serving(configs: string | null = join(folder, 'configs')) {
  const controller = new AbortController();
  controllers.push(controller);
  const context = quietContext({ signal: controller.signal, now: () => new Date(now) });
  const executions = new Executions({
    folder: join(folder, 'kept'),
    prometheus,
    context,
    log: (line) => logged.push(line),
  });
  await executions.resume();
  const api = kayentaApi({ configs, executions });
  const call: Call = async (method, path, body) => {
    const answer = await api.request(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const ended = async (path: string): Promise<Record<string, unknown>> => {
    for (let tries = 0; tries < 500; tries++) {
      const { body } = await call('GET', path);
      if (body.complete === true) return body;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${path} does not end`);
  };
  return { api, call, ended, stop: () => controller.abort(new Failure('interrupted', 'stopped')) };
}

function at(value: unknown, ...keys: (string | number)[]): unknown {
  return keys.reduce<unknown>(
    (found, key) => (found as Record<string | number, unknown> | undefined)?.[key],
    value,
  );
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pipeline-kayenta-api-'));
  asked = [];
  logged = [];
  controllers = [];
  down = false;
  now = Date.parse(END);
  await mkdir(join(folder, 'configs'));
  await writeFile(join(folder, 'configs', 'errors-1.json'), JSON.stringify(CONFIG));
  await writeFile(
    join(folder, 'configs', 'other.json'),
    JSON.stringify({ ...CONFIG, id: 'second', name: 'other', applications: ['bank'] }),
  );
});
afterEach(async () => {
  for (const controller of controllers) controller.abort(new Failure('interrupted', 'stopped'));
  await rm(folder, { recursive: true, force: true });
});

describe("Argo Rollouts' three calls", () => {
  it.each([
    ['good', 'alike', 'Successful'],
    ['good', 'bad', 'Failed'],
    ['good', 'absent', 'Inconclusive'],
    ['absent', 'gone', 'Inconclusive'],
  ] as const)('%s against %s: %s', async (baseline, candidate, phase) => {
    const { call, ended } = await serving();
    const client = argo(call);
    const id = await client.run(await client.configId('errors'), [baseline, candidate]);
    await ended(`/canary/${id}`);
    expect(await client.resume(id)).toBe(phase);
  });

  it('says what was asked of Prometheus', async () => {
    const { call, ended } = await serving();
    const client = argo(call);
    await ended(`/canary/${await client.run('errors-1', ['good', 'alike'])}`);
    expect(asked).toEqual(
      ['good', 'alike'].map((scope) => ({
        query: `errors{v="${scope}"}`,
        start: Date.parse(START) / 1000,
        end: Date.parse(END) / 1000,
        step: 60,
      })),
    );
  });

  it('ends without a score where Prometheus does not answer', async () => {
    const { call, ended } = await serving();
    const client = argo(call);
    down = true;
    const id = await client.run('errors-1', ['good', 'alike']);
    expect(await ended(`/canary/${id}`)).toMatchObject({
      status: 'terminal',
      exception: { details: { errors: [expect.stringContaining('Cannot reach Prometheus')] } },
    });
    expect(await client.resume(id)).toBe('Missing Score');
  });

  it('lists the configurations of the application, and knows no other', async () => {
    const { call } = await serving();
    expect(await argo(call).configId('errors')).toBe('errors-1');
    await expect(argo(call).configId('other')).rejects.toThrow('not found');
    expect((await call('GET', '/canaryConfig/second')).body).toMatchObject({ name: 'other' });
    expect(await call('POST', '/canary/nobody', { scopes: {}, thresholds: {} })).toEqual({
      status: 404,
      body: { message: 'There is no canary configuration "nobody".' },
    });
  });
});

describe('a standalone analysis', () => {
  const analysis = (candidate: string, more: object = {}) => ({
    canaryConfig: CONFIG,
    executionRequest: {
      scopes: [
        {
          controlScope: 'good',
          experimentScope: candidate,
          startTimeIso: START,
          endTimeIso: END,
          step: 60,
        },
      ],
      thresholds: { pass: 95, marginal: 75 },
      analysisIntervalMins: 30,
      ...more,
    },
  });

  it('judges each interval, and passes by the last', async () => {
    const { call, ended } = await serving(null);
    const { body } = await call('POST', '/standalone_canary_analysis?user=ann', analysis('alike'));
    const answer = await ended(`/standalone_canary_analysis/${body.canaryAnalysisExecutionId}`);
    expect(answer).toMatchObject({
      status: 'succeeded',
      user: 'ann',
      canaryAnalysisExecutionResult: { didPassThresholds: true, canaryScores: [100, 100] },
    });
    const first = at(answer, 'canaryAnalysisExecutionResult', 'canaryExecutionResults', 0, 'executionId');
    expect((await call('GET', `/canary/${first}`)).body).toMatchObject({ complete: true });
  });

  it('stops at the first judgement that fails', async () => {
    const { call, ended } = await serving(null);
    const { body } = await call('POST', '/standalone_canary_analysis', analysis('bad'));
    expect(await ended(`/standalone_canary_analysis/${body.canaryAnalysisExecutionId}`)).toMatchObject({
      status: 'terminal',
      canaryAnalysisExecutionResult: {
        didPassThresholds: false,
        canaryScores: [0],
        canaryScoreMessage: 'Final canary score 0 is not above the marginal score threshold.',
      },
    });
  });

  it('never passes for want of data', async () => {
    const { call, ended } = await serving(null);
    const { body } = await call('POST', '/standalone_canary_analysis', analysis('absent'));
    expect(await ended(`/standalone_canary_analysis/${body.canaryAnalysisExecutionId}`)).toMatchObject({
      canaryAnalysisExecutionResult: { didPassThresholds: false, hasWarnings: true },
    });
  });

  it('goes on after a restart in the middle', async () => {
    const live = analysis('alike', { lifetimeDurationMins: 60 });
    const scopes = live.executionRequest.scopes.map(({ endTimeIso: _, ...scope }) => scope);
    now = Date.parse(START) + 30 * 60_000;
    const first = await serving(null);
    const begun = await first.call('POST', '/standalone_canary_analysis', {
      ...live,
      executionRequest: { ...live.executionRequest, scopes },
    });
    const path = `/standalone_canary_analysis/${begun.body.canaryAnalysisExecutionId}`;
    await expect
      .poll(async () => at((await first.call('GET', path)).body, 'stageStatus'))
      .toEqual([{ name: 'Run Canary #1', status: 'succeeded' }]);
    expect((await first.call('GET', path)).body).toMatchObject({ complete: false, status: 'running' });
    first.stop();
    now = Date.parse(END);
    const second = await serving(null);
    expect(await second.ended(path)).toMatchObject({
      canaryAnalysisExecutionResult: { didPassThresholds: true, canaryScores: [100, 100] },
    });
    expect(asked).toHaveLength(4);
  });
});

describe('requests that do not fit', () => {
  it.each<[string, string, unknown, RegExp]>([
    ['no configuration', '/canary', { executionRequest: {} }, /canaryConfig must be provided/],
    ['no request', '/canary', { canaryConfig: CONFIG }, /executionRequest must be provided/],
    [
      'no metric',
      '/canary',
      { canaryConfig: { metrics: [] }, executionRequest: {} },
      /canaryConfig\.metrics/,
    ],
    [
      'no scope',
      '/canary/errors-1',
      { scopes: {}, thresholds: { pass: 9, marginal: 5 } },
      /nothing says the scope/,
    ],
    [
      'another judge',
      '/canary',
      { canaryConfig: { ...CONFIG, judge: { name: 'dredd-v1.0' } }, executionRequest: {} },
      /dredd-v1\.0/,
    ],
    ['no thresholds', '/standalone_canary_analysis/errors-1', { scopes: [{}] }, /thresholds/],
  ])('%s: 400, at once, and nothing is asked or kept', async (_, path, body, message) => {
    const { call } = await serving();
    const answer = await call('POST', path, body);
    expect(answer.status).toBe(400);
    expect(answer.body.message).toMatch(message);
    expect(asked).toEqual([]);
    expect(await readdir(join(folder, 'kept'))).toEqual([]);
  });

  it('refuses a form, which a page of another origin can send', async () => {
    const { api } = await serving();
    const answer = await api.request('/canary', { method: 'POST', body: '{}' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining('content-type') });
  });

  it('knows no execution of another name, and no path outside its folder', async () => {
    const { call } = await serving();
    for (const id of ['11111111-1111-1111-1111-111111111111', '..%2Fconfigs%2Ferrors-1', 'x'])
      expect((await call('GET', `/canary/${id}`)).status).toBe(404);
  });
});

describe('the folder of configurations', () => {
  it('is read again for each request', async () => {
    const { call } = await serving();
    await writeFile(join(folder, 'configs', 'third.json'), JSON.stringify({ ...CONFIG, name: 'third' }));
    expect(await argo(call).configId('third')).toBe('third');
  });

  it.each([
    ['broken.json', '{', /broken\.json is not a canary configuration/],
    ['list.json', '[]', /list\.json is not a canary configuration/],
    ['twice.json', JSON.stringify({ ...CONFIG, id: 'errors-1' }), /the same id "errors-1"/],
  ])('refuses %s by name', async (file, text, message) => {
    const { call } = await serving();
    await writeFile(join(folder, 'configs', file), text);
    const answer = await call('GET', '/canaryConfig');
    expect(answer.status).toBe(400);
    expect(answer.body.message).toMatch(message);
  });
});
