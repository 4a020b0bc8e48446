import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Exposure } from '../../src/cloud/provider.ts';
import { quietContext } from '../../src/context.ts';
import { converge } from '../../src/host/converge.ts';
import { rolesFor } from '../../src/roles/index.ts';
import type { Connection } from '../../src/ssh/connection.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { on, targetOf } from '../host/support.ts';
import { hostsUnavailable, startHosts, type TestHosts } from '../support/hosts.ts';

const reason = hostsUnavailable();
if (reason !== undefined) process.stderr.write(`test/roles/roles.host.test.ts skipped: ${reason}\n`);

const ROLES = ['base', 'nginx', 'redis', 'mariadb', 'tomcat'];
const EXPOSURES: readonly Exposure[] = [
  { port: 80, protocol: 'tcp', from: 'anyone' },
  { port: 7000, protocol: 'tcp', from: 'fleet' },
];

describe.skipIf(reason !== undefined)('the roles on a real host', () => {
  let hosts: TestHosts;
  let all: Connection;
  let other: Connection;

  beforeAll(async () => {
    hosts = await startHosts({ names: ['all', 'other'], memory: 1024 * 2 ** 20 });
    const [first, second] = await Promise.all(
      hosts.machines.map((machine) => targetOf(machine, hosts.spec.directory)),
    );
    if (first === undefined || second === undefined) throw new Error('two hosts were wanted');
    all = connect(first, quietContext());
    other = connect(second, quietContext());
  });
  afterAll(async () => {
    await Promise.all([all?.close(), other?.close()]);
    await hosts?.stop();
  });

  const resources = () =>
    ROLES.flatMap((role) =>
      rolesFor(role, {
        fleet: hosts.machines.map(({ privateAddress }) => privateAddress),
        operators: ['0.0.0.0/0'],
        sshPorts: [22],
        exposures: EXPOSURES,
        memoryBytes: 1024 * 2 ** 20,
      }),
    );
  /** What a visitor gets: `open`, `closed`, or nothing within a second. */
  const port = (number: number, address = all.target.address) =>
    new Promise<string>((resolve) => {
      const socket = connectTcp({ port: number, host: address, timeout: 1000 });
      const end = (result: string) => {
        socket.destroy();
        resolve(result);
      };
      socket.once('connect', () => end('open'));
      socket.once('error', () => end('closed'));
      socket.once('timeout', () => end('dropped'));
    });

  it('are there after one run, and a second run changes nothing', async () => {
    await converge(all, resources(), quietContext());
    expect((await converge(all, resources(), quietContext())).changes).toEqual([]);
    const units = 'nginx redis-server mariadb ssh systemd-journald logrotate.timer apt-daily-upgrade.timer';
    expect(new Set((await on(all, `systemctl is-active ${units}`)).split('\n'))).toEqual(new Set(['active']));
    expect(await on(all, 'systemctl --failed --quiet --plain')).toBe('');
    // Debian's own instance serves nobody: each application brings its own process.
    expect(await on(all, 'systemctl is-enabled tomcat10; systemctl is-active tomcat10; true')).toBe(
      'disabled\ninactive',
    );
  });

  it('open to each what is meant for it, and nothing else', async () => {
    await on(
      all,
      'systemd-run --quiet --unit=listener nc -lk 7000 2>/dev/null || systemd-run --quiet ' +
        '--unit=listener python3 -m http.server 7000',
    );
    await on(all, 'systemd-run --quiet --unit=stranger python3 -m http.server 7001');
    await expect.poll(() => on(all, 'ss -Hltn "sport = :7000 or sport = :7001" | wc -l')).toBe('2');
    expect(await Promise.all([22, 80, 7000, 7001, 8080, 3306, 6379].map((number) => port(number)))).toEqual([
      'open',
      'open',
      'dropped',
      'dropped',
      'dropped',
      'dropped',
      'dropped',
    ]);
    const fromFleet = (number: number) =>
      on(
        other,
        `timeout 1 bash -c ': </dev/tcp/${all.target.address}/${number}' 2>/dev/null && echo ` +
          'open || echo not',
      );
    expect(await fromFleet(7000)).toBe('open');
    expect(await fromFleet(7001)).toBe('not');
  });

  it('answer a stranger with nothing, and log every request of a site in one form', async () => {
    await expect(fetch(`http://${all.target.address}/`)).rejects.toThrow();
    await on(
      all,
      `cat >/etc/nginx/pipeline/sites/shop.conf <<'END'
server {
  listen 80 default_server;
  access_log /var/log/nginx/pipeline/access.log pipeline;
  set $pipeline_app "shop";
  set $pipeline_colour "blue";
  set $pipeline_release "3-abc";
  location = /page { return 200 "hello"; }
  location / { proxy_pass http://127.0.0.1:7001; }
}
END
nginx -t -q && systemctl reload nginx`,
    );
    // nginx reloads in the background.
    const page = () => fetch(`http://${all.target.address}/page?q=1`).then((answer) => answer.text());
    await expect.poll(() => page().catch(() => '')).toBe('hello');
    expect((await fetch(`http://${all.target.address}/nothing"there`)).status).toBe(404);
    // nginx logs a request once it was answered.
    const log = async () =>
      (await on(all, 'cat /var/log/nginx/pipeline/access.log')).split('\n').map((line) => JSON.parse(line));
    await expect.poll(log).toEqual([
      expect.objectContaining({
        app: 'shop',
        colour: 'blue',
        release: '3-abc',
        method: 'GET',
        uri: '/page?q=1',
        status: 200,
        bytes: 5,
        upstream_time: '',
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
      }),
      expect.objectContaining({ status: 404, upstream_status: '404', upstream_addr: '127.0.0.1:7001' }),
    ]);
    await on(all, 'logrotate --force /etc/logrotate.d/pipeline-nginx');
    await fetch(`http://${all.target.address}/page`);
    await expect.poll(() => on(all, 'wc -l </var/log/nginx/pipeline/access.log')).toBe('1');
  });

  it('are the same after a reboot, with the firewall up before the services', async () => {
    await hosts.reboot('all');
    await all.close();
    await expect
      .poll(() => on(all, 'systemctl is-active nginx').catch(() => ''), { timeout: 60_000, interval: 500 })
      .toBe('active');
    const started = (unit: string) =>
      on(all, `systemctl show --property=ActiveEnterTimestampMonotonic --value ${unit}`);
    expect(Number(await started('pipeline-firewall'))).toBeLessThan(Number(await started('nginx')));
    await expect
      .poll(() => on(all, 'systemctl is-active mariadb').catch(() => ''), {
        timeout: 60_000,
        interval: 500,
      })
      .toBe('active');
    expect((await converge(all, resources(), quietContext())).changes).toEqual([]);
  });
});
