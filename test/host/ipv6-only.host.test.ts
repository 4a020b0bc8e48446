/** Hosts without IPv4, from the first connection to the dashboard. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Overview } from '../../src/hub/api-types.ts';
import { writeInventory } from '../../src/inventory/write.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { hostsUnavailable, startHosts, type TestHosts } from '../support/hosts.ts';
import { type Ipv6Network, withoutIpv4 } from '../support/ipv6.ts';
import { run, runJson, start } from '../support/program.ts';

const reason = hostsUnavailable();
if (reason !== undefined) process.stderr.write(`test/host/ipv6-only.host.test.ts skipped: ${reason}\n`);

const YAML = `project: six
hosts:
  lb: { roles: [nginx] }
  web: { count: 2, roles: [nginx] }
  monitor: {}
monitor: { host: monitor }
apps:
  shop:
    source: repository
    start: node server.js
    hosts: [web]
    health: { path: / }
    watch: 0s
    site: { balancer: lb, domains: [shop.example.org] }
  fixed:
    source: repository
    start: node server.js
    fixed_port: 3000
    hosts: [web]
    health: { path: / }
    watch: 0s
    site: { domains: [fixed.example.org] }
`;

/** Says its version, who asked, and what it can reach itself. */
const service = (version: string) => `const http = require('http');
http.createServer((request, response) => {
  const out = request.headers['x-ask'];
  const asked = request.headers['x-forwarded-for'];
  if (out === undefined) return response.end('version ${version} ' + asked);
  http.get(out, { headers: { host: 'shop.example.org' } }, (answer) => response.end('reached ' + answer.statusCode))
    .on('error', (error) => response.end(error.code));
}).listen(Number(process.env.PORT || 3000));
`;

describe.skipIf(reason !== undefined)(`hosts with IPv6 alone (${reason ?? 'local'})`, () => {
  let hosts: TestHosts;
  let network: Ipv6Network;
  const own = ['-i', 'own.ini'];
  const here = () => ({ cwd: hosts.spec.directory });
  const get = (name: string, domain: string, ...more: string[]) =>
    execFileSync(
      'curl',
      ['-s', '-m', '9', '-H', `Host: ${domain}`, ...more, `http://[${network.address(name)}]/`],
      { encoding: 'utf8' },
    );
  const did = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run([...args, ...own], here());
    if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`);
    return stdout;
  };

  beforeAll(async () => {
    hosts = await startHosts({ names: ['lb-1', 'web-1', 'web-2', 'monitor-1'] });
    network = await withoutIpv4(hosts);
    const { directory } = hosts.spec;
    const knownHostsFile = join(directory, 'known_hosts');
    const machines = hosts.machines.map((machine) => ({
      ...machine,
      address: network.address(machine.name),
    }));
    await writeKnownHosts(
      knownHostsFile,
      machines.map(({ address, port, hostKeys }) => ({ address, port, keys: hostKeys })),
    );
    await writeInventory(join(directory, 'own.ini'), {
      hosts: machines.map((machine) => ({ ...machine, privateAddress: undefined, knownHostsFile })),
    });
    writeFileSync(join(directory, 'pipeline.yml'), YAML);
    const repository = join(directory, 'repository');
    mkdirSync(repository);
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args], {
        cwd: repository,
      });
    git('init', '-q', '-b', 'one');
    writeFileSync(join(repository, 'package.json'), JSON.stringify({ name: 'shop', version: '1.0.0' }));
    for (const version of ['one', 'two']) {
      if (version !== 'one') git('checkout', '-q', '-b', version);
      writeFileSync(join(repository, 'server.js'), service(version));
      git('add', '--all');
      git('commit', '-q', '-m', `Version ${version}`);
    }
    await delay(1_500);
  });
  afterAll(async () => {
    network?.close();
    await hosts?.stop();
  });

  it('have no IPv4 left', async () => {
    const answers = (host: string) =>
      new Promise<boolean>((resolve) => {
        const socket = connect({ host, port: 22, timeout: 2_000 })
          .on('connect', () => resolve(socket.destroy() !== undefined))
          .on('timeout', () => resolve(socket.destroy() === undefined))
          .on('error', () => resolve(false));
      });
    const { name, address } = hosts.machine('web-1');
    expect(await Promise.all([answers(network.address(name)), answers(address)])).toEqual([true, false]);
  });

  it('get their roles, once', async () => {
    await did('prod', 'up', '--yes');
    const again = await runJson(['prod', 'up', ...own], here());
    expect([again.exitCode, again.json]).toEqual([0, expect.objectContaining({ changed: 0 })]);
  });

  it('serve behind a balancer, by deploy and rollback', async () => {
    await did('deploy', 'shop', 'one', '--yes');
    expect(get('lb-1', 'shop.example.org')).toBe(`version one ${network.gateway}`);
    await did('deploy', 'shop', 'two');
    expect(get('lb-1', 'shop.example.org')).toBe(`version two ${network.gateway}`);
    await did('rollback', 'shop');
    expect(get('lb-1', 'shop.example.org')).toBe(`version one ${network.gateway}`);
  });

  it('let instances with a network of their own out', async () => {
    await did('deploy', 'fixed', 'one', '--yes');
    expect(get('web-1', 'fixed.example.org')).toContain('version one');
    const ask = `x-ask: http://[${network.address('lb-1')}]/`;
    expect(get('web-1', 'fixed.example.org', '-H', ask)).toMatch(/^reached \d+$/);
    // Its own host stays closed to it: no answer comes.
    const home = `x-ask: http://[${network.address('web-1')}]/`;
    expect(() => get('web-1', 'fixed.example.org', '-m', '3', '-H', home)).toThrow();
  });

  it('send what their agents measure, and show it', async () => {
    const made = JSON.parse(await did('monitor', 'setup', '--json')) as {
      dashboard: string;
      user: string;
      password: string;
    };
    const base = made.dashboard.replace('/dashboard', '');
    expect(base).toContain(`[${network.address('monitor-1')}]`);
    const authorization = `Basic ${Buffer.from(`${made.user}:${made.password}`).toString('base64')}`;
    const heard = async () => {
      const response = await fetch(`${base}/api/overview`, { headers: { authorization } });
      const { hosts: shown } = (await response.json()) as Overview;
      return shown.flatMap(({ name, silentSeconds }) => (silentSeconds === null ? [] : [name])).toSorted();
    };
    await expect.poll(heard, { timeout: 20_000 }).toEqual(['lb-1', 'monitor-1', 'web-1', 'web-2']);
    expect(await did('prod', 'status')).toContain(network.address('web-2'));
    expect(await did('doctor')).not.toMatch(/✗|failed/);
  });

  it('let a new version in to some visitors first', async () => {
    const view = start(['deploy', 'shop', 'two', '--canary', '50', ...own], here());
    const answers = () => Array.from({ length: 9 }, () => get('lb-1', 'shop.example.org').slice(0, 11));
    await expect.poll(answers, { timeout: 60_000 }).toContain('version two');
    await did('rollout', 'abort', 'shop');
    await view.ended;
    expect(get('lb-1', 'shop.example.org')).toContain('version one');
  });
});
