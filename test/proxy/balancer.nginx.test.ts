/** A rollout on several hosts, by the real nginx: every host holds both versions, the balancer divides. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Colour } from '../../src/contract/places.ts';
import { balancerConfig } from '../../src/proxy/balancer.ts';
import { shareFolder } from '../../src/proxy/shares.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import { parseSplitLine } from '../../src/proxy/split-log.ts';
import { startVisitors } from '../support/visitors.ts';
import { freePort, nginxUnavailable, RealNginx } from './real-nginx.ts';

const unavailable = nginxUnavailable();
const ROLLOUT = '89abcdef';
/** Where the candidate lies on each host: they were not deployed in step. */
const CANDIDATES: Readonly<Record<string, Colour>> = { 'web-1': 'green', 'web-2': 'blue' };
const HOSTS = Object.keys(CANDIDATES);

const text = (port: number, cookie?: string) =>
  fetch(`http://127.0.0.1:${port}/`, { headers: cookie === undefined ? {} : { cookie } }).then((answer) =>
    answer.text(),
  );

describe.skipIf(unavailable !== undefined)(`visitors of two hosts (${unavailable ?? 'nginx'})`, () => {
  const nginx = new RealNginx();
  const ports = new Map<string, number>();
  const port = (name: string) => ports.get(name) ?? 0;
  const cookie = (n: number, name = 'shop') =>
    `pipeline_${name}_${ROLLOUT}=${n.toString(16).padStart(16, '0')}`;
  const share = (percent: number, app = 'shop') =>
    nginx.share(app, shareFolder({ rollout: ROLLOUT, seed: 'the seed', candidate: 'green', percent }));

  /** A host's own site: it does what the balancer says, whatever share it was given. */
  async function host(name: string, candidate: Colour): Promise<void> {
    const version = (colour: Colour) => (colour === candidate ? 'two' : 'one');
    const service = (colour: Colour) => `server { listen ${port(`${name} ${colour}`)}; access_log off;
location / { default_type text/plain; add_header Set-Cookie $new_session;
return 200 "version ${version(colour)} on ${name}"; } }`;
    nginx.site(`services-${name}`, [service('blue'), service('green')].join('\n'));
    const backend = (colour: Colour) => ({ servers: [`127.0.0.1:${port(`${name} ${colour}`)}`] });
    nginx.site(
      name,
      siteConfig({
        app: name,
        domains: [],
        port: port(name),
        routes: ['/'],
        root: `/srv/${name}`,
        maxBodyBytes: 1000,
        readTimeoutMs: 5000,
        headers: {},
        colours: { blue: backend('blue'), green: backend('green') },
        fallback: true,
        split: { rollout: ROLLOUT, candidate, key: { by: 'balancer' } },
        trustedProxies: ['127.0.0.1'],
        balanced: true,
      }),
    );
    await nginx.share(name, shareFolder({ rollout: ROLLOUT, seed: 'its own', candidate, percent: 0 }));
  }

  async function balancer(app: string, sessionCookie?: string): Promise<void> {
    const hosts = HOSTS.map((name) => ({ name, address: `127.0.0.1:${port(name)}` }));
    const split = { rollout: ROLLOUT, key: { by: 'visitor', seconds: 600 } } as const;
    const front = { app, domains: [], port: port(app), maxBodyBytes: 1000, readTimeoutMs: 5000 };
    nginx.site(app, balancerConfig({ ...front, hosts, trustedProxies: [], split, sessionCookie }));
    await nginx.shell(`split_ready ${app}`);
    await share(0, app);
  }

  beforeAll(async () => {
    const colours = HOSTS.flatMap((name) => [`${name} blue`, `${name} green`]);
    for (const name of ['shop', 'sessions', ...HOSTS, ...colours]) ports.set(name, await freePort());
    nginx.site('0', 'map $uri $new_session { default ""; /login "JSESSIONID=s1; Path=/"; }');
    for (const [name, candidate] of Object.entries(CANDIDATES)) await host(name, candidate);
    await balancer('shop');
    await balancer('sessions', 'JSESSIONID');
    await nginx.start();
  }, 60_000);
  afterAll(() => nginx.stop());

  /** What some known visitors get, each on as many requests as make both hosts answer. */
  async function versions(count: number): Promise<Map<number, Set<string>>> {
    const met = new Map<number, Set<string>>();
    for (let n = 0; n < count; n++) {
      const answers = await Promise.all([1, 2, 3, 4].map(() => text(port('shop'), cookie(n))));
      met.set(n, new Set(answers));
    }
    return met;
  }
  const versionsOf = (answers: Set<string>) => new Set([...answers].map((answer) => answer.split(' ')[1]));

  test('a visitor gets one version, from either host', async () => {
    await share(50);
    const met = await versions(60);
    const all = new Set([...met.values()].flatMap((answers) => [...answers]));
    for (const name of HOSTS)
      for (const version of ['one', 'two']) expect(all).toContain(`version ${version} on ${name}`);
    for (const answers of met.values()) expect(versionsOf(answers).size).toBe(1);
    const candidates = [...met.values()].filter((answers) => versionsOf(answers).has('two'));
    expect(candidates.length).toBeGreaterThan(10);
    expect(candidates.length).toBeLessThan(50);
  }, 60_000);

  test('steps and the return lose nothing, and each visitor changes by the rules', async () => {
    await share(1);
    const visitors = startVisitors({
      address: '127.0.0.1',
      port: port('shop'),
      rate: 300,
      visitors: 200,
      fresh: 0.2,
      refuse: 0.05,
      forge: 0.05,
      seconds: 30,
      rules: { baseline: 'one', candidate: 'two' },
    });
    for (const percent of [5, 25, 50, 100]) {
      await delay(500);
      await share(percent);
    }
    await delay(500);
    await nginx.shell('weights_put shop 0');
    await delay(700);
    const counts = await visitors.stop();
    expect(counts).toMatchObject({ failed: 0, dropped: 0 });
    expect(Object.fromEntries(counts.broken)).toEqual({});
    expect([...counts.changes.keys()]).toEqual(expect.arrayContaining(['one two', 'one two one']));
    expect(counts.requests).toBeGreaterThan(500);
  }, 60_000);

  test('the balancer alone knows who is dealt to whom', async () => {
    await share(100);
    await text(port('shop'), cookie(7));
    const told = () => nginx.log('/run/pipeline/proxy/shop/split/requests').split('\n').map(parseSplitLine);
    const line = { side: 'candidate', how: 'known', upstreamStatus: '200', key: '7'.padStart(16, '0') };
    await expect.poll(told, { timeout: 10_000 }).toContainEqual(expect.objectContaining(line));
    for (const name of HOSTS) expect(() => nginx.log(`/run/pipeline/proxy/${name}/split/requests`)).toThrow();
  });

  test('a session stays on its host, with its version', async () => {
    await share(100, 'sessions');
    const login = await fetch(`http://127.0.0.1:${port('sessions')}/login`);
    const given = login.headers.getSetCookie().map((line) => line.split(';')[0]);
    const [first, name] = [await login.text(), given.find((pair) => pair?.startsWith('pipeline_sessions='))];
    expect(first).toMatch(/^version two on web-[12]$/);
    expect(name).toBe(`pipeline_sessions=${first.split(' ').at(-1)}`);
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => text(port('sessions'), given.join('; '))));
    expect(new Set(answers)).toEqual(new Set([first]));
  });

  test('a visitor keeps the version when a host goes away', async () => {
    await share(50);
    const before = await versions(30);
    rmSync(join(nginx.folder, 'sites/web-2.conf'));
    nginx.signal('SIGHUP');
    await delay(1000);
    const after = await versions(30);
    for (const [n, answers] of after) {
      expect([...answers].every((answer) => answer.endsWith('web-1'))).toBe(true);
      expect(versionsOf(answers)).toEqual(versionsOf(before.get(n) ?? new Set()));
    }
  }, 60_000);
});
