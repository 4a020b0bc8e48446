/** The bundled agent as it runs on a host: started, fed, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeWindows } from '../../src/metrics/merge.ts';
import { parseSample, type Sample } from '../../src/metrics/wire.ts';
import { spawnMortal } from '../support/mortal.ts';
import { redisUnavailable, TestRedis } from './redis-server.ts';
import { bundleAgent, until } from './support.ts';

const reason = redisUnavailable();
if (reason !== undefined) process.stderr.write(`test/agent/run.test.ts skipped: ${reason}\n`);

const line = (release: string, status: number) =>
  `{"msec":1700000000.123,"app":"checkbox","colour":"blue","release":"${release}",` +
  '"method":"GET","uri":"/api/study/load/7",' +
  `"status":${status},"bytes":100,"time":0.020,"upstream_time":"0.019",` +
  `"upstream_status":"${status}","upstream_addr":"x","id":"y"}\n`;

describe.skipIf(reason !== undefined)('agent.js run', () => {
  const directory = mkdtempSync(join(tmpdir(), 'pipeline-run-'));
  const log = join(directory, 'checkbox.json.log');
  let redis: TestRedis;
  let agent: { path: string; remove: () => void };
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    [redis, agent] = await Promise.all([TestRedis.start(), bundleAgent()]);
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    agent?.remove();
    await redis?.remove();
    rmSync(directory, { recursive: true });
  });

  async function start(host: string): Promise<{ child: ChildProcess; output: () => string }> {
    const config = join(directory, `${host}.json`);
    const address = await redis.addAgent(host, 'secret');
    const logs = [{ server: 'nginx', path: join(directory, '*.json.log') }];
    const stores = [{ name: 'cache', kind: 'redis', address: redis.socket }];
    const checks = [{ name: 'redis', tcp: `127.0.0.1:${redis.port}`, everySeconds: 1 }];
    writeFileSync(
      config,
      JSON.stringify({ host, intervalSeconds: 0.5, redis: address, logs, stores, checks }),
      { mode: 0o600 },
    );
    const child = spawnMortal(process.execPath, [agent.path, 'run', '--config', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    let output = '';
    child.stderr?.on('data', (data) => {
      output += data;
    });
    return { child, output: () => output };
  }

  async function samples(host: string): Promise<Sample[]> {
    return (await redis.entries(`in:${host}:samples`)).map((fields) => {
      const parsed = parseSample(fields, host);
      if (!parsed.ok) throw new Error(parsed.reason);
      return parsed.value;
    });
  }

  it('measures this host, and every request of its log, until it is told to stop', async () => {
    writeFileSync(log, line('r0', 200).repeat(5)); // from before: not counted
    const { child, output } = await start('checkbox');
    await until('the first sample', () => (output().includes('Measuring checkbox') ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 700));
    appendFileSync(log, line('r1', 200).repeat(30) + line('r2', 500).repeat(3));
    await new Promise((resolve) => setTimeout(resolve, 1200));
    appendFileSync(log, `${line('r1', 200).repeat(7)}not JSON\n`);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(output()).toContain('every sample was delivered');

    const sent = await samples('checkbox');
    expect(sent.map(({ sequence }) => sequence)).toEqual(sent.map((_, i) => i));
    const whole = mergeWindows(sent.map(({ window }) => window));
    expect(
      whole?.routes.map(({ release, route, requests, status_5xx }) => [release, route, requests, status_5xx]),
    ).toEqual([
      ['r1', '/api/study/load/:id', 37, 0],
      ['r2', '/api/study/load/:id', 3, 3],
    ]);
    expect(whole?.agent).toMatchObject([{ lines: 41, lines_unreadable: 1, dropped: 0 }]);
    expect(whole?.stores).toMatchObject([{ store: 'cache', error: '' }]);
    expect(whole?.checks[0]).toMatchObject({ check: 'redis', error: '' });
    expect(whole?.disks.map(({ mount }) => mount)).toContain('/');
    const system = whole?.system[0];
    for (const column of ['cpu', 'memory_total', 'memory_used', 'uptime'] as const) {
      expect(system?.[column], column).not.toBeNull();
    }
  });

  it('keeps what it measured while Redis is away, and delivers it after', async () => {
    const { child, output } = await start('itrust');
    await until('some samples', () => (output().includes('Measuring') ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await redis.kill();
    await until('the trouble', () => (output().includes('Samples are kept') ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await redis.resume();
    await until('the end of it', () => (output().includes('answers again') ? true : undefined));
    child.kill('SIGTERM');
    await once(child, 'exit');
    const sent = await samples('itrust');
    expect(sent.length).toBeGreaterThan(5);
    expect(sent.map(({ sequence }) => sequence)).toEqual(sent.map((_, i) => i));
    expect(output()).not.toContain('secret');
  });

  it.each([
    [['run', '--config', '/nosuch.json'], 2, /cannot be read/],
    [['check', '--config', '/nosuch.json'], 2, /pipeline monitor setup/],
    [['fly'], 2, /no command "fly"/],
    [[], 2, /Usage/],
    [['stream'], 2, /one of --nginx-log, --unit and --numbers/],
    [['stream', '--unit', 'a', '--interval', 'x'], 2, /--interval/],
    [['stream', '--what'], 2, /what/],
  ])('%j exits %i with a sentence', async (args, code, text) => {
    const child = spawn(process.execPath, [agent.path, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.on('data', (data) => {
      output += data;
    });
    expect(await once(child, 'exit')).toEqual([code, null]);
    expect(output).toMatch(text);
  });
});
