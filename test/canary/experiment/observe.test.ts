/** The whole experiment against a proxy and agents that are of this process: load, lines, judge, end. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { observeExperiment } from '../../../src/canary/experiment/observe.ts';
import { type CanaryOptions, planRun } from '../../../src/canary/experiment/plan.ts';
import { coloursOf } from '../../../src/canary/experiment/sides.ts';
import type { Lab, LabHost } from '../../../src/canary/lab/hosts.ts';
import { COLOUR_HEADER, siteOf } from '../../../src/canary/lab/site.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { quietContext } from '../../../src/context.ts';
import { SIDES, type SideName } from '../../../src/judge/sides.ts';
import type { SiteProxy } from '../../../src/proxy/proxy.ts';
import type { Connection, RunOptions, RunResult } from '../../../src/ssh/connection.ts';

/** Agents say a line a second. */
const LINE_MS = 1_000;
const OPTIONS: CanaryOptions = {
  baseline: 'a',
  candidate: 'b',
  seed: 1,
  keep: false,
  rate: 200,
  durationMs: 5_000,
};

/** Requests that were answered since the last line, by colour and status. */
type Log = Map<string, number>;

interface World {
  /** Status that each side answers with. */
  readonly status: Readonly<Record<SideName, number>>;
  /** Lines after which the agent of that host ends; absent: never. */
  readonly agentEnds?: Partial<Record<'proxy' | 'blue' | 'green', number>>;
}

async function experimentIn({ status, agentEnds = {} }: World, signal = new AbortController().signal) {
  const context = quietContext({ signal });
  const log: Log = new Map();
  const server = await serve(log, () => colours, status);
  const { port } = server.address() as AddressInfo;
  const values = configSchema.parse({
    project: 'test',
    hosts: { web: {} },
    apps: {
      preview: {
        source: 'x',
        hosts: ['web'],
        site: { port },
        canary: { requests: [{ path: '/' }], warm_up: '0s' },
      },
    },
  });
  const plan = planRun({ ...values, path: '/p/pipeline.yml', directory: '/p' }, OPTIONS);
  const colours = coloursOf(plan);
  const host = (name: 'proxy' | 'blue' | 'green'): LabHost => ({
    name,
    address: '127.0.0.1',
    connection: agentOn(name === 'proxy' ? log : null, agentEnds[name] ?? Number.POSITIVE_INFINITY),
  });
  const hosts = { proxy: host('proxy'), blue: host('blue'), green: host('green') };
  const lab: Lab = { hosts, operators: [], remains: null, close: async () => {} };
  const sides = { baseline: hosts[colours.baseline], candidate: hosts[colours.candidate] };
  const request = {
    name: 'GET /',
    method: 'GET',
    path: '/',
    paths: { baseline: '/', candidate: '/' },
    headers: {},
    body: null,
    weight: 1,
  };
  const weights: unknown[] = [];
  const proxy: SiteProxy = {
    reconcile: async () => ({ changed: true }),
    setWeights: async (_, given) => {
      weights.push(given);
    },
    getWeights: async () => null,
    remove: async () => {},
  };
  let shown = 0;
  const observed = await observeExperiment(
    {
      plan,
      lab,
      hosts: sides,
      databases: [],
      answersAt: { baseline: '127.0.0.1:1', candidate: '127.0.0.1:1' },
      units: { baseline: ['a.service'], candidate: ['a.service'] },
      agent: { path: '', sha256: 'x', node: '20.0.0' },
      requests: [request],
      proxy,
      site: siteOf(plan, sides, 80, [request]),
      onSnapshot: () => {
        shown++;
      },
    },
    context,
  );
  server.closeAllConnections();
  server.close();
  return { observed, weights, shown };
}

