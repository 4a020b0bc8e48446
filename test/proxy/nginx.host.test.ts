import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quietContext } from '../../src/context.ts';
import { converge } from '../../src/host/converge.ts';
import { nginxProxy, weightsOf } from '../../src/proxy/nginx.ts';
import type { Site, SiteProxy } from '../../src/proxy/proxy.ts';
import { rolesFor } from '../../src/roles/index.ts';
import type { Connection } from '../../src/ssh/connection.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { hostsUnavailable, startHosts, type TestHosts } from '../support/hosts.ts';
import { startLoad } from '../support/load.ts';
import { reboot } from '../support/power.ts';
import { failureOf } from '../support/releases.ts';

const unavailable = hostsUnavailable();

describe.skipIf(unavailable !== undefined)(`nginx on a real host (${unavailable ?? 'local'})`, () => {
  let hosts: TestHosts;
  let host: Connection;
  let proxy: SiteProxy;
  let address: string;

  /** Two backends that say who they are, served by the same nginx. */
  const BACKENDS = [1, 2]
    .map(
      (n) =>
        `server { listen 127.0.0.1:700${n}; access_log off; location / { default_type text/plain;
return 200 "backend ${n} $request_uri $http_x_forwarded_for"; } }`,
    )
    .join('\n');
  const site = (more: Partial<Site> = {}): Site => ({
    app: 'shop.test',
    domains: [],
    port: 80,
    routes: ['/'],
    root: '/srv/shop.test',
    maxBodyBytes: 1000,
    readTimeoutMs: 5_000,
    headers: {},
    colours: { blue: { servers: ['127.0.0.1:7001'] }, green: { servers: ['127.0.0.1:7002'] } },
    fallback: false,
    ...more,
  });

  beforeAll(async () => {
    hosts = await startHosts({ names: ['web'] });
    const machine = hosts.machine('web');
    address = machine.address;
    const knownHostsFile = `${machine.identityFile}.known_hosts`;
    await writeKnownHosts(knownHostsFile, [{ address, port: machine.port, keys: machine.hostKeys }]);
    const context = quietContext();
    host = connect({ ...machine, knownHostsFile }, context);
    proxy = nginxProxy(host, context);
    await converge(
      host,
      rolesFor('nginx', { fleet: [], operators: [], sshPorts: [22], exposures: [] }),
      context,
    );
    await host.upload({ data: Buffer.from(BACKENDS) }, '/etc/nginx/pipeline/sites/backends.conf', {});
    await host.check(
      `mkdir -p /srv/shop.test/releases/R1/app /srv/shop.test/releases/R2/app && cd /srv/shop.test &&
ln -s releases/R1 blue && ln -s releases/R2 green && systemctl reload nginx`,
      { label: 'test' },
    );
  });
  afterAll(async () => {
    await host?.close();
    await hosts?.stop();
  });

  const ask = async (path = '/', headers = {}) => {
    const answer = await fetch(`http://${address}${path}`, { headers });
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };

  test('a site is there after reconcile, and a second one changes nothing', async () => {
    expect(await proxy.getWeights('shop.test')).toBeNull();
    expect(await proxy.reconcile(site())).toEqual({ changed: true });
    expect(await proxy.getWeights('shop.test')).toEqual(weightsOf(0));
    expect((await ask('/a?b=c')).text).toMatch(/^backend 1 \/a\?b=c /);
    expect(await proxy.reconcile(site())).toEqual({ changed: false });
  });

  test('weights divide the traffic at once, and survive a reboot', async () => {
    const share = async () => {
      const answers = await Promise.all(Array.from({ length: 400 }, () => ask()));
      return answers.filter(({ text }) => text.startsWith('backend 2')).length;
    };
    await proxy.setWeights('shop.test', weightsOf(100));
    expect(await share()).toBe(400);
    await proxy.setWeights('shop.test', weightsOf(25));
    expect(await proxy.getWeights('shop.test')).toEqual({ blue: 75, green: 25 });
    // Binomial(400, 0.25): outside of 60 … 140 once in a million times.
    const green = await share();
    expect(green).toBeGreaterThan(60);
    expect(green).toBeLessThan(140);
    await reboot(hosts.machine('web'));
    expect(await proxy.getWeights('shop.test')).toEqual({ blue: 75, green: 25 });
    await expect
      .poll(
        () =>
          ask().then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 10_000 },
      )
      .toBe(200);
    const afterReboot = await share();
    expect(afterReboot).toBeGreaterThan(60);
    expect(afterReboot).toBeLessThan(140);
    await proxy.setWeights('shop.test', weightsOf(0));
    expect(await share()).toBe(0);
  });

  test('an older site, whose weights nginx reads from disk, keeps its traffic when updated', async () => {
    // As an older version left it, with what a newer one, which it replaced, had in memory.
    await host.check(
      `sed -i 's|/run/pipeline/proxy|/var/lib/pipeline/proxy|' /etc/nginx/pipeline/sites/shop.test.conf
cd /var/lib/pipeline/proxy/shop.test && mkdir -p w100 && (cd w100 && touch $(seq 0 99)) &&
ln -sfnT w100 weights
rm -f /etc/tmpfiles.d/pipeline-proxy.conf; systemctl reload nginx`,
      { label: 'test' },
    );
    // The reload may close a connection that a request is just being sent on.
    await expect
      .poll(() => ask().then(({ text }) => text, String), { timeout: 10_000 })
      .toMatch(/^backend 2/);
    expect(await proxy.getWeights('shop.test')).toEqual(weightsOf(100));
    let migrated = false;
    const answers: string[] = [];
    const visitor = (async () => {
      // A reload closes connections that are idle, and may do so while a request is on its way.
      while (!migrated) answers.push((await ask('/', { connection: 'close' })).text.slice(0, 9));
    })();
    expect(await proxy.reconcile(site())).toEqual({ changed: true });
    migrated = true;
    await visitor;
    expect(new Set(answers)).toEqual(new Set(['backend 2']));
    expect(await proxy.getWeights('shop.test')).toEqual(weightsOf(100));
    await reboot(hosts.machine('web'));
    await expect
      .poll(
        () =>
          ask().then(
            ({ text }) => text,
            () => '',
          ),
        { timeout: 10_000 },
      )
      .toMatch(/^backend 2/);
    await proxy.setWeights('shop.test', weightsOf(0));
  });

  test('weights that change under load lose no request', async () => {
    const load = startLoad({
      url: `http://${address}/`,
      rate: 500,
      keepAlive: true,
      method: 'POST',
      body: 'x',
    });
    for (let turn = 0; turn < 20; turn++) {
      await proxy.setWeights('shop.test', weightsOf((turn * 37) % 101));
      await delay(50);
    }
    const result = await load.stop();
    expect(result.others).toEqual({});
    expect(result.ok).toBe(result.sent);
    await proxy.setWeights('shop.test', weightsOf(0));
  });

  test.each([
    ['a variable that does not exist', { headers: { 'x-test': 'a$b' } }, /unknown "b" variable/],
    [
      'a certificate that is not there',
      { tls: { certificate: '/none', key: '/none', redirect: false } },
      /cannot load certificate/,
    ],
    ['a port that another program has', { port: 22 }, /bind\(\) to 0\.0\.0\.0:22 failed/],
  ])('%s: refused, and nothing is broken meanwhile', async (_, more, said) => {
    const failure = await failureOf(proxy.reconcile(site(more)));
    expect(failure).toMatchObject({ kind: 'host', host: 'web' });
    expect(failure.output.join('\n')).toMatch(said);
    expect((await ask()).status).toBe(200);
    await host.check('nginx -t -q', { label: 'test' });
    expect(await proxy.reconcile(site())).toEqual({ changed: false });
  });

  test('the log says which colour and which release answered', async () => {
    await proxy.setWeights('shop.test', weightsOf(100));
    await ask('/logged');
    // Lines are written together, a quarter of a second late at most.
    const line = await host.check(
      'sleep 0.5; grep -F /logged /var/log/nginx/pipeline/shop.test.json.log | tail -n 1',
      { label: 'test' },
    );
    expect(JSON.parse(line)).toMatchObject({
      app: 'shop.test',
      colour: 'green',
      release: 'R2',
      method: 'GET',
      uri: '/logged',
      status: 200,
    });
    await proxy.setWeights('shop.test', weightsOf(0));
  });

  test('a visitor cannot pretend to be another, and a body may not be larger than allowed', async () => {
    expect((await ask('/', { 'x-forwarded-for': '1.2.3.4' })).text).not.toContain('1.2.3.4');
    const answer = await fetch(`http://${address}/`, { method: 'POST', body: 'x'.repeat(1001) });
    expect(answer.status).toBe(413);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('files change with the colour, and browsers are told how long they stay', async () => {
    await host.check(
      `cd /srv/shop.test/releases && for r in R1 R2; do
  mkdir -p $r/app/public && echo "page of $r" >$r/app/public/index.html
  echo x >$r/app/public/app.0123abcd.js
done`,
      { label: 'test' },
    );
    const files = { static: 'public', colours: { blue: { servers: [] }, green: { servers: [] } } };
    expect(await proxy.reconcile(site(files))).toEqual({ changed: true });
    expect((await ask()).text).toBe('page of R1\n');
    expect((await ask()).headers.get('cache-control')).toBe('no-cache');
    expect((await ask('/app.0123abcd.js')).headers.get('cache-control')).toBe(
      'public, max-age=31536000, immutable',
    );
    expect((await ask('/none')).status).toBe(404);
    await host.check('echo gone >/srv/shop.test/releases/R1/app/public/404.html', { label: 'test' });
    expect(await ask('/deep/link')).toMatchObject({ status: 404, text: 'gone\n' });
    await proxy.reconcile(site({ ...files, fallbackPage: 'index.html' }));
    expect(await ask('/deep/link')).toMatchObject({ status: 200, text: 'page of R1\n' });
    expect((await ask('/app.0123abcd.js')).text).toBe('x\n');
    await proxy.setWeights('shop.test', weightsOf(100));
    expect((await ask()).text).toBe('page of R2\n');
    await proxy.setWeights('shop.test', weightsOf(0));
  });

  test('an experiment names the colour, and asks it for its own path', async () => {
    const colours = {
      blue: { servers: ['127.0.0.1:7001'], release: 'A' },
      green: { servers: ['127.0.0.1:7002'], release: 'B' },
    };
    const paths = { blue: { '/json': '/preview' }, green: {} };
    await proxy.reconcile(site({ colours, paths, experiment: { colourHeader: 'X-Colour' } }));
    const blue = await ask('/json?x=1');
    expect([blue.headers.get('x-colour'), blue.text]).toEqual([
      'blue',
      expect.stringMatching(/^backend 1 \/preview\?x=1 /),
    ]);
    expect((await ask('/other')).text).toMatch(/^backend 1 \/other /);
    await proxy.setWeights('shop.test', weightsOf(100));
    expect((await ask('/json')).text).toMatch(/^backend 2 \/json /);
  });

  test('remove leaves nothing', async () => {
    await proxy.remove('shop.test');
    expect(await proxy.getWeights('shop.test')).toBeNull();
    await proxy.remove('shop.test');
    await expect(ask()).rejects.toThrow();
  });
});
