import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildArtifact } from '../../src/build/build.ts';
import { deploy, releases } from '../../src/release/index.ts';
import { bundleProgram } from '../support/bundle.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, CACHE, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();

describe.skipIf(unavailable !== undefined)(
  `one application on several hosts (${unavailable ?? 'local'})`,
  () => {
    let at: ReleaseFixture;

    beforeAll(async () => {
      at = await startReleases(['web-1', 'web-2']);
    });
    afterEach(() => at.clean());
    afterAll(() => at?.stop());

    const answers = () => Promise.all([0, 1].map(async (host) => (await at.ask('/', {}, host)).text));

    test('they change one after the other, and have the same release', async () => {
      const events: string[] = [];
      const context = {
        ...at.context,
        progress: (event: { host?: string | undefined; stage: string; state: string }) =>
          events.push(`${event.host} ${event.stage} ${event.state}`),
      };
      await at.deploy('one', {}, { context });
      expect(await answers()).toEqual(['version one 0', 'version one 0']);
      expect(events.indexOf('web-1 switch done')).toBeLessThan(events.indexOf('web-2 start started'));
      const back = await at.deploy('two');
      expect(back.hosts.map(({ host, changed }) => [host, changed])).toEqual([
        ['web-1', true],
        ['web-2', true],
      ]);
      expect(await at.deploy('two')).toMatchObject({ changed: false });
      await at.rollback();
      expect(await answers()).toEqual(['version one 0', 'version one 0']);
    });

    test('jobs run on the first host alone, and move with it', async () => {
      const jobs = { nightly: { run: 'node worker.js', at: '03:00', zone: 'Europe/Berlin' } };
      const app = { watch: '0s', jobs };
      const timers = (host: number) =>
        at.on(
          `ls /etc/systemd/system/timers.target.wants | grep -c 'pipeline-${APP}@' || true
systemctl is-active 'pipeline-${APP}@job-nightly.timer' || true`,
          host,
        );
      await at.deploy('one', app);
      expect([await timers(0), await timers(1)]).toEqual(['1\nactive\n', '0\ninactive\n']);
      const config = at.config(app);
      const artifact = await buildArtifact(config, APP, 'one', at.context);
      const [first, second] = at.hosts;
      if (first === undefined || second === undefined) throw new Error('two hosts are needed');
      const request = { config, app: APP, artifact, by: 'tester@test' };
      // Another order of hosts, of the same version.
      expect(await deploy({ ...request, hosts: [second, first] }, at.context)).toMatchObject({
        changed: true,
      });
      expect([await timers(0), await timers(1)]).toEqual(['0\ninactive\n', '1\nactive\n']);
      expect(await deploy({ ...request, hosts: [second, first] }, at.context)).toMatchObject({
        changed: false,
      });
      // A host that serves it no more.
      await deploy({ ...request, hosts: [first], others: [second] }, at.context);
      expect([await timers(0), await timers(1)]).toEqual(['1\nactive\n', '0\ninactive\n']);
    });

    test('where the second fails, the first goes back', async () => {
      await at.deploy('one');
      await at.on(
        `systemd-run --quiet --collect --unit stranger python3 -c 'import socket,time
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(("127.0.0.1",21016))
s.listen(); time.sleep(60)' && sleep 1`,
        1,
      );
      const failure = await failureOf(at.deploy('two'));
      expect(failure).toMatchObject({ kind: 'host', host: 'web-2', step: 'start' });
      expect(failure.next).toContain('The version of before serves on every host.');
      expect(await answers()).toEqual(['version one 0', 'version one 0']);
      for (const host of [0, 1]) {
        expect(
          (
            await at.on(
              `systemctl list-units --plain --no-legend --state=active 'pipeline-${APP}@*' |
  awk '{print $1}'`,
              host,
            )
          ).trim(),
        ).toBe(`pipeline-${APP}@blue.service`);
        const entry = JSON.parse((await at.on('tail -n 1 /var/log/pipeline/audit.jsonl', host)).trim());
        expect(entry).toMatchObject({
          action: 'deploy',
          app: APP,
          ref: 'two',
          result: 'failed',
          by: 'tester@test',
        });
      }
      await at.on('systemctl stop stranger', 1);
      const again = await at.deploy('two');
      expect(await answers()).toEqual(['version two 0', 'version two 0']);
      const list = await releases({ config: at.config({}), app: APP, hosts: at.hosts }, at.context);
      expect(list.map(({ ref, live, kept }) => [ref, live, kept])).toContainEqual(['two', true, true]);
      expect(list.find(({ live }) => live)?.release).toBe(again.release);
    });

    test('where the second fails, the first goes on with its watch, also after the death of a command', async () => {
      const app = { watch: '180s' };
      await at.deploy('one', app);
      await at.deploy('two', app);
      const guard = (host: number) =>
        at.on(
          `systemctl is-active pipeline-guard@${APP} || true
cat /etc/pipeline/apps/${APP}/guard/until /etc/pipeline/apps/${APP}/guard-suspended/until 2>/dev/null || true`,
          host,
        );
      const before = [await guard(0), await guard(1)];
      expect(before[0]).toMatch(/^active\n\d+\n$/);

      const program = bundleProgram(join(import.meta.dirname, '../support/deploy-program.ts'));
      const file = join(at.folder, 'deploy-several.json');
      const targets = at.hosts.map(({ connection }) => connection.target);
      const env = { ...process.env, XDG_CACHE_HOME: CACHE };
      writeFileSync(file, JSON.stringify({ config: at.config(app), app: APP, ref: 'three', targets, env }));
      const child = spawn(process.execPath, [program.path, file], { stdio: ['ignore', 'pipe', 'inherit'] });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { host, stage, state } = JSON.parse(line);
        if (`${host} ${stage} ${state}` === 'web-2 start started') child.kill('SIGKILL');
      });
      await new Promise<void>((resolve) => child.on('close', () => resolve()));
      program.remove();
      // The second went back by itself; the first has switched, and nothing watches it.
      await expect.poll(() => guard(1), { timeout: 20_000 }).toBe(before[1]);
      expect(await answers()).toEqual(['version three 0', 'version two 0']);
      expect(await guard(0)).toBe(before[0]?.replace('active', 'inactive'));

      await at.on(
        `systemd-run --quiet --collect --unit stranger python3 -c 'import socket,time
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(("127.0.0.1",21000))
s.listen(); time.sleep(60)' && sleep 1`,
        1,
      );
      const failure = await failureOf(at.deploy('three', app));
      expect(failure).toMatchObject({ kind: 'host', host: 'web-2', step: 'start' });
      expect(await answers()).toEqual(['version two 0', 'version two 0']);
      expect([await guard(0), await guard(1)]).toEqual(before);
      await at.on('systemctl stop stranger', 1);
      expect(await at.deploy('three', app)).toMatchObject({ changed: true, watch: 180_000 });
      expect(await guard(0)).toMatch(/^active\n\d+\n$/);
      expect(await guard(0)).not.toBe(before[0]);
    });

    test('a host that was away during a deploy is brought up to the others by the same command', async () => {
      await at.deploy('one');
      await at.powerOff('web-2');
      const failure = await failureOf(at.deploy('two'));
      expect(failure).toMatchObject({ kind: 'host', host: 'web-2' });
      expect((await at.ask('/')).text).toBe('version one 0');
      await at.powerOn();
      await at.deploy('two');
      expect(await answers()).toEqual(['version two 0', 'version two 0']);
    });

    test('what fails on one host in its first minute is left there until the next command', async () => {
      const one = await at.deploy('one');
      const bad = await at.deploy('sours-on-one');
      const answered = { timeout: 40_000, interval: 500 };
      await expect.poll(answers, answered).toEqual(['version sours-on-one 0', 'version one 0']);
      const history = () => releases({ config: at.config({}), app: APP, hosts: at.hosts }, at.context);
      expect(await history()).toMatchObject([
        {
          release: bad.release,
          reason: `GET /health → 500, wanted 200; went back to ${one.release}`,
          liveOn: ['web-1'],
        },
        { release: one.release, liveOn: ['web-2'] },
      ]);
      expect(await at.rollback()).toMatchObject({ release: one.release });
      expect(await answers()).toEqual(['version one 0', 'version one 0']);
      expect(await history()).toMatchObject([{ liveOn: [] }, { live: true, liveOn: ['web-1', 'web-2'] }]);
    });

    test('generated secrets are the same on all hosts, and nobody else sees them', async () => {
      const secrets = { TOKEN: { generate: 32 }, WORD: { env: 'THE_WORD' } };
      const traced: string[] = [];
      const context = {
        ...at.context,
        env: { ...at.context.env, THE_WORD: `a "quoted" $word's \\ end` },
        trace: (line: string) => traced.push(line),
      };
      await at.deploy('one', { secrets }, { context });
      const [first, second] = await Promise.all(
        [0, 1].map(async (host) => JSON.parse((await at.ask('/env', {}, host)).text)),
      );
      expect(first.TOKEN).toMatch(/^[A-Za-z0-9]{32}$/);
      expect(second.TOKEN).toBe(first.TOKEN);
      expect(first.WORD).toBe(`a "quoted" $word's \\ end`);
      expect(await at.deploy('one', { secrets }, { context })).toMatchObject({ changed: false });
      expect(
        await at.deploy(
          'one',
          { secrets },
          { context: { ...context, env: { ...context.env, THE_WORD: 'other' } } },
        ),
      ).toMatchObject({ changed: true });
      const env = JSON.parse((await at.ask('/env')).text);
      expect(env).toMatchObject({ TOKEN: first.TOKEN, WORD: 'other' });
      expect(
        (
          await at.on(
            `stat -c '%a %U' /srv/${APP}/releases/*/env /etc/pipeline/apps/${APP}/secrets/TOKEN | sort -u`,
          )
        ).trim(),
      ).toBe('600 root');
      expect(traced.filter((line) => line.includes(first.TOKEN) || line.includes('quoted'))).toEqual([]);
      const missing = await failureOf(
        at.deploy('one', { secrets }, { context: { ...context, env: { ...at.context.env } } }),
      );
      expect(missing).toMatchObject({
        kind: 'usage',
        output: ['WORD (environment variable THE_WORD is not set)'],
      });
    });
  },
);
