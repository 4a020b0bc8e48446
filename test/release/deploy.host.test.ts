import { connect as connectTcp } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { converge } from '../../src/host/converge.ts';
import { appStatus, releases } from '../../src/release/index.ts';
import { firewall } from '../../src/roles/firewall.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();

describe.skipIf(unavailable !== undefined)(`releases on a real host (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;

  beforeAll(async () => {
    at = await startReleases(['web']);
  });
  afterEach(() => at.clean());
  afterAll(() => at?.stop());

  /** Which units run, and which would after a reboot. */
  async function units() {
    const [running, enabled] = await Promise.all([
      at.on(
        `systemctl list-units --plain --no-legend --state=active,activating 'pipeline-${APP}@*' |
  awk '{print $1}'`,
      ),
      at.on(`cd /etc/systemd/system/multi-user.target.wants && ls -d pipeline-${APP}@* 2>/dev/null || true`),
    ]);
    return { running: running.trim().split('\n'), enabled: enabled.trim().split('\n') };
  }
  const blue = `pipeline-${APP}@blue.service`;
  const green = `pipeline-${APP}@green.service`;

  test('a first deploy serves, as its own user, and a second one changes nothing', async () => {
    const first = await at.deploy('one');
    expect(first).toMatchObject({ changed: true, previous: null, ref: 'one', subject: 'Version one' });
    expect(first.release).toMatch(/^\d{8}-\d{6}-[0-9a-f]{7}$/);
    expect((await at.ask('/')).text).toBe('version one 0');
    const env = JSON.parse((await at.ask('/env')).text);
    expect(env).toMatchObject({ NODE_ENV: 'production', PORT: '21000' });
    expect(env.uid).toBeGreaterThan(0);
    expect(await units()).toEqual({ running: [blue], enabled: [blue] });

    const second = await at.deploy('one');
    expect(second).toMatchObject({ changed: false, release: first.release, previous: first.release });
    expect(second.seconds).toBeLessThan(5);
  });

  test('the colours take turns', async () => {
    const first = await at.deploy('one');
    const second = await at.deploy('two');
    expect(second).toMatchObject({ changed: true, previous: first.release });
    expect((await at.ask('/')).text).toBe('version two 0');
    expect(await units()).toEqual({ running: [green], enabled: [green] });
    await at.deploy('three');
    expect(await units()).toEqual({ running: [blue], enabled: [blue] });
  });

  test.each([
    [
      'broken',
      /did not become healthy: not healthy after 2 s: GET \/health → 500, wanted 200/,
      'TypeError: surveys is not iterable',
    ],
    [
      'exits',
      /did not become healthy: it ended \d times? while it should start \(exit code 1\)/,
      'Error: no database',
    ],
    [
      'deaf',
      /nothing answers on 127\.0\.0\.1:21016; it listens on \S*:4711 instead/,
      'version deaf listens on 4711',
    ],
    [
      'hangs',
      /not healthy after 2 s: GET \/health → no answer within 0\.5 s/,
      'version hangs listens on 21016',
    ],
  ])('a version that is %s never serves, and its own log is shown', async (ref, message, said) => {
    const first = await at.deploy('one');
    const failure = await failureOf(at.deploy(ref, { health: { within: '2s', timeout: '500ms' } }));
    expect(failure).toMatchObject({ kind: 'host', exitCode: 3, host: 'web', step: 'health' });
    expect(failure.message).toMatch(message);
    expect(failure.output).toContain(said);
    expect(failure.next).toContain('The version of before serves.');
    expect((await at.ask('/')).text).toBe('version one 0');
    expect(await units()).toEqual({ running: [blue], enabled: [blue] });
    const list = await releases({ config: at.config({}), app: APP, hosts: at.hosts }, at.context);
    expect(list.map(({ ref: name, result, live }) => [name, result, live])).toEqual([
      [ref, 'failed', false],
      ['one', 'live', true],
    ]);
    expect(list[1]?.release).toBe(first.release);
  });

  test('a first deploy that fails leaves nothing that serves', async () => {
    const failure = await failureOf(at.deploy('broken', { health: { within: '1s' } }));
    expect(failure.next).toContain('Nothing serves yet.');
    expect(await units()).toEqual({ running: [''], enabled: [''] });
    await at.deploy('one');
    expect((await at.ask('/')).text).toBe('version one 0');
  });

  test('a version that fails in its probation is taken back', async () => {
    await at.deploy('one');
    const failure = await failureOf(at.deploy('fades', { probation: '20s' }));
    expect(failure).toMatchObject({ kind: 'host', step: 'probation' });
    expect(failure.message).toMatch(/failed its probation: it ended by itself \(exit code 3\)/);
    expect(failure.output).toContain('out of luck');
    expect((await at.ask('/')).text).toBe('version one 0');
    expect(await units()).toEqual({ running: [blue], enabled: [blue] });
  });

  test('rollback goes back release by release, and skips what was left by a rollback', async () => {
    const one = await at.deploy('one');
    const two = await at.deploy('two');
    const three = await at.deploy('three');
    const back = await at.rollback();
    expect(back).toMatchObject({ changed: true, release: two.release, previous: three.release, ref: 'two' });
    expect((await at.ask('/')).text).toBe('version two 0');
    const four = await at.deploy('four');
    expect(await at.rollback()).toMatchObject({ release: two.release, previous: four.release });
    expect(await at.rollback()).toMatchObject({ release: one.release });
    const failure = await failureOf(at.rollback());
    expect(failure).toMatchObject({
      kind: 'usage',
      message: `${APP}: there is no earlier release to go back to`,
    });
    expect(await at.rollback(three.release)).toMatchObject({ release: three.release });
    expect(await at.rollback(one.commit?.slice(0, 7))).toMatchObject({ release: one.release });
    expect(await at.rollback(one.release)).toMatchObject({ release: one.release, changed: false });
    expect((await failureOf(at.rollback('20200101-000000-abcdef0'))).next).toContain(three.release);
    expect((await at.ask('/')).text).toBe('version one 0');
  });

  test('old releases go, those in use and the newest stay', async () => {
    const names = [];
    for (const ref of ['one', 'two', 'three', 'four'])
      names.push((await at.deploy(ref, { keep: 2 })).release);
    expect((await at.on(`ls /srv/${APP}/releases`)).trim().split('\n')).toEqual(names.slice(2));
    const list = await releases({ config: at.config({}), app: APP, hosts: at.hosts }, at.context);
    expect(list.map(({ release, kept, live }) => [release, kept, live])).toEqual([
      [names[3], true, true],
      [names[2], true, false],
      [names[1], false, false],
      [names[0], false, false],
    ]);
    expect(list[3]).toMatchObject({ ref: 'one', by: 'tester@test', result: 'live', subject: 'Version one' });
  });

  test('status asks the service itself', async () => {
    const { release, commit } = await at.deploy('one');
    const [host] = at.hosts;
    if (host === undefined) throw new Error('no host');
    const status = () => appStatus(host.connection, at.context);
    expect(await status()).toEqual([{ app: APP, release, commit, ref: 'one', healthy: true }]);
    await at.on(`systemctl stop ${blue}`);
    expect(await status()).toMatchObject([
      { healthy: false, reason: expect.stringContaining('is inactive') },
    ]);
    // The same deploy again repairs it.
    expect(await at.deploy('one')).toMatchObject({ changed: true, release });
    expect(await status()).toMatchObject([{ healthy: true }]);
  });

  test('a service that ends is back at once', async () => {
    await at.deploy('one');
    await at.ask('/exit');
    await delay(2_000);
    expect((await at.ask('/')).status).toBe(200);
  });

  test('a port that a stranger has is named, and nothing changes', async () => {
    await at.deploy('one');
    const port = (await at.on('ss -Hltn "sport = :21000" | grep -q . && echo 21016 || echo 21000')).trim();
    await at.on(`systemd-run --quiet --collect --unit stranger perl -MIO::Socket::INET -e '
my $s = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1, LocalAddr => "127.0.0.1:${port}") or die;
sleep 120'
timeout 30 sh -c 'until ss -Hltn "sport = :${port}" | grep -q .; do sleep 0.1; done'`);
    try {
      const failure = await failureOf(at.deploy('two'));
      expect(failure.message).toContain(`did not start: port ${port} is taken by another program ("perl"`);
      expect((await at.ask('/')).text).toBe('version one 0');
    } finally {
      await at.on('systemctl stop stranger');
    }
    await at.deploy('two');
    expect((await at.ask('/')).text).toBe('version two 0');
  });

  test('a port that the firewall keeps visitors from is opened, and where that is not ours alone, refused', async () => {
    const [host] = at.hosts;
    if (host === undefined) throw new Error('no host');
    const params = { fleet: [], operators: ['0.0.0.0/0'], sshPorts: [22] };
    const web = { port: 80, protocol: 'tcp', from: 'anyone' } as const;
    const site = { port: 8443, protocol: 'tcp', from: 'anyone' } as const;
    const table = (exposures: readonly (typeof web | typeof site)[]) => firewall({ ...params, exposures });
    const visit = () => fetch(`http://${at.addresses[0]}:8443/`, { signal: AbortSignal.timeout(3_000) });
    try {
      await at.deploy('one', { watch: '0s' }, { firewalls: 'host' });
      await converge(host.connection, [table([web])], at.context);
      const moved = { watch: '0s', site: { port: 8443 } };

      const refused = await failureOf(at.deploy('one', moved, { firewalls: 'cloud' }));
      expect(refused).toMatchObject({ kind: 'usage', next: expect.stringContaining('pipeline prod up') });
      expect((await at.ask('/')).text).toBe('version one 0');

      // As somebody did it before deploys looked at firewalls.
      await at.deploy('one', moved);
      await expect(visit()).rejects.toThrow();
      expect(await at.deploy('one', moved, { firewalls: 'host' })).toMatchObject({ changed: true });
      expect(await (await visit()).text()).toBe('version one 0');
      expect(await at.deploy('one', moved, { firewalls: 'host' })).toMatchObject({ changed: false });
      // What \`prod up\` would do is done, also for the next boot.
      expect((await converge(host.connection, [table([web, site])], at.context)).changes).toEqual([]);
      await at.reboot('web');
      await expect
        .poll(
          () =>
            visit().then(
              ({ status }) => status,
              () => 0,
            ),
          { timeout: 20_000 },
        )
        .toBe(200);
    } finally {
      await at.on('nft delete table inet pipeline; rm -f /etc/pipeline/firewall/inet-pipeline.nft');
    }
  });

  test('a name that the site of a stranger has is named, and nothing changes', async () => {
    await at.deploy('one');
    const stranger = '/etc/nginx/pipeline/sites/stranger.conf';
    await at.on(`printf 'server { listen 80; server_name taken.example; return 204; }' >${stranger}`);
    try {
      const failure = await failureOf(
        at.deploy('two', { site: { domains: ['own.example', 'taken.example'] } }),
      );
      expect(failure).toMatchObject({ kind: 'host', host: 'web', step: 'proxy' });
      expect(failure.output.join()).toContain('conflicting server name "taken.example"');
      expect((await at.ask('/')).text).toBe('version one 0');
    } finally {
      await at.on(`rm ${stranger}`);
    }
  });

  test('a disk that fills while the artifact is sent: nothing changes; with room, it goes on', async () => {
    await at.deploy('one');
    await at.on('mount -t tmpfs -o size=1m none /var/lib/pipeline/incoming');
    try {
      const failure = await failureOf(at.deploy('heavy'));
      expect(failure).toMatchObject({ kind: 'host', host: 'web' });
      expect(failure.message).toMatch(/: no room for 3\.\d+ MB, 0 B free of 1\.05 MB$/);
      expect((await at.on('ls -A /var/lib/pipeline/incoming')).trim()).toBe('');
      expect((await at.ask('/')).text).toBe('version one 0');
      expect(await units()).toEqual({ running: [blue], enabled: [blue] });
    } finally {
      await at.on('umount /var/lib/pipeline/incoming');
    }
    await at.deploy('heavy');
    expect((await at.ask('/')).text).toBe('version heavy 0');
  });

  test('a request under way is finished by the version that took it', async () => {
    await at.deploy('one');
    const slow = at.ask('/?ms=4000');
    await delay(200);
    await at.deploy('two');
    expect((await slow).text).toBe('version one 0');
    expect((await at.ask('/')).text).toBe('version two 0');
    expect(await units()).toEqual({ running: [green], enabled: [green] });
  });

  test('a request whose body is on its way while versions change is answered by the new one', async () => {
    await at.deploy('one');
    const answer = new Promise<string>((resolve, reject) => {
      const socket = connectTcp(80, at.addresses[0] ?? '');
      let text = '';
      socket.on('data', (part) => {
        text += part;
        if (text.includes('version')) resolve(text);
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
      socket.write('POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\nConnection: close\r\n\r\n12345');
      void at.deploy('two').then(() => socket.write('67890'), reject);
    });
    const text = await answer;
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(text).toMatch(/version two 10/);
  });

  test('hooks run in the new release, once, and a failed one stops the deploy', async () => {
    const hooks = { before_cut_over: 'echo "migrating as $(id -un) in $(basename "$PWD") with $PLACE"' };
    const events: string[] = [];
    const context = {
      ...at.context,
      progress: (event: { stage: string; detail?: string | undefined }) =>
        events.push(`${event.stage} ${event.detail}`),
    };
    await at.deploy(
      'one',
      { hooks: { ...hooks, after_deploy: 'touch "$STATE_DIRECTORY/deployed"' }, env: { PLACE: 'here' } },
      { context },
    );
    expect(events).toContainEqual(
      expect.stringMatching(
        /^before_cut_over exit code 0: migrating as app-\S+ in (\d{8}\S+|app) with here$/,
      ),
    );
    await at.on(`test -e /var/lib/pipeline-apps/${APP}/deployed`);
    const failure = await failureOf(
      at.deploy('two', { hooks: { before_cut_over: 'echo "no table surveys"; exit 9' } }),
    );
    expect(failure).toMatchObject({ step: 'before_cut_over', output: ['no table surveys'] });
    expect((await at.ask('/')).text).toBe('version one 0');
  });
});
