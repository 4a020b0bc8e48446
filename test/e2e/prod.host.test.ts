/** The promises of `pipeline prod`, on the program as a user runs it. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { projectFolder, run, runJson, start } from '../support/program.ts';

const unavailable = hostsUnavailable();

interface Change {
  readonly host: string | null;
  readonly step: string;
  readonly action: string;
}
interface Changes {
  readonly provider: string;
  readonly changes: readonly Change[];
  readonly changed: number;
  readonly hosts: readonly {
    readonly name: string;
    readonly address: string | null;
    readonly roles: readonly string[];
  }[];
  readonly inventory: string;
}

const configuration = () => `
project: e2e-${randomBytes(3).toString('hex')}
hosts:
  monitor: { memory: 256M }
  web: { roles: [nginx], memory: 256M }
apps:
  store: { source: ., hosts: [web] }
`;

describe.skipIf(unavailable !== undefined)(`pipeline prod (${unavailable ?? 'local hosts'})`, () => {
  const project = projectFolder(configuration());
  const here = { cwd: project.path };
  afterAll(() => project.remove());
  let planned: Changes;

  beforeAll(async () => {
    planned = (await runJson(['prod', 'plan'], here)).json as Changes;
  });

  it('plan touches nothing: no key, no inventory, no host', async () => {
    expect(existsSync(join(project.path, 'inventory.ini'))).toBe(false);
    expect(existsSync(join(project.path, '.pipeline/keys'))).toBe(false);
    expect((await runJson(['prod', 'status'], here)).json).toMatchObject({ hosts: [] });
  });

  it('up does what plan printed', async () => {
    const { json, exitCode } = await runJson(['prod', 'up'], here);
    expect(exitCode).toBe(0);
    const up = json as Changes;
    expect(sorted(up.changes)).toEqual(sorted(planned.changes));
    expect(up.changed).toBeGreaterThan(10);
    expect(up.hosts.map(({ name, roles }) => ({ name, roles }))).toEqual([
      { name: 'monitor', roles: [] },
      { name: 'web', roles: ['nginx', 'node-service'] },
    ]);
    expect(up.changes.map(({ host, step }) => `${host} ${step}`)).toContainEqual(
      expect.stringMatching(/^web file \S+onhost-\w+\.cjs$/),
    );
    expect(readFileSync(up.inventory, 'utf8')).toContain('[monitor]');
  });

  it('a second up changes nothing and says so', async () => {
    const { stdout, exitCode } = await run(['prod', 'up'], here);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Nothing to change on 2 hosts');
    expect((await runJson(['prod', 'plan'], here)).json).toMatchObject({ changes: [], changed: 0 });
  });

  it('plan shows a changed file as a diff, and up mends it', async () => {
    await run(['prod', 'ssh', 'web', '--', 'echo "# a stranger was here" >> /etc/nginx/nginx.conf'], here);
    const { stdout } = await run(['prod', 'plan'], here);
    expect(stdout).toMatch(/web\s+change\s+file \/etc\/nginx\/nginx.conf/);
    expect(stdout).toContain('-# a stranger was here');
    expect(stdout).toMatch(/monitor\s+same/);
    await run(['prod', 'up'], here);
    expect((await runJson(['prod', 'plan'], here)).json).toMatchObject({ changed: 0 });
  });

  it('ssh runs a command and gives its exit code', async () => {
    expect(await run(['prod', 'ssh', 'web', '--', 'hostname; exit 7'], here)).toMatchObject({
      exitCode: 7,
      stdout: 'web\n',
    });
  });

  it('the audit log of each host says who did what', async () => {
    const { stdout } = await run(['prod', 'ssh', 'web', '--', 'cat /var/log/pipeline/audit.jsonl'], here);
    const [first = ''] = stdout.split('\n');
    expect(JSON.parse(first)).toMatchObject({
      action: 'up',
      result: 'done',
      by: expect.stringContaining('@'),
    });
  });

  it.each([
    ['a host that is none', ['prod', 'ssh', 'wep'], 2, 'Did you mean web?'],
    ['an application that is none', ['deploy', 'shop'], 2, 'there is no application "shop"'],
    ['an inventory that is not there', ['prod', 'status', '-i', 'nothere.ini'], 2, 'nothere.ini'],
    ['a configuration that is not there', ['prod', 'plan', '-c', 'nothere.yml'], 2, 'nothere.yml'],
    ['destroy without a yes', ['prod', 'destroy'], 2, '--yes'],
  ])('%s: one clear sentence', async (_title, args, exitCode, sentence) => {
    const ended = await run(args, here);
    expect(ended.stdout).toContain('error: ');
    expect(ended.stdout).toContain(sentence);
    expect(ended.exitCode).toBe(exitCode);
  });

  it('two commands at once: the second says who works there and exits 4; with --wait it waits', async () => {
    await run(
      ['prod', 'ssh', 'web', '--', 'apt-get remove -qq -y logrotate; rm -f /etc/nginx/nginx.conf'],
      here,
    );
    const first = start(['prod', 'up'], here);
    await sleep(700);
    const [second, third] = await Promise.all([
      run(['prod', 'up'], here),
      run(['prod', 'up', '--wait'], here),
    ]);
    expect((await first.ended).exitCode).toBe(0);
    expect(second.exitCode).toBe(4);
    expect(second.stdout).toContain('pipeline prod up');
    expect(third.exitCode).toBe(0);
  });

  it.each([0.3, 0.9, 2, 4])('killed after %s s, up goes on from there', async (seconds) => {
    await run(
      [
        'prod',
        'ssh',
        'web',
        '--',
        'apt-get purge -qq -y nginx nginx-common logrotate >/dev/null 2>&1; rm -rf /etc/nginx',
      ],
      here,
    );
    const first = start(['prod', 'up'], here);
    await sleep(seconds * 1000);
    first.process.kill('SIGKILL');
    await first.ended;
    const again = await run(['prod', 'up', '--wait'], here);
    expect(again.stdout + again.stderr).toMatch(/Ready in|Nothing to change/);
    expect((await runJson(['prod', 'plan'], here)).json).toMatchObject({ changed: 0 });
  });

  it('Ctrl-C stops it, says what is half done, and running it again finishes', async () => {
    await run(
      [
        'prod',
        'ssh',
        'web',
        '--',
        // Whoever installs waits for the one who holds dpkg's lock, however fast the machine is.
        `apt-get purge -qq -y nginx nginx-common >/dev/null 2>&1; rm -rf /etc/nginx
systemd-run --quiet --collect --unit holder python3 -c 'import fcntl,time
f=open("/var/lib/dpkg/lock-frontend","w"); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep(15)'`,
      ],
      here,
    );
    const first = start(['prod', 'up'], here);
    await sleep(2_000);
    first.process.kill('SIGINT');
    const stopped = await first.ended;
    expect(stopped.exitCode).toBe(130);
    expect(stopped.stdout).toContain('half done: ');
    expect(stopped.stdout).toContain('Run the same command again');
    expect((await run(['prod', 'up', '--wait'], here)).exitCode).toBe(0);
  });
});

describe.skipIf(unavailable !== undefined)(`prod destroy (${unavailable ?? 'local hosts'})`, () => {
  it('after a kill in the middle of up or of destroy, leaves nothing', async () => {
    const project = projectFolder(configuration());
    const here = { cwd: project.path };
    const up = start(['prod', 'up'], here);
    await sleep(900);
    up.process.kill('SIGKILL');
    await up.ended;
    const destroy = start(['prod', 'destroy', '--yes', '--wait'], here);
    await sleep(400);
    destroy.process.kill('SIGKILL');
    await destroy.ended;
    await run(['prod', 'destroy', '--yes', '--wait'], here);
    expect((await runJson(['prod', 'destroy', '--yes'], here)).json).toMatchObject({ removed: [], left: [] });
    await project.remove();
  });
});

function sorted(changes: readonly Change[]): string[] {
  return changes.map(({ host, step, action }) => `${host} ${step} ${action}`).sort();
}
