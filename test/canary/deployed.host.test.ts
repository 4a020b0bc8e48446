/** Canaries of versions that a deploy brings: files, processes, languages, WARs, databases. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SIDES, type SideName } from '../../src/judge/sides.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { makeRepository } from '../support/repository.ts';
import { type CanaryLab, labIn } from './lab.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined)
  process.stderr.write(`test/canary/deployed.host.test.ts skipped: ${unavailable}\n`);

const SHORT = { durationMs: 8_000 };

describe.skipIf(unavailable !== undefined)('a canary of what a deploy brings', () => {
  let lab: CanaryLab;
  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pipeline-canary-'));
    const versions = ['good', 'broken', 'unstartable', 'forgetful', 'backlog', 'stubborn'];
    const tally = makeRepository(
      join(directory, 'tally'),
      Object.fromEntries(
        versions.map((name) => [name, { version: name, 'public/index.html': '<h1>Tally</h1>\n' }]),
      ),
      join(import.meta.dirname, 'tally'),
    );
    const site = makeRepository(join(directory, 'site'), {
      good: { 'index.html': '<h1>Welcome</h1>\n', 'about.html': '<h1>About</h1>\n' },
      wrong: { 'about.html': '<h1>Abuot</h1>\n' },
    });
    const item = {
      method: 'POST',
      path: '/api/items',
      headers: { 'content-type': 'application/json' },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a name in a step
      body: '{"token": "${token}"}',
      status: 201,
    };
    lab = await labIn(directory, {
      signed: {
        source: tally,
        runtime: 'command',
        start: 'python3 server.py',
        health: { path: '/api/ready', status: 200 },
        canary: {
          flows: [
            {
              name: 'add items',
              steps: [{ path: '/api/form', capture: { token: { json: 'form.token' } } }, item, item],
            },
          ],
          rate: 60,
          ignore_body: ['"token": "[^"]*"'],
        },
      },
      tally: {
        source: tally,
        runtime: 'command',
        start: 'python3 server.py',
        processes: { worker: { run: 'python3 worker.py' } },
        health: { path: '/api/ready', status: 200 },
        site: { static: 'public', routes: ['/api'] },
        canary: {
          requests: [{ path: '/api/count' }, { path: '/' }],
          rate: 60,
          metrics: [{ name: 'queue depth', path: '/numbers', json: 'queue.depth', role: 'critical' }],
        },
      },
      keeper: {
        source: tally,
        runtime: 'command',
        start: 'python3 server.py',
        health: { path: '/api/ready', status: 200 },
        canary: { requests: [{ path: '/api/keep' }], rate: 40 },
      },
      site: {
        source: site,
        runtime: 'static',
        canary: { requests: [{ path: '/' }, { path: '/about.html' }], rate: 60 },
      },
    });
  });
  afterAll(() => lab?.stop());

  it('compares a command with a worker and files: itself against itself', async () => {
    const { report, exitKind } = await lab.run('good', 'good', { app: 'tally', ...SHORT });
    expect(exitKind).not.toBe('rejected');
    expect(report.load?.failed).toBe(0);
    expect(report.events).toEqual([]);
    const seen = report.experiment.seconds.map((second) => second.candidate);
    // The worker computes all the time; a web process alone would need less.
    expect(seen.filter(({ cpuSeconds }) => (cpuSeconds ?? 0) > 0).length).toBeGreaterThan(4);
    expect(Object.keys(seen.at(-1)?.routes ?? {}).sort()).toEqual(['GET /', 'GET /api/count']);
  });

  it('rejects one whose requests fail, with its last words', async () => {
    const { report, exitKind } = await lab.run('good', 'broken', { app: 'tally' });
    expect(exitKind).toBe('rejected');
    expect(report.verdict.decidedBy).toContain('errors (5xx)');
    expect(report.logs.candidate.join('\n')).toContain('the tally is lost');
  });

  it('lets visitors sign in, each on one side, and rejects a version that fails behind the sign-in', async () => {
    const same = await lab.run('good', 'good', { app: 'signed', ...SHORT });
    expect(same.exitKind).not.toBe('rejected');
    const status = (key: '2xx' | '4xx' | '5xx') =>
      same.report.experiment.seconds
        .flatMap(({ baseline, candidate }) =>
          [baseline, candidate].flatMap(({ routes }) => Object.values(routes)),
        )
        .reduce((sum, route) => sum + (route.status[key] ?? 0), 0);
    expect(status('2xx')).toBeGreaterThan(200);
    expect(status('4xx') + status('5xx')).toBe(0);
    expect(same.report.remarks.join()).toMatch(/came to the end of "add items": \d+ of the baseline's \d+/);
    const { report, exitKind } = await lab.run('good', 'forgetful', { app: 'signed' });
    expect(exitKind).toBe('rejected');
    expect(report.verdict.decidedBy).toContain('errors (5xx)');
    expect(report.remarks.join()).toMatch(/0 of the candidate's \d+ \(most others ended at add items: POST/);
  });

  it('rejects one by a number that the service itself exposes', async () => {
    const { report, exitKind } = await lab.run('good', 'backlog', { app: 'tally', durationMs: 120_000 });
    expect(exitKind).toBe('rejected');
    expect(report.verdict.decidedBy).toEqual(['queue depth']);
  });

  it('kills the processes of both sides alike, and says how long each took to recover', async () => {
    const { report, exitKind } = await lab.run('good', 'good', {
      app: 'tally',
      durationMs: 25_000,
      faults: ['kill:process@8s+5s'],
    });
    expect(exitKind).not.toBe('rejected');
    expect(
      report.events
        .filter(({ kind }) => kind === 'restarted')
        .map(({ side }) => side)
        .sort(),
    ).toEqual(['baseline', 'candidate']);
    const row = report.verdict.metrics.find(({ kind }) => kind === 'recovery');
    expect(row).toMatchObject({ name: 'recovery after kill:process@8s+5s', role: 'informative' });
    expect(row?.observed.baseline).toBeLessThan(15);
    for (const host of ['blue', 'green'])
      expect(await lab.on(host, 'ls /var/lib/pipeline-fault 2>/dev/null; nft list tables')).not.toContain(
        'fault',
      );
  });

  it('fills the disks of both sides alike, and rejects one that does not recover', async () => {
    const faults = ['disk:full@4s+4s'];
    await lab.run('good', 'good', { app: 'keeper', ...SHORT });
    await expect(lab.run('good', 'good', { app: 'keeper', faults })).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(/^(blue|green) shares its disk with this machine/),
      next: expect.stringContaining('prod destroy --canary'),
    });
    await lab.removeHosts();
    const same = await lab.run('good', 'good', { app: 'keeper', durationMs: 20_000, faults });
    expect(same.exitKind).not.toBe('rejected');
    const failed = (side: SideName) =>
      same.report.experiment.seconds
        .filter((second) => (second[side].routes['GET /api/keep']?.status['5xx'] ?? 0) > 0)
        .map(({ at }) => at);
    for (const side of SIDES) {
      expect(failed(side).length).toBeGreaterThan(1);
      expect(failed(side).every((at) => at >= 3 && at <= 9)).toBe(true);
    }
    expect(await lab.on('blue', 'ls /var/lib/pipeline-fault 2>/dev/null || true')).toBe('');
    const { exitKind, report } = await lab.run('good', 'stubborn', { app: 'keeper', faults });
    expect(exitKind).toBe('rejected');
    expect(report.verdict.decidedBy).toContain('errors (5xx)');
    await lab.removeHosts();
  });

  it('rejects one that does not start', async () => {
    const { report, exitKind } = await lab.run('good', 'unstartable', { app: 'tally' });
    expect(exitKind).toBe('rejected');
    expect(report.stopped).toBe('never started');
    expect(report.logs.candidate.join('\n')).toContain('TALLY_KEY is not set');
  });

  it('compares files that nginx serves', async () => {
    const same = await lab.run('good', 'good', { app: 'site', ...SHORT });
    expect(same.exitKind).not.toBe('rejected');
    const { report, exitKind } = await lab.run('good', 'wrong', { app: 'site' });
    expect(exitKind).toBe('rejected');
    expect(report.verdict.decidedBy).toEqual(['wrong bodies']);
  });
});
