import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { quote } from '../../src/ssh/quote.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();

interface Shown {
  readonly at: string;
  readonly host: string;
  readonly source: string;
  readonly kind: string;
  readonly level: string;
  readonly release: string | null;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly cut?: boolean;
}

describe.skipIf(unavailable !== undefined)(`logs of two hosts (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;
  let first = '';

  beforeAll(async () => {
    at = await startReleases(['web-1', 'web-2']);
    const lines = at.hosts.map(({ name, connection: { target } }) =>
      [
        `${name} ansible_host=${target.address} ansible_port=${target.port} ansible_user=${target.user}`,
        `ansible_ssh_private_key_file=${target.identityFile}`,
        `ansible_ssh_common_args="-o UserKnownHostsFile=${target.knownHostsFile}"`,
      ].join(' '),
    );
    const groups = at.hosts.map(({ name }) => `[${name}]\n${name}`);
    writeFileSync(join(at.folder, 'inventory.ini'), `${lines.join('\n')}\n${groups.join('\n')}\n`);
    writeFileSync(
      join(at.folder, 'pipeline.yml'),
      `project: test
hosts:
  web-1: { roles: [nginx] }
  web-2: { roles: [nginx] }
apps:
  ${APP}:
    source: ${at.folder}/repository
    hosts: [web-1, web-2]
    secrets:
      TOKEN: { generate: 32 }
`,
    );
    ({ release: first } = await at.deploy('one', { secrets: { TOKEN: { generate: 32 } } }));
  });
  afterAll(() => at?.stop());

  /** A command that runs until `stop`, or to its end. */
  function start(...args: readonly string[]) {
    const stop = new AbortController();
    let [stdout, stderr] = ['', ''];
    const ended = runProgram(['logs', ...args], {
      env: process.env,
      cwd: at.folder,
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
      interrupted: stop.signal,
    });
    const documents = () =>
      stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Shown]));
    return { stop, ended, documents, stdout: () => stdout, stderr: () => stderr };
  }

  async function run(...args: readonly string[]) {
    const running = start(...args);
    const exitCode = await running.ended;
    return { exitCode, stdout: running.stdout(), stderr: running.stderr() };
  }

  async function json(...args: readonly string[]) {
    const running = start(...args, '--json');
    expect([await running.ended, running.stderr()]).toEqual([0, '']);
    return running.documents();
  }

  /** Prints as a job of the application does. */
  const print = (script: string, host = 0) =>
    at.on(
      `systemd-run --quiet --collect --wait --unit 'pipeline-${APP}@job-print.service' bash -c ${quote(script)}
journalctl --sync`,
      host,
    );

  test('both instances in one order, with their release', async () => {
    const lines = await json(APP, '--since', '1h');
    const said = lines.filter(({ message }) => message.startsWith('version one listens'));
    expect(said.map(({ host, source, release }) => [host, source, release])).toEqual(
      expect.arrayContaining([
        ['web-1', 'blue', first],
        ['web-2', 'blue', first],
      ]),
    );
    expect(lines.map((line) => line.at)).toEqual(lines.map((line) => line.at).toSorted());
    expect(await json(APP, '--release', 'other')).toEqual([]);
    expect((await json(APP, '-n', '1')).length).toBe(1);
    const whole = await json('web-1', '--unit', 'nginx', '-n', '5');
    expect(whole.every(({ source }) => source === 'nginx')).toBe(true);
  });

  test('followed over a deploy: new release, no line lost, within a second; Ctrl-C ends it on the hosts', async () => {
    const running = start(APP, '-f', '-n', '0', '--json', '--requests');
    await sleep(3_000);
    const before = Date.now();
    await at.on(
      `systemd-run --quiet --collect --unit 'pipeline-${APP}@job-say.service' -p ` +
        `SyslogIdentifier=${APP} echo quick`,
    );
    const has = (message: string) => running.documents().some((line) => line.message.includes(message));
    await expect.poll(() => has('quick'), { interval: 20, timeout: 5_000 }).toBe(true);
    process.stderr.write(`line to -f: ${Date.now() - before} ms, of which systemd-run over SSH is a part\n`);
    const { release } = await at.deploy('two', { secrets: { TOKEN: { generate: 32 } } });
    await at.ask('/?after=1');
    await expect.poll(() => has('GET /?after=1 200'), { interval: 50, timeout: 5_000 }).toBe(true);
    const new2 = running.documents().filter(({ message }) => message.startsWith('version two listens'));
    expect(new2.map(({ host, source, release: of }) => `${host} ${source} ${of}`).sort()).toEqual([
      `web-1 green ${release}`,
      `web-2 green ${release}`,
    ]);
    running.stop.abort();
    expect([await running.ended, running.stderr()]).toEqual([0, '']);
    const left = () => at.on("pgrep -fc '[j]ournalctl --quiet --no-pager|[t]ail -n .*json.log' || true");
    expect((await left()).trim()).toBe('0');
  });

  test('requests by status, over a rotation', async () => {
    await at.deploy('broken-elsewhere', { secrets: { TOKEN: { generate: 32 } } });
    await at.ask('/one');
    await at.on(`sleep 0.5; logrotate -f /etc/logrotate.d/pipeline-nginx; sleep 0.5`);
    await at.ask('/two?token=verysecret');
    await sleep(600);
    const failed = await json(APP, '--since', '10m', '--status', '5xx');
    expect(failed.map(({ message, level }) => [message.replace(/ \d+ ms/, ''), level])).toEqual([
      ['GET /one 500', 'error'],
      ['GET /two?token=*** 500', 'error'],
    ]);
    expect(await json(APP, '-n', '1', '--status', '500')).toEqual([failed[1]]);
    expect(await json(APP, '--status', '404')).toEqual([]);
  });

  test('a line of 10 MB, bytes, escapes, secrets, and lines in JSON', async () => {
    const token = (await at.on(`cat /etc/pipeline/apps/${APP}/secrets/TOKEN`)).trim();
    await print("head -c 10000000 /dev/zero | tr '\\0' x; echo; echo after the long one");
    await print(
      `printf 'red \\033[31mtext\\007 \\377\\376 bell\\n'; echo the token is ${token}; ` +
        `echo '{"level":50,"msg":"no card","order":7,"password":"pass1234"}'`,
    );
    const lines = await json(APP, '--since', '2m');
    const long = lines.filter(({ message }) => message.startsWith('xxxx'));
    expect(long).toMatchObject([{ cut: true, source: 'job-print' }]);
    expect(long[0]?.message.length).toBe(8_000);
    expect(lines.some(({ message }) => message === 'after the long one')).toBe(true);
    expect(lines.find(({ message }) => message.startsWith('red'))?.message).toBe(
      'red text\\x07 \ufffd\ufffd bell',
    );
    expect(lines.some(({ message }) => message === 'the token is ***')).toBe(true);
    expect(lines.find(({ message }) => message === 'no card')).toMatchObject({
      level: 'error',
      fields: { order: '7', password: '***' },
    });
    const newest = await json(APP, '-n', '12');
    expect(newest.filter(({ message }) => message.startsWith('xxxx'))).toHaveLength(1);
    const text = await run(APP, '--since', '2m', '--level', 'error');
    expect(text.stdout).toMatch(/web-1 {2}job-print {2}ERROR {2}no card {2}order=7 password=\*\*\*\n/);
    expect(text.stdout).not.toContain('after the long one');
  });

  test('grep finds on the hosts what matches, and says what is wrong with a pattern', async () => {
    await print('for i in {1..2000}; do echo line $i; done; echo Needle 4711');
    const found = await json(APP, '--since', '1h', '--grep', 'needle \\d+');
    // systemd says the command too.
    expect(found.map(({ message }) => message).filter((text) => !text.startsWith('Started'))).toEqual([
      'Needle 4711',
    ]);
    expect(await json(APP, '--since', '1h', '--grep', 'NEEDLE')).toEqual([]);
    expect(
      (await json(APP, '--grep', '^line (1|1999|2000)$', '-n', '2')).map(({ message }) => message),
    ).toEqual(['line 1999', 'line 2000']);
    expect(await run(APP, '--grep', 'a(')).toMatchObject({ exitCode: 2 });
  });

  test('a host that is away: the others are shown, and it is said; followed, it comes back', async () => {
    await at.powerOff('web-2');
    const shown = await run(APP, '-n', '3');
    expect(shown.exitCode).toBe(3);
    expect(shown.stderr).toContain('web-2');
    expect(shown.stdout).toContain('web-1');
    const running = start(APP, '-f', '-n', '0', '--json');
    await expect.poll(() => running.stderr(), { interval: 100, timeout: 30_000 }).toContain('web-2');
    await at.powerOn();
    await expect
      .poll(() => running.stderr(), { interval: 200, timeout: 60_000 })
      .toContain('web-2 is read again');
    await at.on(
      `systemd-run --quiet --collect --unit 'pipeline-${APP}@job-say.service' -p ` +
        `SyslogIdentifier=${APP} echo back again`,
      1,
    );
    const has = () =>
      running.documents().some(({ host, message }) => host === 'web-2' && message === 'back again');
    await expect.poll(has, { interval: 50, timeout: 10_000 }).toBe(true);
    running.stop.abort();
    expect(await running.ended).toBe(0);
  });
});
