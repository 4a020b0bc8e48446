/** What runs besides deploys: commands, folders that stay, restarts, maintenance, long connections. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
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
        'process.env.KEY.length, process.env.PORT, process.version); process.on("exit", () => process.exit(7))';
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
});
