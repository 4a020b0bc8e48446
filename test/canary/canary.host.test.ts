import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CanaryResult } from '../../src/canary/experiment/run.ts';
import { reportFolder, writeReport } from '../../src/canary/judging/files.ts';
import { judgeFile } from '../../src/canary/judging/judge-file.ts';
import { replayOf } from '../../src/canary/load/replay.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { type CanaryLab, canaryLab } from './lab.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined) process.stderr.write(`skipped: canary on real hosts: ${unavailable}\n`);

/** Seconds of traffic that a version which fails everything may cost. */
const SOON = 6;

describe.skipIf(unavailable !== undefined)('a canary on three real hosts', () => {
  let lab: CanaryLab;
  beforeAll(async () => {
    lab = await canaryLab({ duration: '60s' });
  });
  afterAll(async () => {
    await lab.stop();
  });

  it('says that a ref does not exist before any host is made', async () => {
    await expect(lab.run('good', 'brokn')).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('brokn'),
    });
    expect(await lab.hosts()).toEqual([]);
  });

  it('rejects a version whose every request fails, by its errors, within seconds', async () => {
    const { report, exitKind } = await lab.run('good', 'broken');
    expect(exitKind).toBe('rejected');
    expect(report.verdict).toMatchObject({
      verdict: 'failed',
      decidedBy: expect.arrayContaining(['errors (5xx)']),
    });
    expect(report.verdict.stoppedAfter.seconds).toBeLessThanOrEqual(SOON);
    expect(report.stopped).toBe('decided');
    expect(report.logs.candidate.join('\n')).toContain('markdown.lines is not a function');
    expect(report.hosts.map(({ versions }) => Object.keys(versions))).toEqual([
      expect.arrayContaining(['nginx', 'debian', 'linux']),
      expect.arrayContaining(['node', 'debian', 'linux']),
      expect.arrayContaining(['node', 'debian', 'linux']),
    ]);
    await sameAgain({ report, exitKind });
  });

  it('sends what production was asked, at its distances', async () => {
    const served = Array.from({ length: 400 }, (_, index) => ({
      at: index * 20 + (index % 4) * 4,
      method: 'GET',
      uri: index % 3 === 0 ? '/?lang=en' : '/',
    }));
    const replay = replayOf(served, { routes: ['/'], exclude: [] }) ?? undefined;
    const { report } = await lab.run('good', 'good', { replay, times: 2, durationMs: 6_000, seed: 3 });
    expect(report.plan).toMatchObject({
      rate: expect.closeTo(100, 0),
      replay: expect.stringContaining("replays 100 % of production's requests (400 of 400)"),
      requests: [
        { name: 'GET /', weight: 266 },
        { name: 'GET /?lang=en', weight: 134 },
      ],
    });
    expect(report.load?.sent).toBeGreaterThan(500);
    expect(report.load?.sent).toBeLessThan(700);
  });

  it('never rejects a version against itself, and measures both sides', async () => {
    const { report } = await lab.run('good', 'good', { durationMs: 20_000, seed: 5 });
    expect(report.verdict.verdict).not.toBe('failed');
    expect(report.verdict.notes.join(' ')).toContain('Both refs are commit');
    const { baseline, candidate } = report.verdict.samples;
    expect(baseline + candidate).toBeGreaterThan(1_500);
    expect(Math.min(baseline, candidate) / Math.max(baseline, candidate)).toBeGreaterThan(0.75);
    const seen = report.experiment.seconds.map((second) => second.candidate);
    expect(seen.filter(({ cpuSeconds }) => (cpuSeconds ?? 0) > 0).length).toBeGreaterThan(15);
    expect(seen.filter(({ memoryBytes }) => (memoryBytes ?? 0) > 1e6).length).toBeGreaterThan(15);
    expect(seen.filter(({ bodies }) => (bodies?.compared ?? 0) > 0).length).toBeGreaterThan(10);
    const { sent = 0, skipped = 0, failed } = report.load ?? {};
    expect(failed).toBe(0);
    // The deadline counts from the first request that the proxy saw: on a busy machine the last few may come
    // too late.
    expect(sent + skipped).toBeGreaterThan(1_900);
  });

  it('finds one wrong body in fifty, and shows it', async () => {
    const { report } = await lab.run('good', 'wrong', { rate: 200 });
    expect(report.verdict).toMatchObject({ verdict: 'failed', decidedBy: ['wrong bodies'] });
    expect(report.differences[0]?.baseline).toContain('<h1>Are you well?</h1>');
    expect(report.differences[0]?.candidate).not.toContain('<h1>');
  });

  it('rejects a version that dies in the middle', async () => {
    const { report } = await lab.run('good', 'dies');
    expect(report.verdict.verdict).toBe('failed');
    expect(report.logs.candidate.join('\n')).toContain('out of surveys');
  });

  it('says so where no request reaches the proxy', async () => {
    await lab.on(
      'proxy',
      'nft add table inet block; nft add chain inet block input "{ type filter hook input priority -10; ' +
        '}"; nft add rule inet block input tcp dport 80 drop',
    );
    const { report, exitKind } = await lab.run('good', 'better');
    await lab.on('proxy', 'nft delete table inet block');
    expect(exitKind).toBe('inconclusive');
    expect(report).toMatchObject({ stopped: 'no traffic', verdict: { verdict: 'inconclusive' } });
    expect(report.verdict.reason).toMatch(/requests were sent and none was seen by the proxy/);
  });

  it('has no verdict where it is the baseline that dies', async () => {
    const { report, exitKind } = await lab.run('dies', 'good');
    expect(exitKind).toBe('inconclusive');
    expect(report.stopped).toBe('side lost');
  });

  it('rejects a version that does not start, with its last words', async () => {
    const { report } = await lab.run('good', 'unstartable');
    expect(report).toMatchObject({
      stopped: 'never started',
      verdict: { verdict: 'failed', score: 0 },
      load: null,
    });
    expect(report.logs.candidate.join('\n')).toContain('SPELLING_KEY is not set');
    expect(report.logs.baseline.join('\n')).toContain('survey listens on');
  });

  it('one after the other, by Kayenta’s judge: half of the time each', async () => {
    const { report } = await lab.run('good', 'broken', {
      traffic: 'sequential',
      judge: 'kayenta',
      durationMs: 10_000,
    });
    const turns = report.experiment.seconds.map(({ baseline, candidate }) =>
      [baseline, candidate].map(({ routes }) => (Object.keys(routes).length > 0 ? 'x' : '-')).join(''),
    );
    expect(turns.slice(0, 4)).toEqual(['x-', 'x-', 'x-', 'x-']);
    // What was under way at the change may end a second or two later.
    expect(turns.filter((turn) => turn === '-x').length).toBeGreaterThanOrEqual(2);
    expect(turns.lastIndexOf('x-')).toBeLessThan(turns.indexOf('-x'));
    expect(report.verdict).toMatchObject({ judge: 'kayenta', verdict: 'failed' });
  });

  it('takes hosts of an inventory, and takes itself away from them afterwards', async () => {
    const inventory = await lab.inventory();
    const { report } = await lab.run('good', 'broken', { inventory, keep: false });
    expect(report.verdict).toMatchObject({
      verdict: 'failed',
      decidedBy: expect.arrayContaining(['errors (5xx)']),
    });
    expect(report.hosts.map(({ name }) => name).sort()).toEqual(['my-blue', 'my-green', 'my-proxy']);
    expect(await lab.hosts()).toEqual(['blue', 'green', 'proxy']);
    const left = await Promise.all(
      ['proxy', 'blue', 'green'].map((host) =>
        lab.on(
          host,
          'ls -d /opt/pipeline-canary /etc/systemd/system/pipeline-canary.service ' +
            '/etc/nginx/pipeline/sites/* /run/pipeline/proxy/* /var/lib/pipeline/proxy/* 2>/dev/null; nft ' +
            'list table inet pipeline | grep -E "dport.*(3000|80)" || true',
        ),
      ),
    );
    expect(left).toEqual(['', '', '']);
  });

  it('touches nothing on hosts of an inventory that serve an application', async () => {
    const inventory = await lab.inventory();
    const marks =
      'mkdir -p /srv/shop/releases/1 /var/lib/pipeline-persist/shop && touch ' +
      '/srv/shop/releases/1/page /var/lib/pipeline-persist/shop/upload && nft -s list ruleset | sha256sum; ' +
      'ls /opt/pipeline-canary 2>&1; true';
    const before = await lab.on('blue', marks);
    const site = '/etc/nginx/pipeline/sites/news.conf';
    await lab.on('proxy', `printf '# of another\n' >${site}`);
    try {
      const running = lab.run('good', 'broken', { inventory, keep: false });
      await expect(running).rejects.toMatchObject({
        kind: 'usage',
        message: 'A canary needs hosts that serve nothing else: my-proxy has news; my-blue has shop.',
      });
      expect(await lab.on('blue', marks)).toBe(before);
      expect(await lab.on('proxy', `cat ${site}`)).toBe('# of another\n');
      expect(await lab.on('blue', 'ls /srv/shop/releases/1 /var/lib/pipeline-persist/shop')).toContain(
        'upload',
      );
    } finally {
      await lab.on('proxy', `rm ${site}`);
      await lab.on('blue', 'rm -r /srv/shop /var/lib/pipeline-persist/shop');
    }
  });

  it('ends at Ctrl-C with what is known, and removes its hosts', async () => {
    const stop = new AbortController();
    const { report, exitKind } = await lab.run(
      'good',
      'better',
      { keep: false },
      {
        context: { signal: stop.signal },
        listener: { onSnapshot: ({ seconds }) => seconds > 2 && stop.abort(new Error('interrupted')) },
      },
    );
    expect(exitKind).toBe('interrupted');
    expect(report).toMatchObject({ stopped: 'interrupted', verdict: { verdict: 'inconclusive' } });
    expect(report.verdict.samples.baseline).toBeGreaterThan(20);
    expect(await lab.hosts()).toEqual([]);
  });
});

/** The file that is written gives the same verdict again, as JSON and as page. */
async function sameAgain({ report }: CanaryResult): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'pipeline-report-'));
  try {
    const folder = await reportFolder(directory, report.at);
    const files = await writeReport(
      report,
      { json: 'report.json', html: 'report.html', markdown: 'report.md' },
      folder,
    );
    for (const path of [files.json, files.html]) {
      const judged = await judgeFile(path ?? '');
      expect(judged).toMatchObject({ kind: 'canary', agrees: true });
      expect(judged.kind === 'canary' && judged.report.verdict).toEqual(report.verdict);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