/** The proxy: requests in turn to one colour and the other. */
async function serve(
  log: Log,
  colours: () => Readonly<Record<SideName, string>>,
  status: World['status'],
): Promise<Server> {
  let turn = 0;
  const server = createServer((_, response) => {
    const side = SIDES[turn++ % 2] ?? 'baseline';
    const key = `${colours()[side]} ${status[side]}`;
    log.set(key, (log.get(key) ?? 0) + 1);
    response.writeHead(status[side], { [COLOUR_HEADER]: colours()[side] }).end('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** A host whose only program is the agent's stream. @param log of the proxy; null: a unit is watched */
function agentOn(log: Log | null, endsAfter: number): Connection {
  const script = (_: string, { onStdout, signal }: RunOptions) =>
    new Promise<RunResult>((resolve) => {
      let lines = 0;
      const end = () => {
        clearInterval(timer);
        resolve({ exitCode: 1, stdout: '', stderr: 'gone' } as RunResult);
      };
      const timer = setInterval(() => {
        if (lines++ >= endsAfter) return end();
        onStdout?.(JSON.stringify(log === null ? unitLine() : trafficLine(log)));
      }, LINE_MS);
      signal?.addEventListener('abort', end);
    });
  const unused = () => Promise.reject(new Error('not used by an experiment'));
  return {
    target: { name: 'fake', address: '127.0.0.1', port: 22, user: 'root' } as Connection['target'],
    script,
    check: unused,
    upload: unused,
    tunnel: unused,
    sshArguments: () => [],
    close: async () => {},
  };
}

const at = () => Date.now() / 1000;
const unitLine = () => ({
  kind: 'unit',
  at: at(),
  seconds: LINE_MS / 1000,
  unit: 'x.service',
  state: 'active',
  sub: 'running',
  restarts: 0,
  cpuSeconds: 0.01,
  memoryBytes: 1e6,
  logLines: 0,
  errorLines: 0,
});

function trafficLine(log: Log): unknown {
  const groups = [...log].map(([key, requests]) => {
    const [colour, status = '200'] = key.split(' ');
    const histogram = { sum: requests * 4, zero: 0, counts: { 71: Number(status) < 500 ? requests : 0 } };
    return {
      app: 'preview',
      colour,
      release: '',
      method: 'GET',
      route: '/',
      requests,
      status: { [status]: requests },
      retries: 0,
      bytes: 0,
      latency: histogram,
      upstream: histogram,
      size: histogram,
    };
  });
  log.clear();
  return {
    kind: 'traffic',
    at: at(),
    seconds: LINE_MS / 1000,
    lines: 1,
    unreadable: 0,
    skippedBytes: 0,
    groups,
  };
}

const HEALTHY = { baseline: 200, candidate: 200 };

describe.concurrent('an experiment', () => {
  it('stops as soon as the candidate is shown to fail, and accounts for the load', async () => {
    const { observed, weights, shown } = await experimentIn({ status: { ...HEALTHY, candidate: 500 } });
    expect(observed).toMatchObject({ stopped: 'decided', events: [], remarks: [] });
    expect(weights).toEqual([{ blue: 50, green: 50 }]);
    expect(shown).toBeGreaterThan(0);
    const { sent = 0, answered = 0, failed } = observed.load ?? {};
    // How many were under way when it stopped depends on how busy the machine is.
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThanOrEqual(sent);
    expect(failed).toBe(0);
    const statuses = observed.experiment.seconds.map(({ candidate }) => candidate.routes['GET /']?.status);
    expect(statuses[0]).toMatchObject({ '5xx': expect.any(Number) });
  });

  it('of two that are equal goes on to its end', async () => {
    const { observed } = await experimentIn({ status: HEALTHY });
    // The judge's deadline and the load's are one: whichever is noticed first.
    expect(['deadline', 'decided']).toContain(observed.stopped);
    expect(observed.experiment.seconds.length).toBeGreaterThanOrEqual(4);
    expect(observed.differences).toEqual([]);
    expect(observed.experiment.seconds.some(({ baseline }) => (baseline.bodies?.compared ?? 0) > 0)).toBe(
      true,
    );
  });

  it.each([
    ['in the middle', 3],
    ['before the load begins', 1],
  ])('whose host falls silent %s ends with what there is', async (_title, lines) => {
    const { observed } = await experimentIn({ status: HEALTHY, agentEnds: { blue: lines } });
    expect(observed.stopped).toBe('side lost');
    expect(observed.events).toMatchObject([{ kind: 'silent', detail: expect.stringContaining('blue') }]);
  });

  it('that is interrupted ends with what there is', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('Ctrl-C')), 3_500);
    const { observed } = await experimentIn({ status: HEALTHY }, stop.signal);
    expect(observed.stopped).toBe('interrupted');
    expect(observed.load?.sent).toBeGreaterThan(0);
  });
});
