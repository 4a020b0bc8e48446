/** The live canary on a real host, under traffic of visitors who come back. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RolloutStatus } from '../../src/contract/rollout.ts';
import { releases } from '../../src/release/index.ts';
import { followRollout, rolloutReport, rolloutStatus, tellRollout } from '../../src/release/rollout.ts';
import { judgeRollout, parseRolloutReport } from '../../src/rollout/report.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';
import { startVisitors, type VisitorCounts, type VisitorOptions } from '../support/visitors.ts';

const unavailable = hostsUnavailable();

describe.skipIf(unavailable !== undefined)(`a live canary on a real host (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;
  beforeAll(async () => {
    at = await startReleases(['web']);
  }, 300_000);
  afterAll(() => at?.stop());
  beforeEach(() => at.clean());

  const host = () => {
    const [first] = at.hosts;
    if (first === undefined) throw new Error('there is a host');
    return first;
  };
  const follow = (seen: RolloutStatus[] = []) =>
    followRollout(host(), APP, at.context, (status) => seen.push(status));
  const status = () => rolloutStatus(host(), APP, at.context);

  /** Runs `work` while visitors come; what they met. */
  async function visited(
    work: () => Promise<void>,
    options: Partial<VisitorOptions> = {},
  ): Promise<VisitorCounts> {
    const visitors = startVisitors({
      address: at.addresses[0] ?? '',
      rate: 100,
      visitors: 1000,
      fresh: 0.3,
      ...options,
    });
    try {
      await work();
    } finally {
      await visitors.stop();
    }
    return visitors.counts;
  }

  /** Everything of a rollout is gone. */
  async function expectNothingLeft(colour: string): Promise<void> {
    const left = () =>
      at.on(`ls -d /etc/pipeline/apps/${APP}/rollout /run/pipeline/proxy/${APP}/split 2>/dev/null
ls /etc/systemd/system/multi-user.target.wants | grep pipeline-rollout
grep -c split_clients.*key /etc/nginx/pipeline/sites/${APP}.conf
systemctl list-units --plain --no-legend 'pipeline-${APP}@*' | cut -d' ' -f1; true`);
    // Its unit goes last.
    await expect.poll(left).toBe(`0\npipeline-${APP}@${colour}.service\n`);
  }

  test('a good version is promoted: nothing dropped, each visitor changes once', {
    timeout: 900_000,
  }, async () => {
    await at.deploy('one');
    const seen: RolloutStatus[] = [];
    const rules = { baseline: 'one', candidate: 'two' };
    const work = async () => {
      const result = await at.deploy('two', {}, { canary: [20, 50] });
      expect(result.rollout).toBeDefined();
      expect((await follow(seen))?.phase).toBe('promoted');
      await delay(1000);
    };
    const counts = await visited(work, { rate: 150, refuse: 0.05, forge: 0.05, rules });
    expect(counts).toMatchObject({ dropped: 0, failed: 0, broken: new Map() });
    const steps = seen.at(-1)?.events.map(({ kind, percent }) => `${kind} ${percent}`);
    expect(steps).toEqual(['began 20', 'step 50', 'promoted 100']);
    expect((await at.ask('/')).text).toBe('version two 0');
    await expectNothingLeft('green');
  });

  test('a version that fails is taken back at once, and few saw it', { timeout: 300_000 }, async () => {
    await at.deploy('one');
    const counts = await visited(async () => {
      await at.deploy('broken-elsewhere', {}, { canary: [5, 50] });
      const last = await follow();
      expect(last?.phase).toBe('taken back');
      expect(last?.events.at(-1)?.why).toMatch(/errors \(5xx\): the evidence of harm is worth \d+ to 1/);
    });
    expect(counts.dropped).toBe(0);
    expect(counts.failed).toBeLessThan(40);
    expect((await at.ask('/')).text).toBe('version one 0');
    await expectNothingLeft('blue');
    expect((await failureOf(tellRollout(host(), APP, 'pause', at.context))).message).toContain('no rollout');
    expect((await status())?.phase).toBe('taken back');
    const kept = parseRolloutReport(JSON.parse((await rolloutReport(host(), APP, at.context)) ?? ''));
    if ('mistake' in kept) throw new Error(kept.mistake);
    expect(judgeRollout(kept.report)).toMatchObject({ harmful: true, agrees: true });
  });

  /** How many of some first visits each version answers. */
  async function versions(count = 60): Promise<Record<string, number>> {
    const met: Record<string, number> = {};
    for (let index = 0; index < count; index++) {
      const [, version = 'none'] = (await at.ask('/')).text.split(' ');
      met[version] = (met[version] ?? 0) + 1;
    }
    return met;
  }
  const actor = async () => (await at.on(`systemctl show -P MainPID pipeline-rollout@${APP}.service`)).trim();
  const say = (word: 'pause' | 'promote' | 'abort') => tellRollout(host(), APP, word, at.context);

  test('goes on through kills, a restart of nginx and a reboot, refuses deploys, and hears people', {
    timeout: 300_000,
  }, async () => {
    await at.deploy('one');
    await at.deploy('two', {}, { canary: [40] });
    await say('pause');
    const before = await status();
    expect(before).toMatchObject({ phase: 'paused', percent: 40 });
    const refused = await failureOf(at.deploy('three'));
    expect(refused).toMatchObject({ kind: 'locked', message: `${APP}: a rollout is under way` });

    const pid = await actor();
    await at.on(`kill -9 ${pid}; systemctl restart nginx; sleep 2`);
    expect(await actor()).not.toBe(pid);
    const shared = await versions();
    expect(Object.keys(shared).sort()).toEqual(['one', 'two']);

    await at.reboot('web');
    await delay(3000);
    expect(Object.keys(await versions()).sort()).toEqual(['one', 'two']);
    const after = await status();
    expect(after).toMatchObject({ id: before?.id, phase: 'paused', percent: 40 });

    await say('promote');
    expect(await versions(20)).toEqual({ two: 20 });
    await expectNothingLeft('green');
    expect((await status())?.events.at(-1)).toMatchObject({ kind: 'promoted' });
    expect(
      (await releases({ config: at.config({}), app: APP, hosts: at.hosts }, at.context))[0],
    ).toMatchObject({
      ref: 'two',
      live: true,
      result: 'live',
    });
  });

  test('ends at once by rollback; another application is deployed beside it meanwhile', {
    timeout: 300_000,
  }, async () => {
    await at.deploy('one');
    await at.deploy('two', {}, { canary: [40] });
    await at.deploy('three', { site: { domains: ['other.test'] } }, { name: 'other' });
    const result = await at.rollback();
    expect(result).toMatchObject({ changed: true, ref: 'one' });
    expect(await versions(20)).toEqual({ one: 20 });
    await expectNothingLeft('blue');
    const [newest] = await releases({ config: at.config({}), app: APP, hosts: at.hosts }, at.context);
    expect(newest).toMatchObject({ ref: 'two', result: 'failed', live: false });
    expect(newest?.reason).toContain('tester@test said so');
  });

  test('goes back when the new version dies, and a visitor of it is served meanwhile', {
    timeout: 300_000,
  }, async () => {
    await at.deploy('one');
    const counts = await visited(async () => {
      await at.deploy('fades', {}, { canary: [40] });
      const last = await follow();
      expect(last?.phase).toBe('taken back');
    });
    expect(counts).toMatchObject({ dropped: 0, failed: 0 });
    await expectNothingLeft('blue');
  });

  test('two at once, each judged by itself: one is faster and fails, of the other one both fail alike', {
    timeout: 300_000,
  }, async () => {
    const other = { site: { port: 8081 } };
    await at.deploy('slow');
    await at.deploy('broken-elsewhere', other, { name: 'other' });
    const counts = await visited(async () => {
      await at.deploy('broken-too', other, { name: 'other', canary: [40] });
      const elsewhere = startVisitors({
        ...{ address: at.addresses[0] ?? '', port: 8081, rate: 40, visitors: 300, fresh: 0.3 },
      });
      try {
        await at.deploy('broken-elsewhere', {}, { canary: [5, 50] });
        const last = await follow();
        expect(last).toMatchObject({ phase: 'taken back', app: APP });
        expect(last?.events.at(-1)?.why).toContain('errors (5xx)');
        await delay(10_000);
      } finally {
        await elsewhere.stop();
      }
    });
    expect(counts.dropped).toBe(0);
    const now = await rolloutStatus(host(), 'other', at.context);
    expect(now).toMatchObject({ phase: 'running', percent: 40, app: 'other' });
    expect(now?.sides.candidate.failed).toBeGreaterThan(50);
    await tellRollout(host(), 'other', 'abort', at.context);
  });

  test('goes back when its visitors do not come again', { timeout: 300_000 }, async () => {
    await at.deploy('one');
    await visited(
      async () => {
        await at.deploy('two', {}, { canary: [40] });
        const last = await follow();
        expect(last?.phase).toBe('taken back');
        expect(last?.events.at(-1)?.why).toContain('visitors who leave');
      },
      { leaves: 'two' },
    );
  });

  test('stands still while the old version is dead: the new one serves, and a person promotes it', {
    timeout: 300_000,
  }, async () => {
    await at.deploy('one');
    const counts = await visited(
      async () => {
        await at.deploy('two', {}, { canary: [40] });
        // Asked in its first second, it tells what it is about to do.
        expect(await status()).toMatchObject({ phase: 'running' });
        await at.on(`systemctl stop pipeline-${APP}@blue.service`);
        await delay(15_000);
        expect(await status()).toMatchObject({ phase: 'running', percent: 40 });
        await say('promote');
      },
      { rules: { baseline: 'one', candidate: 'two' } },
    );
    expect(counts).toMatchObject({ dropped: 0, failed: 0 });
    expect(await versions(20)).toEqual({ two: 20 });
    await expectNothingLeft('green');
  });

  test.each<[string, string, string, Parameters<ReleaseFixture['deploy']>[1]]>([
    ['files alone', 'one', 'two', { runtime: 'static', directory: 'public' }],
    ['a service that takes one port only', 'fixed', 'fixed-too', { fixed_port: 3000 }],
    ['several processes', 'one', 'two', { instances: 3 }],
    ['a command of any language', 'one', 'two', { runtime: 'command', start: 'perl server.pl' }],
  ])('%s: both versions serve, then the new one', { timeout: 300_000 }, async (_, old, candidate, app) => {
    const met = async (count: number) => {
      const texts = new Set<string>();
      for (let index = 0; index < count; index++) texts.add((await at.ask('/')).text);
      return [...texts].map((text) => text.replace(/<\/?h1>|version | 0$|\n/g, '')).sort();
    };
    await at.deploy(old, app);
    await at.deploy(candidate, app, { canary: [50] });
    await expect.poll(async () => (await status())?.percent, { timeout: 10_000 }).toBe(50);
    expect(await met(40)).toEqual([old, candidate].sort());
    await say('promote');
    expect(await met(20)).toEqual([candidate]);
  });

  test('a tester chooses, a forged cookie or a wrong secret does not', { timeout: 300_000 }, async () => {
    const app = {
      secrets: { TESTER: { env: 'TESTER' } },
      rollout: { tester: 'TESTER', steps: [0.1] },
    };
    const context = { ...at.context, env: { ...at.context.env, TESTER: 'a-secret-of-testers-0123456789' } };
    await at.deploy('one', app, { context });
    await at.deploy('two', app, { context, canary: [0.1] });
    const as = async (headers: Record<string, string>) => (await at.ask('/', { headers })).text.split(' ')[1];
    expect(await as({ 'X-Pipeline-Version': 'candidate a-secret-of-testers-0123456789' })).toBe('two');
    expect(await as({ 'X-Pipeline-Version': 'baseline a-secret-of-testers-0123456789' })).toBe('one');
    expect(await as({ 'X-Pipeline-Version': 'candidate guessed-guessed-guessed' })).toBe('one');
    const { id } = (await status()) ?? { id: '' };
    expect(await as({ cookie: `pipeline_demo_app_${id}=candidate` })).toBe('one');
    await say('abort');
    expect(await as({ 'X-Pipeline-Version': 'candidate a-secret-of-testers-0123456789' })).toBe('one');
  });
});
