/** `pipeline monitor setup` on real hosts, as a user runs it: everything is there, a second run changes nothing, a request becomes a mark. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Overview } from '../../src/monitor/api-types.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { projectFolder, run, runJson } from '../support/program.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined)
  process.stderr.write(`test/monitor/setup.host.test.ts skipped: ${unavailable}\n`);

const configuration = `
project: mon-${randomBytes(3).toString('hex')}
hosts:
  monitor: { memory: 512M }
  web: { roles: [nginx], memory: 256M }
monitor: { host: monitor }
`;

interface SetUp {
  readonly dashboard: string;
  readonly changed: number;
  readonly user: string;
  readonly password: string;
}

describe.skipIf(unavailable !== undefined)('pipeline monitor setup', () => {
  const project = projectFolder(configuration);
  const here = { cwd: project.path };
  let made: SetUp;
  let base: string;
  afterAll(() => project.remove());

  beforeAll(async () => {
    expect((await run(['prod', 'up'], here)).exitCode).toBe(0);
    made = (await runJson(['monitor', 'setup'], here)).json as SetUp;
    base = made.dashboard.replace('/dashboard', '');
  });

  const overview = async () => {
    const authorization = `Basic ${Buffer.from(`${made.user}:${made.password}`).toString('base64')}`;
    const response = await fetch(`${base}/api/overview`, { headers: { authorization } });
    expect(response.status).toBe(200);
    return (await response.json()) as Overview;
  };

  it('brings Redis, hub and agents, and says the password once', async () => {
    expect(made.changed).toBeGreaterThan(15);
    expect(made.user).toBe('admin');
    expect(
      (await overview()).hosts.map(({ name, silentSeconds }) => [name, (silentSeconds ?? 99) < 10]),
    ).toEqual([
      ['monitor', true],
      ['web', true],
    ]);
  });

  it('changes nothing in a second run, and neither does prod up after it', async () => {
    const again = (await runJson(['monitor', 'setup'], here)).json as SetUp;
    expect(again.changed).toBe(0);
    expect(again.password).toBeUndefined();
    expect((await runJson(['prod', 'plan'], here)).json).toMatchObject({ changed: 0 });
  });

  it('shows a request that a host answered', async () => {
    const line = `{"msec":$(date +%s.%3N),"app":"shop","variant":"blue","release":"r1","method":"GET","uri":"/","status":200,"bytes":5,"time":0.010,"upstream_time":"0.010","upstream_header_time":"0.010","upstream_status":"200","upstream_addr":"127.0.0.1:1","id":"x"}`;
    const log = '/var/log/nginx/pipeline/shop.json.log';
    // The agent reads a new file from its begin, and an old one from its end.
    await run(
      [
        'prod',
        'ssh',
        'web',
        '--',
        `touch ${log} && chgrp adm ${log} && chmod 640 ${log} && sleep 3 && cat >>${log} <<END\n${line}\nEND`,
      ],
      here,
    );
    await expect
      .poll(async () => (await overview()).apps.map(({ name }) => name), { timeout: 60_000 })
      .toContain('shop');
  });

  it('lets agents into Redis and nobody else, and nobody in without a password', async () => {
    expect((await fetch(`${base}/api/overview`)).status).toBe(401);
    const { stdout } = await run(
      [
        'prod',
        'ssh',
        'monitor',
        '--',
        'redis-cli -s /run/pipeline-redis/redis.sock XLEN in:web:samples || true',
      ],
      here,
    );
    expect(stdout).toContain('NOAUTH');
  });

  it('calls a host that went silent broken within 15 seconds', async () => {
    await run(['prod', 'ssh', 'web', '--', 'systemctl kill --signal=STOP pipeline-agent'], here);
    const begun = performance.now();
    while ((await overview()).hosts.find(({ name }) => name === 'web')?.health !== 'broken') {
      expect(performance.now() - begun).toBeLessThan(15_000);
      await sleep(200);
    }
    await run(['prod', 'ssh', 'web', '--', 'systemctl kill --signal=CONT pipeline-agent'], here);
  });
});
