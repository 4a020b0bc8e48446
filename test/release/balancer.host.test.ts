import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { type LoadOptions, type LoadResult, startLoad } from '../support/load.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();
/** Requests a second. */
const RATE = 500;

/** Takes the port of the colour that is free. */
const STRANGER = `systemd-run --quiet --collect --unit stranger python3 -c 'import socket,time
kept=[]
for port in (21000,21016):
  s=socket.socket()
  s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)
  try: s.bind(("127.0.0.1",port)); s.listen(); kept.append(s)
  except OSError: pass
time.sleep(120)' && sleep 1`;

describe.skipIf(unavailable !== undefined)(`two hosts behind a balancer (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;
  let url: string;
  const balanced = { site: { balancer: 'lb' } };
  const onBalancer = (script: string) =>
    at.balancer?.host.connection.check(script, { label: 'test' }) ?? Promise.reject(new Error('no balancer'));
  const seen = (host: number) =>
    at.on(`sleep 0.5; wc -l </var/log/nginx/pipeline/${APP}.json.log`, host).then(Number);

  beforeAll(async () => {
    at = await startReleases(['web-1', 'web-2'], 'lb');
    url = `http://${at.balancer?.address}`;
    await at.deploy('one', balanced);
    // Both colours have been there once, so that the sites' files stay what they are.
    await at.deploy('two', balanced);
  });
  afterAll(() => at?.stop());

  async function during(work: () => Promise<unknown>, options: Partial<LoadOptions>): Promise<LoadResult> {
    const load = startLoad({ url: `${url}/`, rate: RATE, keepAlive: true, ...options });
    await delay(500);
    await work();
    await delay(500);
    return load.stop();
  }

  test('both get visitors, and know where these come from; nothing changes a second time', async () => {
    const before = await Promise.all([seen(0), seen(1)]);
    for (let i = 0; i < 20; i++) expect(await (await fetch(url)).text()).toBe('version two 0');
    const after = await Promise.all([seen(0), seen(1)]);
    expect(after.map((count, host) => count - (before[host] ?? 0))).toEqual([10, 10]);
    const headers = await fetch(`${url}/headers`, {
      headers: { 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https' },
    }).then((answer) => answer.json());
    const visitor = execFileSync('ip', ['-o', 'route', 'get', at.balancer?.address ?? ''], {
      encoding: 'utf8',
    });
    expect(headers).toMatchObject({
      'x-forwarded-for': / src (\S+)/.exec(visitor)?.[1],
      'x-forwarded-proto': 'http',
      host: new URL(url).host,
    });
    // What the balancer writes is not among what the agent counts.
    expect((await onBalancer('ls /var/log/nginx/pipeline/*.json.log 2>/dev/null | wc -l')).trim()).toBe('0');
    expect(await at.deploy('two', balanced)).toMatchObject({ changed: false });
    await onBalancer(`echo '# other' >>/etc/nginx/pipeline/sites/${APP}.conf`);
    expect(await at.deploy('two', balanced)).toMatchObject({ changed: true });
  });

  test.each([{ method: 'GET' }, { method: 'POST', body: 'five!' }])(
    'a deploy, a failed deploy and a rollback drop nothing: %j',
    async (options) => {
      const result = await during(async () => {
        await at.deploy('three', balanced);
        // The first host has switched, and goes back.
        await at.on(STRANGER, 1);
        expect(await failureOf(at.deploy('four', balanced))).toMatchObject({ host: 'web-2', step: 'start' });
        await at.on('systemctl stop stranger', 1);
        await at.rollback(undefined, balanced);
      }, options);
      expect(result.others).toEqual({});
      expect(result.ok).toBe(result.sent);
      expect(result.sent).toBeGreaterThan(RATE * 2);
    },
  );

  test.each([{ method: 'GET' }, { method: 'POST', body: 'five!' }])(
    'a host that reboots drops nothing: it finishes what it has, and comes back when it can answer: %j',
    async (options) => {
      const before = await seen(1);
      const result = await during(async () => {
        await at.reboot('web-2');
        await expect.poll(() => seen(1), { timeout: 40_000 }).toBeGreaterThan(before);
        await delay(7_000);
      }, options);
      expect(result.others).toEqual({});
      expect(result.ok).toBe(result.sent);
    },
  );

  test('before nginx stops, its host refuses connections, and takes them again after its start', async () => {
    const ask = async () =>
      (
        await onBalancer(
          `curl -s -o /dev/null -w '%{http_code} %{errormsg}' http://${at.addresses[1]}/; true`,
        )
      ).trim();
    expect(await ask()).toBe('200');
    await at.on('systemctl stop pipeline-door', 1);
    expect(await ask()).toMatch(/^000 .*(refused|Couldn't connect)/);
    expect((await at.on('systemctl is-active nginx', 1)).trim()).toBe('active');
    // It would be open again by itself, too: nothing stays closed that nobody opens.
    expect(await at.on('nft list set inet pipeline_door ports', 1)).toMatch(/80 expires 1\ds/);
    await at.on('systemctl start pipeline-door', 1);
    expect(await ask()).toBe('200');
    await at.on('systemctl restart nginx', 1);
    // systemctl waits for nginx, not for what opens after it.
    await expect.poll(ask, { timeout: 5_000 }).toBe('200');
  });

  test('a host that loses its power drops no request that may be repeated', async () => {
    const result = await during(
      async () => {
        await at.powerOff('web-2');
        await delay(8_000);
        await at.powerOn();
        await delay(8_000);
      },
      { method: 'GET' },
    );
    expect(result.others).toEqual({});
    expect(result.ok).toBe(result.sent);
  });

  test('a session stays on its host, and moves only when that is away', async () => {
    const site = { ...balanced.site, session_cookie: 'SID' };
    await at.deploy('sessions', { site });
    const first = await fetch(`${url}/login`);
    const cookies = first.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
    expect(cookies).toHaveLength(2);
    const ask = async () =>
      (await fetch(`${url}/whoami`, { headers: { cookie: cookies.join('; ') } })).text();
    const answers = new Set<string>();
    for (let i = 0; i < 10; i++) answers.add(await ask());
    expect([...answers]).toEqual([await first.text()]);
    const [own] = answers;
    const host = own === 'web-1' ? 0 : 1;
    await at.on('systemctl stop nginx', host);
    expect(await ask()).toBe(host === 0 ? 'web-2' : 'web-1');
    await at.on('systemctl start nginx', host);
    const stranger = await fetch(`${url}/whoami`);
    expect(stranger.headers.getSetCookie()).toEqual([]);
    await at.deploy('two', balanced);
  });

  test('a site of somebody else on its port is told, and nothing changes', async () => {
    await onBalancer(`systemd-run --quiet --collect --unit stranger python3 -m http.server 8099 && sleep 1`);
    try {
      const failure = await failureOf(at.deploy('two', { site: { balancer: 'lb', port: 8099 } }));
      expect(failure).toMatchObject({ kind: 'host', host: 'lb' });
      expect(failure.next).toContain('Another program on the host uses 0.0.0.0:8099');
    } finally {
      await onBalancer('systemctl stop stranger');
      await at.deploy('two', balanced);
    }
    expect(await (await fetch(url)).text()).toBe('version two 0');
  });
});
