/** What we send to, and read from, the engines that people run: Debian's Prometheus and VictoriaMetrics. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { judgeFile } from '../../src/canary/judging/judge-file.ts';
import { quietContext } from '../../src/context.ts';
import { newHost, remember } from '../../src/hub/intake/fleet.ts';
import { exposition } from '../../src/hub/prometheus/exposition.ts';
import { RemoteWrite } from '../../src/hub/prometheus/remote-write.ts';
import { Totals } from '../../src/hub/prometheus/totals.ts';
import { prometheusAt } from '../../src/metrics/prometheus.ts';
import { window } from '../metrics/windows.ts';
import { freePort } from '../proxy/real-nginx.ts';
import { debianProgram } from '../support/debian-program.ts';

const PROMETHEUS = debianProgram('prometheus', '--version');
const VICTORIA = debianProgram('victoria-metrics', '-version');
const missing = (program: string | undefined) =>
  program === undefined ? ': skipped, run `node scripts/programs.mjs`' : '';

/** Whole seconds, a few minutes ago: engines refuse what is old. */
const START = Math.floor(Date.now() / 1000) * 1000 - 300_000;
const WINDOWS = 60;

interface Engine {
  readonly program: string | undefined;
  readonly write: string;
  readonly arguments: (folder: string, port: number) => readonly string[];
}

