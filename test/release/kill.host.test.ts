import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { lockHost, withLock } from '../../src/environment/lock.ts';
import { releases } from '../../src/release/index.ts';
import { bundleProgram } from '../support/bundle.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, CACHE, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();

interface Event {
  readonly stage: string;
  readonly state?: string;
  readonly kind?: string;
  readonly message?: string;
}

describe.skipIf(unavailable !== undefined)(`deploys that are killed (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;
  let program: ReturnType<typeof bundleProgram>;

  beforeAll(async () => {
    at = await startReleases(['web']);
    program = bundleProgram(join(import.meta.dirname, '../support/deploy-program.ts'));
  });
  afterEach(() => at.clean());
  afterAll(async () => {
    program?.remove();
    await at?.stop();
  });

  /** Starts a deploy in its own process; `each` sees its events as they come. */
  function start(
    ref: string,
    each: (event: Event, kill: (signal: NodeJS.Signals) => void) => void,
    app: Parameters<ReleaseFixture['config']>[0] = {},
  ) {
    const file = join(at.folder, `deploy-${ref}.json`);
    const targets = at.hosts.map(({ connection }) => connection.target);
    const env = { ...process.env, XDG_CACHE_HOME: CACHE };
    writeFileSync(file, JSON.stringify({ config: at.config(app), app: APP, ref, targets, env }));
    const child = spawn(process.execPath, [program.path, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const events: Event[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line);
      events.push(event);
      each(event, (signal) => child.kill(signal));
    });
    const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
    return { events, ended };
  }

  /** One version serves, completely and alone; nothing of an unfinished one is left. */
  async function expectOnly(version: string): Promise<void> {
    expect((await at.ask('/')).text).toBe(`version ${version} 0`);
    const state = await at.on(`cd /srv/${APP}
echo "weights $(readlink /var/lib/pipeline/proxy/${APP}/weights)"
ls -A releases | grep '^\\.' && echo 'partial release'
systemctl list-units --plain --no-legend --state=active,activating 'pipeline-${APP}@*' |
  awk '{print "running " $1}'
cd /etc/systemd/system/multi-user.target.wants && ls -d pipeline-${APP}@* | sed 's/^/enabled /'
true`);
    const colour = state.includes('weights w100') ? 'green' : 'blue';
    expect(state.trim().split('\n')).toEqual([
      `weights ${colour === 'green' ? 'w100' : 'w0'}`,
      `running pipeline-${APP}@${colour}.service`,
      `enabled pipeline-${APP}@${colour}.service`,
    ]);
    const live = await at.on(`cat /srv/${APP}/${colour}/state`);
    expect(live.trim()).toBe('live');
  }

  test.each([
    'build started',
    'upload started',
    'place started',
    'place done',
    'start started',
    'start done',
    'health running',
    'health done',
    'switch done',
    'drain started',
    'drain done',
  ])(
    'killed at "%s": a version serves all the time, and the same command again finishes the work',
    async (moment) => {
      await at.deploy('one');
      let asked = 0;
      let wrong = 0;
      let watching = true;
      const visitor = (async () => {
        while (watching) {
          const { status } = await at.ask('/');
          asked++;
          if (status !== 200) wrong++;
          await delay(20);
        }
      })();
      let killed = false;
      const { ended } = start('two', (event, kill) => {
        if (killed || `${event.stage} ${event.state}` !== moment) return;
        killed = true;
        kill('SIGKILL');
      });
      await ended;
      expect(killed).toBe(true);
      await withLock(
        at.hosts[0]?.connection as never,
        { command: 'again', wait: 15_000 },
        at.context,
        async (locked) => {
          const again = await at.deploy('two', {}, { context: locked });
          expect(again.ref).toBe('two');
        },
      );
      await expectOnly('two');
      watching = false;
      await visitor;
      expect(asked).toBeGreaterThan(5);
      expect(wrong).toBe(0);
      expect(await at.deploy('two')).toMatchObject({ changed: false });
    },
  );

  test('killed while it waits for a version that never answers: that one soon goes by itself', async () => {
    await at.deploy('one');
    const { ended } = start('hangs', (event, kill) => {
      if (`${event.stage} ${event.state}` === 'health running') kill('SIGKILL');
    });
    await ended;
    await expect
      .poll(() => at.on(`systemctl is-active pipeline-${APP}@green.service || true`), { timeout: 15_000 })
      .toMatch(/inactive|failed/);
    await expectOnly('one');
  });

  test('killed in the probation: nobody watches, so the old version has its visitors back', async () => {
    await at.deploy('one');
    const { ended } = start(
      'two',
      (event, kill) => {
        if (`${event.stage} ${event.state}` === 'probation running') kill('SIGKILL');
      },
      { probation: '60s' },
    );
    await ended;
    await expect.poll(async () => (await at.ask('/')).text, { timeout: 15_000 }).toBe('version one 0');
    await expect
      .poll(() => at.on(`systemctl is-active pipeline-${APP}@green.service || true`), { timeout: 15_000 })
      .toMatch(/inactive|failed/);
    await expectOnly('one');
  });

  test('the connection is lost while it starts: the old version goes on, the new one is gone', async () => {
    await at.deploy('one');
    let cut: Promise<unknown> | undefined;
    const { events, ended } = start('hangs', (event) => {
      if (`${event.stage} ${event.state}` !== 'health running') return;
      // Takes this test's own connection along.
      cut ??= at.on("pkill -KILL -f 'sshd: root@'").catch(() => {});
    });
    await ended;
    await cut;
    expect(events.at(-1)).toMatchObject({ stage: 'failure', kind: 'host' });
    await expect
      .poll(() => at.on(`systemctl is-active pipeline-${APP}@green.service || true`), { timeout: 15_000 })
      .toMatch(/inactive|failed/);
    await expectOnly('one');
  });

  test('killed, and then another version', async () => {
    await at.deploy('one');
    const { ended } = start('two', (event, kill) => {
      if (`${event.stage} ${event.state}` === 'switch done') kill('SIGKILL');
    });
    await ended;
    await at.deploy('three');
    await expectOnly('three');
  });

  test.each([
    ['place started', 'one'],
    ['before_cut_over running', 'one'],
    ['health running', 'one'],
    ['drain started', 'two'],
  ])('Ctrl-C at "%s": version %s serves alone, and nothing of the other goes on', async (moment, serves) => {
    await at.deploy('one');
    const slow = at.ask('/?ms=3000');
    const hooks = { before_cut_over: moment.startsWith('before') ? 'sleep 300' : 'true' };
    const { ended } = start(
      'two',
      (event, kill) => {
        if (`${event.stage} ${event.state}` === moment) kill('SIGINT');
      },
      { hooks },
    );
    await ended;
    expect((await slow).text).toBe('version one 0');
    // The host's own script holds this lock until it is done, whether or not anybody listens.
    const left = `systemctl list-units --plain --no-legend 'pipeline-hook-*'
flock -n /run/pipeline/release-${APP}.lock true || echo held`;
    await expect.poll(() => at.on(left), { timeout: 15_000 }).toBe('');
    await expectOnly(serves);
  });

  test.each(['start done', 'switch done'])('the host loses power at "%s"', async (moment) => {
    await at.deploy('one');
    let cut: Promise<void> | undefined;
    const { ended } = start('two', (event) => {
      if (`${event.stage} ${event.state}` === moment) cut ??= at.powerCycle('web');
    });
    await ended;
    await cut;
    await expect
      .poll(
        () =>
          at.ask('/').then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 30_000 },
      )
      .toBe(200);
    await at.deploy('two');
    await expectOnly('two');
  });

  test('two deploys at once: one is refused, with who holds the lock', async () => {
    await at.deploy('one');
    const first = start('two', () => {});
    // Whatever is done on the host is done under the lock.
    await expect
      .poll(() => first.events.some(({ stage }) => stage === 'place'), { timeout: 20_000 })
      .toBe(true);
    const second = start('three', () => {});
    await Promise.all([first.ended, second.ended]);
    const ends = [first, second].map(({ events }) => events.at(-1));
    expect(ends[0]).toMatchObject({ stage: 'result' });
    expect(ends[1]).toMatchObject({ stage: 'failure', kind: 'locked' });
    expect(ends[1]?.message).toContain(`deploy ${APP} two`);
    await expectOnly('two');
  });

  test('the lock is free as soon as its holder is dead, and waits for one that lives', async () => {
    const [host] = at.hosts;
    if (host === undefined) throw new Error('no host');
    expect(lockHost(at.hosts)).toBe(host);
    let inside = 0;
    const hold = (ms: number) =>
      withLock(host.connection, { command: 'hold', wait: true }, at.context, async () => {
        expect(++inside).toBe(1);
        await delay(ms);
        inside--;
      });
    await Promise.all([hold(300), hold(300), hold(300)]);
    const holding = hold(2_000);
    await delay(1_000);
    const failure = await failureOf(
      withLock(host.connection, { command: 'now' }, at.context, async () => 'in'),
    );
    expect(failure).toMatchObject({ kind: 'locked', exitCode: 4 });
    expect(failure.message).toMatch(/holds the lock for "hold" since \d{4}-/);
    await holding;
  });

  test('what was killed is known as unfinished until the next deploy', async () => {
    await at.deploy('one');
    const { ended } = start('two', (event, kill) => {
      if (`${event.stage} ${event.state}` === 'place done') kill('SIGKILL');
    });
    await ended;
    await delay(2_000);
    const list = await releases({ config: at.config({}), app: APP, hosts: at.hosts }, at.context);
    expect(list[0]).toMatchObject({ ref: 'two', live: false });
    expect(['unfinished', 'failed']).toContain(list[0]?.result);
  });
});
