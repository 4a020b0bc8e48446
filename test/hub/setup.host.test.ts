/**
 * `pipeline monitor setup` on real hosts, as a user runs it: everything is there, a second run changes
 * nothing, a request becomes an event.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { quietContext } from '../../src/context.ts';
import { ROLLOUT_STATUS, ROLLOUTS_ENDED, type RolloutStatus } from '../../src/contract/rollout.ts';
import { productionSpec } from '../../src/environment/environment.ts';
import type { EventPage, LogPage, Overview } from '../../src/hub/api-types.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { powerCut } from '../support/power.ts';
import { projectFolder, run, runJson } from '../support/program.ts';
import { endedStatus, rolloutStatus } from './sample/rollouts.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined) process.stderr.write(`test/hub/setup.host.test.ts skipped: ${unavailable}\n`);

const configuration = `
project: mon-${randomBytes(3).toString('hex')}
hosts:
  monitor: { memory: 512M }
  web: { roles: [nginx], memory: 256M }
monitor: { status_page: { title: Example, push: { env: HOOK } }, host: monitor }
alerts:
  notify: [{ webhook: { env: HOOK } }]
  repeat: 1m
  own: { asked: 'route requests of / > 0/s', idle: { when: cpu on web < 100%, severity: critical } }
`;

interface SetUp {
  readonly dashboard: string;
  readonly changed: number;
  readonly user: string;
  readonly password: string;
}

describe.skipIf(unavailable !== undefined)('pipeline monitor setup', () => {
  const project = projectFolder(configuration);
  const told: unknown[] = [];
  /** Status pages that were put here. */
  const put: string[] = [];
  /** What alerts go to: this machine, by the address that it has among its hosts. */
  const hook = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    if (request.method === 'PUT') put.push(text);
    else told.push(JSON.parse(text));
    response.end();
  });
  const env: Record<string, string> = {};
  const here = { cwd: project.path, env };
  let made: SetUp;
  let base: string;
  afterAll(async () => {
    hook.close();
    await project.remove();
  });

  beforeAll(async () => {
    const up = (await runJson(['prod', 'up'], here)).json as { hosts: { address: string }[] };
    const gateway = up.hosts[0]?.address.replace(/\d+$/, '1');
    await once(hook.listen(0, gateway), 'listening');
    env.HOOK = `http://${gateway}:${(hook.address() as AddressInfo).port}/s3cret`;
    made = (await runJson(['monitor', 'setup'], here)).json as SetUp;
    base = made.dashboard.replace('/dashboard', '');
  });

  const onHost = (host: string, command: string) => run(['prod', 'ssh', host, '--', command], here);

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
    const fields = {
      ...{ app: 'shop', colour: 'blue', release: 'r1', method: 'GET', uri: '/', status: 200, bytes: 5 },
      ...{ time: 0.01, upstream_time: '0.010', upstream_header_time: '0.010', upstream_status: '200' },
      ...{ upstream_addr: '127.0.0.1:1', id: 'x' },
    };
    const line = JSON.stringify(fields).replace('{', '{"msec":$(date +%s.%3N),');
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

  it("tells by rules of one's own, previews them, and knows who has taken what fires", async () => {
    for (const [rule, subject, part] of [
      ['asked', 'shop', '/'],
      ['idle', 'web', ''],
    ])
      await expect
        .poll(() => told, { timeout: 60_000 })
        .toContainEqual(expect.objectContaining({ state: 'firing', key: `${rule}|${subject}|${part}` }));
    // A minute is written when the next begins.
    const preview = async () => {
      const { json } = await runJson(['monitor', 'preview', 'route requests of / > 0/s'], here);
      return (json as { rules: { count: number }[] }).rules.map(({ count }) => count);
    };
    await expect.poll(preview, { timeout: 150_000, interval: 5_000 }).toEqual([1]);
    expect((await run(['monitor', 'preview', 'cpu 90%'], here)).exitCode).toBe(2);
    expect((await run(['monitor', 'acknowledge', 'idle'], here)).exitCode).toBe(0);
    await expect
      .poll(async () => (await overview()).alerts.find(({ rule }) => rule === 'idle')?.taken?.by, {
        timeout: 20_000,
      })
      .toMatch(/@/);
    const silenced = await run(['monitor', 'silence', 'idle', '2h', 'it is idle'], here);
    expect(silenced.exitCode).toBe(0);
  });

  it('has a status page for everybody, here and elsewhere, and an audit log of what is done on the page', async () => {
    const said = await run(['monitor', 'incident', 'We move.'], here);
    expect(said.exitCode).toBe(0);
    const seen = async () => (await fetch(`${base}/status`)).text();
    await expect.poll(seen, { timeout: 20_000 }).toContain('We move.');
    await expect.poll(() => put.at(-1), { timeout: 90_000 }).toContain('We move.');
    const addresses = new RegExp(`${new URL(base).hostname}|>web<|>monitor<`);
    expect(await seen()).not.toMatch(addresses);
    const authorization = `Basic ${Buffer.from(`${made.user}:${made.password}`).toString('base64')}`;
    const ended = await fetch(`${base}/api/silences/end`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ subject: 'idle' }),
    });
    expect(ended.status).toBe(200);
    const log = await onHost('monitor', 'stat -c %U:%a /var/log/pipeline-hub && cat /var/log/pipeline-hub/*');
    expect(log.stdout).toMatch(/^pipeline-hub:750\n.*"by":"admin","action":"unsilence".*"subject":"idle"/);
  });

  it('reads logs from an agent: lines of declared units, and requests; nothing for others', async () => {
    const authorization = `Basic ${Buffer.from(`${made.user}:${made.password}`).toString('base64')}`;
    const logs = async (query: string) => {
      const url = `${base}/api/logs?from=${Date.now() - 600_000}&${query}`;
      const response = await fetch(url, { headers: { authorization } });
      return { status: response.status, page: (await response.json()) as LogPage };
    };
    const unit = (name: string) => `systemd-run --quiet --collect --wait --unit '${name}.service'`;
    await onHost(
      'web',
      `${unit('pipeline-shop@blue')} sh -c 'echo password=hunter22; echo ERROR no card; sleep 0.3'; ` +
        `${unit('stranger')} echo not declared; journalctl --sync`,
    );
    const { page, status } = await logs('app=shop&requests=yes');
    expect([status, page.troubles]).toEqual([200, []]);
    const told = page.lines.map(
      ({ host, source, level, message }) => `${host} ${source} ${level} ${message}`,
    );
    expect(told).toEqual(
      expect.arrayContaining([
        'web nginx info GET / 200 10 ms',
        'web blue info password=***',
        'web blue error ERROR no card',
      ]),
    );
    const found = (await logs('app=shop&level=error&q=NO+CARD')).page;
    expect(found.lines.map(({ message }) => message)).toEqual(['ERROR no card']);
    const host = (await logs('host=web')).page.lines;
    expect(host.some(({ message }) => message === 'ERROR no card')).toBe(true);
    expect(host.some(({ message }) => message.includes('not declared'))).toBe(false);
    expect((await fetch(`${base}/api/logs?from=0&host=web`)).status).toBe(401);
    expect((await logs('app=unknown')).status).toBe(404);
  });

  it('makes events of the audit logs, also from before the agents or while the hub was away', async () => {
    const authorization = `Basic ${Buffer.from(`${made.user}:${made.password}`).toString('base64')}`;
    const events = async () => {
      const response = await fetch(`${base}/api/events?from=0`, { headers: { authorization } });
      return ((await response.json()) as EventPage).events;
    };
    await expect
      .poll(async () => (await events()).map(({ action }) => action), { timeout: 20_000 })
      .toContain('up');
    expect((await events()).find(({ action }) => action === 'up')?.hosts).toEqual(['monitor', 'web']);

    await onHost('monitor', 'systemctl stop pipeline-hub');
    const status = await runJson(['prod', 'status'], here);
    expect(status.json).toMatchObject({ monitor: { trouble: expect.stringContaining('does not work') } });
    const entry = {
      at: new Date().toISOString(),
      by: 'ann',
      action: 'deploy',
      result: 'live',
      app: 'shop',
      release: 'r9',
    };
    const line = `echo '${JSON.stringify(entry)}' >>/var/log/pipeline/audit.jsonl`;
    await onHost('web', `${line}; ${line}; systemctl restart pipeline-agent`);
    await onHost('monitor', 'systemctl start pipeline-hub');
    await expect
      .poll(async () => (await events().catch(() => [])).filter(({ release }) => release === 'r9'), {
        timeout: 30_000,
      })
      .toMatchObject([{ kind: 'deploy', hosts: ['web'], by: 'ann' }]);
    const working = await runJson(['prod', 'status'], here);
    expect(working.json).toMatchObject({
      monitor: { trouble: '' },
      hosts: [{ lastSeenSeconds: expect.any(Number) }, { lastSeenSeconds: expect.any(Number) }],
    });
  });

  it('shows a rollout as its host tells of it, and tells people that it was taken back', async () => {
    const [id, began] = ['a1b2c3d4e5f60718', Date.now() - 60_000];
    const put = (path: string, status: RolloutStatus) => {
      const at = `${path}/shop.json`;
      return onHost(
        'web',
        `mkdir -p ${path} && echo '${JSON.stringify(status)}' >${at}.new && mv ${at}.new ${at}`,
      );
    };
    const rollouts = async () => (await overview()).rollouts.map(({ phase, host }) => `${host} ${phase}`);
    await put(ROLLOUT_STATUS, { ...rolloutStatus(id, began, began + 1000), app: 'shop' });
    await expect.poll(rollouts, { timeout: 30_000 }).toEqual(['web running']);
    // It ends and the host starts anew before its agent has looked.
    await onHost('web', `systemctl stop pipeline-agent && rm -r ${ROLLOUT_STATUS}`);
    await put(`${ROLLOUTS_ENDED}/shop`, { ...endedStatus(id, began, Date.now(), 'taken back'), app: 'shop' });
    await onHost('web', 'systemctl start pipeline-agent');
    await expect.poll(rollouts, { timeout: 30_000 }).toEqual([]);
    await expect
      .poll(() => told, { timeout: 30_000 })
      .toContainEqual(
        expect.objectContaining({
          rule: 'deploys',
          subject: 'shop',
          message: expect.stringContaining('v2 (c20cadf): taken back: errors (5xx)'),
        }),
      );
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
    const { stdout: secrets } = await run(
      [
        'prod',
        'ssh',
        'monitor',
        '--',
        'grep -rl s3cret /etc/pipeline | xargs stat -c %a:%U:%n; journalctl -u pipeline-hub',
      ],
      here,
    );
    expect(secrets).toContain('600:pipeline-hub:/etc/pipeline/hub.json');
    expect(secrets).not.toContain('s3cret');
  });

  it('says in its status what an agent says that is not let in, and setup mends it', async () => {
    const wrong = `sed -i 's/"password": "[^"]*"/"password": "wrong"/' /etc/pipeline/agent.json`;
    await onHost('web', `${wrong} && systemctl restart pipeline-agent`);
    const status = async () => (await run(['monitor', 'status'], here)).stdout;
    await expect.poll(status, { timeout: 90_000, interval: 1000 }).toMatch(/web.*agent-web: WRONGPASS/);
    expect((await run(['doctor'], here)).stdout).toMatch(/hears nothing of web.*WRONGPASS/);
    expect((await runJson(['monitor', 'setup'], here)).json).toMatchObject({
      changes: [{ host: 'web' }, { host: 'web' }],
    });
    expect(await status()).not.toContain('WRONGPASS');
  });

  it('tells by webhook of a host without power, and sets up the others', async () => {
    const config = await loadConfig(undefined, quietContext({ cwd: project.path }));
    await powerCut(productionSpec(config), 'web');
    await expect
      .poll(() => told, { timeout: 60_000 })
      .toContainEqual(
        expect.objectContaining({
          state: 'firing',
          rule: 'host_silent',
          subject: 'web',
          severity: 'critical',
        }),
      );
    const { exitCode, json } = await runJson(['monitor', 'setup'], here);
    expect(exitCode).toBe(3);
    expect(json).toMatchObject({
      error: { host: 'web', message: 'web could not be set up; the other 1 host is watched' },
    });
    expect((await run(['prod', 'up'], here)).exitCode).toBe(0);
    expect((await run(['monitor', 'setup'], here)).exitCode).toBe(0);
  });

  it('serves https where a certificate is given', async () => {
    const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=monitor';
    const files = ['-keyout', 'm.key', '-out', 'm.pem'];
    expect(spawnSync('openssl', [...args.split(' '), ...files], { cwd: project.path }).status).toBe(0);
    const tls = 'tls: { certificate: m.pem, key: m.key }';
    const path = join(project.path, 'pipeline.yml');
    writeFileSync(path, (await readFile(path, 'utf8')).replace('host: monitor }', `host: monitor, ${tls} }`));
    const { json } = await runJson(['monitor', 'setup'], here);
    expect(json).toMatchObject({ dashboard: base.replace('http:', 'https:').concat('/dashboard') });
    const redirect = await fetch(`${base}/`, { redirect: 'manual' });
    expect([redirect.status, redirect.headers.get('location')]).toEqual([308, (json as SetUp).dashboard]);
    const body = JSON.stringify({ user: made.user, password: made.password });
    const asked = request(`${base.replace('http:', 'https:')}/api/sign-in`, {
      method: 'POST',
      rejectUnauthorized: false,
      headers: { 'content-type': 'application/json' },
    }).end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^__Host-pipeline=.*Secure/);
    expect(answer.headers['strict-transport-security']).toBeDefined();
  });

  it('tells that the host is back', async () => {
    await expect
      .poll(() => told, { timeout: 120_000 })
      .toContainEqual(expect.objectContaining({ state: 'resolved', rule: 'host_silent', subject: 'web' }));
  });
});
