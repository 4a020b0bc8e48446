/** What runs besides deploys: commands, folders that stay, restarts, maintenance, long connections. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProgressEvent } from '../../src/context.ts';
import { systemUser } from '../../src/contract/places.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { startLoad } from '../support/load.ts';
import { APP, CACHE, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();
const PROGRAM = fileURLToPath(new URL('../../bin/pipeline', import.meta.url));

describe.skipIf(unavailable !== undefined)(`a running application (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;

  beforeAll(async () => {
    at = await startReleases(['web']);
    const { address, port, user, identityFile, knownHostsFile } = at.hosts[0]?.connection.target ?? {};
    writeFileSync(
      join(at.folder, 'inventory.ini'),
      `[web]\nweb ansible_host=${address} ansible_port=${port} ansible_user=${user} ` +
        `ansible_ssh_private_key_file=${identityFile} ` +
        `ansible_ssh_common_args='-o UserKnownHostsFile=${knownHostsFile}'\n`,
    );
    writeFileSync(
      join(at.folder, 'pipeline.yml'),
      `project: test
hosts: { web: { roles: [nginx] } }
apps:
  ${APP}:
    source: repository
    hosts: [web]
    drain: 10s
    secrets: { KEY: { generate: 20 } }
    site: { maintenance: closed.html }
    health: { path: /health }
`,
    );
    writeFileSync(join(at.folder, 'closed.html'), '<h1>Back soon, for $5</h1>\n');
  });
  afterAll(() => at?.stop());

  const started = (args: readonly string[], input: 'pipe' | 'ignore' = 'ignore') =>
    spawn(process.execPath, [PROGRAM, ...args], {
      cwd: at.folder,
      env: { ...process.env, XDG_CACHE_HOME: CACHE, PIPELINE_USER: 'tester@test' },
      stdio: [input, 'pipe', 'pipe'],
    });

  async function pipeline(args: readonly string[], input?: string) {
    const child = started(args, input === undefined ? 'ignore' : 'pipe');
    child.stdin?.end(input);
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout ?? process.stdin),
      text(child.stderr ?? process.stdin),
      once(child, 'close'),
    ]);
    return { stdout, stderr, code };
  }

  const audit = async (action: string) =>
    (await at.on('cat /var/log/pipeline/audit.jsonl'))
      .split('\n')
      .filter((line) => line.includes(`"action":"${action}"`))
      .map((line) => JSON.parse(line) as Record<string, string>);

  describe('a command', () => {
    beforeAll(async () => {
      await at.deploy('one', { secrets: { KEY: { generate: 20 } } });
    });

    test('runs as the service does, through pipes, with its exit code', async () => {
      const script =
        'process.stdin.pipe(process.stdout); console.error(process.getuid() > 0, process.cwd(), ' +
        'process.env.KEY.length, process.env.PORT, process.version); process.on("exit", () => ' +
        'process.exit(7))';
      const ran = await pipeline(['run', APP, '--', 'node', '-e', script], 'a\nb');
      expect(ran.code).toBe(7);
      expect(ran.stdout).toBe('a\nb');
      expect(ran.stderr).toMatch(
        new RegExp(`^true /srv/${APP}/releases/[^/]+/app 20 undefined ${process.version}\n$`),
      );
    });

    test('reaches neither the settings of hosts nor what is not its own', async () => {
      const ran = await pipeline(['run', APP, '--', 'cat /etc/pipeline/apps/*/secrets/KEY; touch here']);
      expect(ran.code).not.toBe(0);
      expect(ran.stderr).toMatch(/Permission denied|No such file/);
      expect(ran.stderr).toMatch(/Read-only file system/);
    });

    test('is in the audit log, without what is secret', async () => {
      const key = (await pipeline(['run', APP, '--', 'printf %s "$KEY"'])).stdout;
      expect(key).toHaveLength(20);
      await pipeline(['run', APP, '--', 'test', key, '=', 'x$KEY$$']);
      const [line] = (await audit('run')).slice(-1);
      expect(line).toMatchObject({ by: 'tester@test', app: APP, result: 'exit 1' });
      expect(line?.message).toBe('test *** = "x$KEY$$"');
      expect(await at.on('ls /run/pipeline/commands | wc -l; systemctl --failed --plain --no-legend')).toBe(
        '0\n',
      );
    });

    test('has a terminal where there is one', async () => {
      const inside = `${process.execPath} ${PROGRAM} run ${APP} -- 'tty; stty size; echo $TERM; exit 5'`;
      const child = spawn('script', ['-qec', `stty rows 40 cols 111; ${inside}`, '/dev/null'], {
        cwd: at.folder,
        env: { ...process.env, XDG_CACHE_HOME: CACHE, TERM: 'xterm' },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
      expect(out.replaceAll('\r', '')).toMatch(/^\/dev\/pts\/\d+\n40 111\nxterm\n$/);
      expect(code).toBe(5);
    });

    test('gets Ctrl-C, and says how it ended', async () => {
      const script =
        'process.on("SIGINT", () => { console.log("bye"); process.exit(9); }); ' +
        'console.log("up"); setInterval(() => {}, 1000)';
      const child = started(['run', APP, '--', 'node', '-e', script]);
      let out = '';
      child.stdout?.on('data', (part) => {
        out += part;
      });
      while (!out.includes('up')) await delay(50);
      child.kill('SIGINT');
      const [code] = await once(child, 'close');
      expect({ out, code }).toEqual({ out: 'up\nbye\n', code: 9 });
    });

    test('of a release that there is not is refused', async () => {
      expect((await pipeline(['run', APP, '--release', 'nothing', '--', 'true'])).code).toBe(2);
      expect((await pipeline(['run', APP, '--host', 'wep', '--', 'true'])).stdout).toContain(
        'Did you mean web?',
      );
    });
  });

  describe('a folder that outlives releases', () => {
    const app = (persist: string[]) => ({
      persist,
      site: { static: 'public', routes: ['/api'] },
      secrets: { KEY: { generate: 20 } },
    });
    const inRelease = async (line: string) => {
      const ran = await pipeline(['run', APP, '--', line]);
      expect(ran.stderr).toBe('');
    };

    test('begins with what was there, and stays over deploys; older releases find their own', async () => {
      const first = await at.deploy('one', app([]));
      await at.on(`echo by hand >/srv/${APP}/${first.hosts[0]?.colour}/app/public/hand.txt`);
      await at.deploy('two', app(['public']));
      await inRelease('mkdir public/deep && echo up >public/up.txt && echo deep >public/deep/a.txt');
      await at.deploy('three', app(['public']));
      for (const [path, said] of [
        ['/hand.txt', 'by hand\n'],
        ['/site.css', '/* one */\n'],
        ['/up.txt', 'up\n'],
        ['/deep/a.txt', 'deep\n'],
      ] as const) {
        expect(await at.ask(path)).toMatchObject({ status: 200, text: said });
      }
      expect((await at.deploy('three', app(['public']))).changed).toBe(false);

      await at.rollback(first.release, app([]));
      expect(await at.ask('/hand.txt')).toMatchObject({ status: 200, text: 'by hand\n' });
      expect((await at.ask('/up.txt')).status).toBe(404);
      await at.deploy('four', app(['public']));
      expect(await at.ask('/up.txt')).toMatchObject({ status: 200, text: 'up\n' });
    });

    test('belongs to the application: nginx follows no link of it out of there', async () => {
      await inRelease('ln -s /etc/hostname public/leak.txt && ln -s up.txt public/own.txt');
      expect((await at.ask('/leak.txt')).status).toBe(404);
      expect(await at.ask('/own.txt')).toMatchObject({ status: 200, text: 'up\n' });
      const modes = await at.on(
        `cd /var/lib/pipeline-persist && stat -c '%U:%G %a' ${APP} ${APP}/public/deep`,
      );
      expect(modes).toBe(`root:root 755\n${systemUser(APP)}:www-data 2750\n`);
    });
  });

  describe('at 500 requests a second, none is dropped', () => {
    async function during(work: () => Promise<unknown>, keepAlive: boolean) {
      const load = startLoad({ url: `http://${at.addresses[0]}/`, rate: 500, keepAlive });
      await delay(300);
      await work();
      await delay(300);
      const { others, ok, sent } = await load.stop();
      expect(others).toEqual({});
      expect(ok).toBe(sent);
    }

    beforeAll(async () => {
      await at.deploy('one');
      await at.deploy('two');
    });

    test.each([true, false])(
      'by a restart, which starts new processes (keep-alive: %s)',
      async (keepAlive) => {
        const pids = () => at.on(`systemctl show --value -p MainPID 'pipeline-${APP}@*'`);
        const before = await pids();
        await during(async () => {
          const { code, stdout } = await pipeline(['restart', APP, '--json']);
          expect({ code, ...JSON.parse(stdout) }).toMatchObject({
            code: 0,
            changed: true,
            hosts: [{ host: 'web' }],
          });
        }, keepAlive);
        expect(await pids()).not.toBe(before);
        expect((await audit('restart')).at(-1)).toMatchObject({
          by: 'tester@test',
          app: APP,
          result: 'live',
        });
      },
    );

    test.each([true, false])('by more processes, and by fewer (keep-alive: %s)', async (keepAlive) => {
      await during(async () => {
        await at.deploy('two', { instances: 2 });
        await at.deploy('two', { instances: 1 });
      }, keepAlive);
    });
  });

  test('connections that never end go on in the old version while it may finish, then close', async () => {
    await at.deploy('one');
    const [events, socket] = [longLived('/events', {}), longLived('/socket', { upgrade: 'websocket' })];
    await delay(500);
    const told: string[] = [];
    const context = { ...at.context, progress: (event: ProgressEvent) => told.push(event.detail ?? '') };
    const began = performance.now();
    await at.deploy('two', { drain: '2s', watch: '0s' }, { context });
    expect(performance.now() - began).toBeGreaterThan(2000);
    expect(told.some((line) => /stopped with 2 requests still under way after 2 s/.test(line))).toBe(true);
    for (const one of [events, socket]) {
      await one.ended;
      expect(one.said()).toMatch(/one/);
      expect(one.said()).not.toMatch(/two/);
      // Ten in a second: before the deploy, and while it started, was checked and drained.
      expect(one.said().match(/one/g)?.length).toBeGreaterThan(20);
    }
    const again = longLived('/socket', { upgrade: 'websocket' });
    await delay(500);
    expect(again.said()).toContain('frame of two');
    again.end();
  });

  test('maintenance answers with the page, over deploys and reboots, and loses nothing', async () => {
    await at.deploy('one');
    const url = `http://${at.addresses[0]}/`;
    const load = startLoad({ url, rate: 300, keepAlive: true, method: 'POST', body: 'five!' });
    await delay(300);
    expect((await pipeline(['maintenance', 'on', APP, '--for', '30m'])).code).toBe(0);
    await at.deploy('two');
    expect(await at.ask('/')).toMatchObject({ status: 503, text: '<h1>Back soon, for $5</h1>\n' });
    const retry = Date.parse((await at.ask('/')).headers.get('retry-after') ?? '') - Date.now();
    expect(retry / 60_000).toBeGreaterThan(25);
    expect((await pipeline(['maintenance', 'off', APP])).code).toBe(0);
    await delay(300);
    const { others, ok, sent } = await load.stop();
    expect(Object.keys(others)).toEqual(['status 503']);
    expect(ok + (others['status 503'] ?? 0)).toBe(sent);
    expect((await at.ask('/')).text).toBe('version two 0');

    await pipeline(['maintenance', 'on', APP]);
    const [status, listed] = await Promise.all([
      pipeline(['prod', 'status', '-i', 'inventory.ini', '--json']),
      pipeline(['releases', APP]),
    ]);
    expect(JSON.parse(status.stdout).hosts[0].apps[0]).toMatchObject({
      healthy: true,
      maintenance: { by: 'tester@test', until: null },
    });
    expect(listed.stdout).toContain('live, closed');
    await at.reboot('web');
    expect((await at.ask('/')).headers.get('retry-after')).toBe('300');
    expect((await pipeline(['maintenance', 'off', APP])).code).toBe(0);
    expect((await at.ask('/')).status).toBe(200);
    expect((await audit('maintenance')).map(({ message }) => message)).toEqual([
      'on for 30 min',
      'off',
      'on',
      'off',
    ]);
  });

  test('a staging site asks for a password, which a rollback needs not know', async () => {
    const site = { auth: { ann: { env: 'STAGING' } } };
    const context = { ...at.context, env: { ...at.context.env, STAGING: 'open sesame' } };
    await at.deploy('three', { site }, { context });
    const authorization = `Basic ${btoa('ann:open sesame')}`;
    expect((await at.ask('/')).status).toBe(401);
    expect(await at.ask('/headers', { headers: { authorization } })).toMatchObject({ status: 200 });
    expect((await at.ask('/headers', { headers: { authorization } })).text).not.toContain('authorization');
    await at.rollback(undefined, { site });
    expect((await at.ask('/')).status).toBe(401);
    expect((await at.ask('/', { headers: { authorization } })).text).toBe('version two 0');
    expect(await at.on(`stat -c '%U:%G %a' /etc/pipeline/apps/${APP}/auth/*`)).toBe('root:www-data 640\n');
  });

  function longLived(path: string, headers: Record<string, string>) {
    let said = '';
    const asked = request(`http://${at.addresses[0]}${path}`, {
      headers: headers.upgrade === undefined ? headers : { ...headers, connection: 'upgrade' },
    });
    const ended = new Promise<void>((resolve) => {
      const take = (stream: Readable) => {
        stream.on('data', (part) => {
          said += part;
        });
        stream.on('close', () => resolve());
        stream.on('error', () => resolve());
      };
      asked.on('response', take);
      asked.on('upgrade', (_, socket) => take(socket));
      asked.on('error', () => resolve());
    });
    asked.end();
    return { said: () => said, ended, end: () => asked.destroy() };
  }
});