const ENGINES: Readonly<Record<string, Engine>> = {
  prometheus: {
    program: PROMETHEUS,
    write: '/api/v1/write',
    arguments: (folder, port) => [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
    ],
  },
  'victoria-metrics': {
    program: VICTORIA,
    write: '/api/v1/write',
    arguments: (folder, port) => [
      `-storageDataPath=${join(folder, 'data')}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      `-promscrape.config=${join(folder, 'prometheus.yml')}`,
      '-search.latencyOffset=0s',
    ],
  },
};

/** One engine in a folder of its own; stopped, it starts again with what it has. */
class Running {
  readonly folder = mkdtempSync(join(tmpdir(), 'pipeline-engine-'));
  readonly #engine: Engine;
  #process: ChildProcess | undefined;
  address = '';

  constructor(engine: Engine, scrape: string) {
    this.#engine = engine;
    writeFileSync(
      join(this.folder, 'prometheus.yml'),
      'scrape_configs:\n- job_name: pipeline\n  scrape_interval: 1s\n  static_configs:\n  - ' +
        `targets: [${scrape}]\n`,
    );
  }

  async start(port: number): Promise<void> {
    const program = this.#engine.program ?? '';
    this.#process = spawn(program, this.#engine.arguments(this.folder, port), { stdio: 'ignore' });
    this.address = `http://127.0.0.1:${port}`;
    const query = `${this.address}/api/v1/query?query=1`;
    await vi.waitFor(async () => expect((await fetch(query)).status).toBe(200), {
      timeout: 30_000,
      interval: 100,
    });
  }

  async stop(): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get write(): string {
    return `${this.address}${this.#engine.write}`;
  }

  /** Every stored sample of a series: [milliseconds, value]. */
  async samples(selector: string): Promise<[number, number][]> {
    const query = new URLSearchParams({ query: `${selector}[1h]` });
    const answer = (await (await fetch(`${this.address}/api/v1/query?${query}`)).json()) as {
      data: { result: { values: [number, string][] }[] };
    };
    return answer.data.result.flatMap(({ values }) =>
      values.map(([at, value]): [number, number] => [Math.round(at * 1000), Number(value)]),
    );
  }
}

const requests = (release: string, failed: number) => ({
  server: 'nginx',
  app: 'shop',
  colour: release === 'v1' ? 'blue' : 'green',
  release,
  method: '*',
  route: '*',
  requests: 100,
  status_2xx: 100 - failed,
  status_3xx: 0,
  status_4xx: 0,
  status_5xx: failed,
  retries: 0,
  bytes: 1000,
  latency: { sum: 2000, zero: 0, counts: { 152: 100 } },
  size: { sum: 0, zero: 0, counts: {} },
});

/**
 * Text of a shop's exporter: three versions that answer 40 requests a second, of which the second fails a tenth.
 */
function shop(seconds: number): string {
  const versions = { v1: 0, v2: 4, v3: 0 };
  return Object.entries(versions)
    .flatMap(([version, failed]) => {
      const count = (labels: string, each: number) => `{version="${version}",${labels}} ${each * seconds}`;
      const upTo = { '0.025': 20, '0.05': 38, '0.1': 40, '+Inf': 40 };
      return [
        `shop_requests_total${count('code="200"', 40 - failed)}`,
        ...(failed === 0 ? [] : [`shop_requests_total${count('code="500"', failed)}`]),
        ...Object.entries(upTo).map(
          ([le, each]) => `shop_duration_seconds_bucket${count(`le="${le}"`, each)}`,
        ),
      ];
    })
    .join('\n')
    .concat('\n');
}

describe.each(Object.entries(ENGINES))('%s', (name, engine) => {
  describe.skipIf(engine.program === undefined)(`as Debian has it${missing(engine.program)}`, () => {
    const totals = new Totals();
    const host = newHost('web');
    const began = Date.now();
    // What a scrape finds: the totals as they are then.
    const hub = createServer((_, response) => {
      const ours = exposition({ fleet: [host], totals, remoteWrite: undefined }, Date.now());
      response.end(ours + shop(Math.floor((Date.now() - began) / 1000)));
    });
    const stop = new AbortController();
    let running: Running;
    let write: RemoteWrite;
    let port: number;
    const log: string[] = [];

    beforeAll(async () => {
      await new Promise<void>((done) => hub.listen(0, '127.0.0.1', done));
      port = await freePort();
      running = new Running(engine, `127.0.0.1:${(hub.address() as AddressInfo).port}`);
      await running.start(port);
      write = new RemoteWrite({
        url: running.write,
        headers: {},
        totals,
        signal: stop.signal,
        log: (line) => log.push(line),
        firstDelayMs: 50,
      });
      void write.run();
    }, 60_000);

    afterAll(async () => {
      stop.abort();
      hub.close();
      hub.closeAllConnections();
      await running?.remove();
    });

    const at = (index: number) => START + index * 1000;
    const push = (index: number) => {
      totals.add('web', [requests('v1', 1), requests('v2', index % 10 === 0 ? 40 : 30)]);
      const check = { check: 'site', target: '', up: 1, duration: 100 + index, error: '' };
      const made = window({ host: 'web', at: at(index), checks: [check] });
      remember(host, { ...made, at: Date.now() }, Date.now());
      write.push(made);
    };

    it('takes every sample once, with its time, over its restart', async () => {
      for (let index = 0; index < WINDOWS / 2; index++) push(index);
      await expect.poll(() => write.state.queued, { timeout: 20_000 }).toBe(0);
      await running.stop();
      for (let index = WINDOWS / 2; index < WINDOWS; index++) push(index);
      await expect.poll(() => write.state.trouble, { timeout: 20_000 }).toContain('does not answer');
      await running.start(port);
      await expect.poll(() => write.state, { timeout: 30_000 }).toMatchObject({ queued: 0, trouble: '' });
      expect(write.state.dropped).toBe(0);
      const wanted = Array.from({ length: WINDOWS }, (_, index) => [at(index), (100 + index) / 1000]);
      await expect
        .poll(() => running.samples('pipeline_checks_duration_seconds{check="site",job=""}'), {
          timeout: 20_000,
          interval: 500,
        })
        .toEqual(wanted);
    }, 120_000);

    it('gives the totals that the hub has, by a query of a dashboard', async () => {
      const total = 'pipeline_http_requests_total{release="v1",code="5xx",job=""}';
      expect((await running.samples(total)).map(([, value]) => value)).toEqual(
        Array.from({ length: WINDOWS }, (_, index) => index + 1),
      );
      const { series } = await prometheusAt(running.address, quietContext()).range(
        {
          query: `rate(${total}[30s])`,
          start: at(WINDOWS - 1) / 1000,
          end: at(WINDOWS - 1) / 1000,
          step: 1,
        },
        'a chart',
      );
      expect(series[0]?.values[0]).toBeCloseTo(1, 1);
    });

    it('scrapes the hub, and finds nothing wrong with its text', async () => {
      await expect
        .poll(
          async () => {
            remember(host, window({ host: 'web', at: Date.now() }), Date.now());
            return (await running.samples('pipeline_up{host="web",job="pipeline"}')).length;
          },
          { timeout: 30_000, interval: 500 },
        )
        .toBeGreaterThan(2);
      const up = await running.samples('up{job="pipeline"}');
      expect(up.at(-1)?.[1]).toBe(1);
    }, 60_000);

    it('is read by judge --prometheus', async () => {
      const errors = `PromQL:rate(pipeline_http_requests_total{release="$\{scope}",code="5xx",job=""}[10s])`;
      const file = join(running.folder, 'canary.json');
      writeFileSync(
        file,
        JSON.stringify({
          name: 'shop',
          judge: { name: 'NetflixACAJudge-v1.0', judgeConfigurations: {} },
          metrics: [
            {
              name: 'errors',
              groups: ['requests'],
              query: { type: 'prometheus', customInlineTemplate: errors },
              analysisConfigurations: { canary: { direction: 'increase', nanStrategy: 'replace' } },
            },
          ],
          classifier: { groupWeights: { requests: 100 }, scoreThresholds: { pass: 95, marginal: 75 } },
        }),
      );
      const judged = await judgeFile(file, {
        prometheus: {
          source: prometheusAt(running.address, quietContext()),
          scopes: {
            baseline: 'v1',
            candidate: 'v2',
            start: at(10) / 1000,
            end: at(WINDOWS - 1) / 1000,
            step: 1,
          },
        },
      });
      expect(judged).toMatchObject({ kind: 'kayenta', outcome: 'failed' });
    });

    it('gives the sequential judge what another exporter counted', async () => {
      const file = join(running.folder, 'counters.json');
      const scope = `$\{scope}`;
      writeFileSync(
        file,
        JSON.stringify({
          judge: 'sequential',
          requests: `shop_requests_total{version="${scope}"}`,
          latency: `shop_duration_seconds_bucket{version="${scope}"}`,
        }),
      );
      const judge = async (candidate: string) => {
        const end = Math.floor(Date.now() / 1000) - 1;
        const scopes = { baseline: 'v1', candidate, start: end - 60, end, step: 2 };
        const source = prometheusAt(running.address, quietContext());
        const judged = await judgeFile(file, { prometheus: { source, scopes } });
        if (judged.kind !== 'counters') throw new Error(`It was judged as ${judged.kind}.`);
        return judged.verdict;
      };
      await expect
        .poll(async () => (await judge('v2')).verdict, { timeout: 60_000, interval: 2000 })
        .toBe('failed');
      const failed = await judge('v2');
      expect(failed.decidedBy).toContain('errors (5xx)');
      expect(failed.samples.candidate % 40).toBe(0);
      const same = await judge('v3');
      expect(same.verdict).not.toBe('failed');
      const median = same.metrics.find((metric) => metric.name === 'latency p50')?.observed;
      expect(median?.baseline).toBeGreaterThan(20);
      expect(median?.baseline).toBeLessThan(30);
    }, 90_000);

    it(`says of ${name} that it was away, and that it is back`, () => {
      expect(log[0]).toMatch(/^Remote write: /);
      expect(log.at(-1)).toBe('Remote write: samples are taken again.');
    });
  });
});
