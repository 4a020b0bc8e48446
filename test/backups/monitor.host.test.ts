/**
 * A monitor that is lost with all that it knows: made anew from its backup, it knows its users, silences and
 * measurements again, and hears every host, without a word to anybody.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Overview } from '../../src/hub/api-types.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { projectFolder, run, runJson } from '../support/program.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined)
  process.stderr.write(`test/backups/monitor.host.test.ts skipped: ${unavailable}\n`);

const id = randomBytes(6).toString('hex');
const configuration = (more = '') => `
project: lost-monitor
id: ${id}
hosts:
  monitor: { memory: 512M }
  store: { memory: 256M }
monitor: { host: monitor }
${more}`;

describe.skipIf(unavailable !== undefined)(`a lost monitor (${unavailable ?? 'local hosts'})`, () => {
  const project = projectFolder(configuration());
  const here = { cwd: project.path };
  let signIn = '';
  let base = '';

  const good = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(args, here);
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${exitCode}\n${stdout}${stderr}`);
    return stdout;
  };
  const on = (host: string, script: string) => good('prod', 'ssh', host, '--', script);
  const address = async (name: string) => {
    const { hosts } = (await runJson(['prod', 'status'], here)).json as {
      hosts: { name: string; address: string }[];
    };
    return hosts.find((one) => one.name === name)?.address ?? '';
  };
  const overview = async () => {
    const headers = { authorization: `Basic ${Buffer.from(signIn).toString('base64')}` };
    const response = await fetch(`${base}/api/overview`, { headers });
    expect(response.status).toBe(200);
    return (await response.json()) as Overview;
  };

  beforeAll(async () => {
    await good('prod', 'up');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(project.path, 'key')]);
    const key = readFileSync(join(project.path, 'key.pub'), 'utf8').trim();
    const hostKey = await on(
      'store',
      `mkdir -p /srv/backups; echo '${key}' >>/root/.ssh/authorized_keys; cat /etc/ssh/ssh_host_ed25519_key.pub`,
    );
    writeFileSync(
      join(project.path, 'pipeline.yml'),
      configuration(`backups:
  to: sftp:root@${await address('store')}:/srv/backups
  credentials: { command: cat key }
  host_key: ${hostKey.trim().split(' ').slice(0, 2).join(' ')}
`),
    );
    await good('prod', 'up');
    const made = JSON.parse(await good('monitor', 'setup', '--json')) as {
      user: string;
      password: string;
      dashboard: string;
    };
    base = made.dashboard.replace('/dashboard', '');
    signIn = `${made.user}:${made.password}`;
    await good('monitor', 'silence', 'store', '2d', 'kept over a loss');
  });
  afterAll(() => project.remove());

  test('is made anew from its backup', async () => {
    const before = await overview();
    await good('backup', 'now');
    await on('monitor', 'poweroff -f').catch(() => undefined);
    const stdout = await good('prod', 'replace', 'monitor', '--yes');
    expect(stdout.split('\n').find((line) => line.startsWith('monitor '))).toMatch(
      /^monitor is made anew, and what was written there in the last \d+ minutes? is lost\.$/,
    );
    // Nobody is given another password, and no agent another key.
    expect(stdout).not.toContain('Sign in to the dashboard');
    const silences = await good('monitor', 'silence');
    expect(silences).toContain('kept over a loss');
    await expect
      .poll(async () => (await overview()).hosts.map(({ silentSeconds }) => (silentSeconds ?? 99) < 10), {
        timeout: 60_000,
      })
      .toEqual(before.hosts.map(() => true));
    expect((await overview()).hosts.map(({ name }) => name)).toEqual(before.hosts.map(({ name }) => name));
    expect(await good('prod', 'up')).toContain('Nothing to change');
  });
});
