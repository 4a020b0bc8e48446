/** A rollout's side of nginx, by the real one. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Colour } from '../../src/contract/places.ts';
import { balancerConfig } from '../../src/proxy/balancer.ts';
import type { Site } from '../../src/proxy/proxy.ts';
import { shareFolder } from '../../src/proxy/shares.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import { type SiteSplit, splitLog, splitSecrets } from '../../src/proxy/split.ts';
import { parseSplitLine } from '../../src/proxy/split-log.ts';
import { startLoad } from '../support/load.ts';
import { freePort, nginxUnavailable, RealNginx } from './real-nginx.ts';

const unavailable = nginxUnavailable();
const ROLLOUT = '0123abcd';
const TESTER = 'tester-secret-0123456789';
const WORDS = { baseline: 'b'.repeat(32), candidate: 'c'.repeat(32) };
const COOKIE = /^(pipeline_shop_0123abcd)=([0-9a-f]{16}); Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

function ask(port: number, headers: Record<string, string> = {}, path = '/'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

const colourOf = ({ text }: Answer) => text.split(' ')[0];
const hex = (n: number) => n.toString(16).padStart(16, '0');

describe.skipIf(unavailable !== undefined)(
  `visitors shared by two versions (${unavailable ?? 'nginx'})`,
  () => {
    const nginx = new RealNginx();
    const ports = { blue: 0, green: 0, visitor: 0, header: 0, address: 0, request: 0, files: 0, tls: 0 };
    const balanced = { front: 0, host: 0, stranger: 0 };

    const site = (app: string, port: number, split: Partial<SiteSplit>, more: Partial<Site> = {}): Site => ({
      app,
      domains: [],
      port,
      routes: ['/'],
      root: `/srv/${app}`,
      maxBodyBytes: 1000,
      readTimeoutMs: 5000,
      headers: {},
      colours: {
        blue: { servers: [`127.0.0.1:${ports.blue}`], release: 'R1' },
        green: { servers: [`127.0.0.1:${ports.green}`], release: 'R2' },
      },
      fallback: true,
      split: { rollout: ROLLOUT, candidate: 'green', key: { by: 'visitor', seconds: 600 }, ...split },
      ...more,
    });
    const share = (percent: number, app = 'shop', candidate: Colour = 'green') =>
      nginx.share(app, shareFolder({ rollout: ROLLOUT, seed: 'the seed', candidate, percent }));
    const known = (n: number) => ({ cookie: `other=1; pipeline_shop_0123abcd=${hex(n)}` });
    /** Which of some visitors have the candidate. */
    const withCandidate = async (
      count: number,
      port = ports.visitor,
      headers: (n: number) => Record<string, string> = known,
    ) => {
      const found = new Set<number>();
      for (let from = 0; from < count; from += 100) {
        const some = Array.from({ length: Math.min(100, count - from) }, (_, index) => from + index);
        const answers = await Promise.all(some.map((n) => ask(port, headers(n))));
        for (const [index, answer] of answers.entries()) {
          if (colourOf(answer) === 'green') found.add(from + index);
        }
      }
      return found;
    };

    beforeAll(async () => {
      for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
      for (const name of Object.keys(balanced) as (keyof typeof balanced)[])
        balanced[name] = await freePort();
      const backend = (colour: Colour) => `server { listen ${ports[colour]}; access_log off; location / {
default_type text/plain; add_header Set-Cookie $new_session;
return 200 "${colour} [$http_x_pipeline_version$http_x_pipeline_side] $http_x_request_id"; }
location /fail { return 500 "${colour} failed"; } }`;
      const login = 'map $uri $new_session { default ""; /login "JSESSIONID=s1; Path=/"; }';
      nginx.site('backends', [login, backend('blue'), backend('green')].join('\n'));
      const secrets = join(nginx.folder, 'secrets-shop.conf');
      writeFileSync(secrets, splitSecrets('shop', { tester: TESTER, sessions: WORDS }), { mode: 0o600 });
      const shop = { secrets, testers: true, sessionCookie: 'JSESSIONID' };
      nginx.site('shop', siteConfig(site('shop', ports.visitor, shop)));
      nginx.site('key', siteConfig(site('key', ports.header, { key: { by: 'header', name: 'X-Api-Key' } })));
      const trusting = { trustedProxies: ['127.0.0.1'] };
      nginx.site('address', siteConfig(site('address', ports.address, { key: { by: 'address' } }, trusting)));
      nginx.site('each', siteConfig(site('each', ports.request, { key: { by: 'request' } })));
      const colours = { blue: { servers: [], release: 'R1' }, green: { servers: [], release: 'R2' } };
      nginx.site('files', siteConfig(site('files', ports.files, {}, { static: '.', colours })));
      for (const colour of ['blue', 'green']) {
        mkdirSync(join(nginx.folder, 'srv/files', colour, 'app'), { recursive: true });
        writeFileSync(join(nginx.folder, 'srv/files', colour, 'app/index.html'), `${colour} page`);
      }
      const [key, certificate] = [join(nginx.folder, 'key.pem'), join(nginx.folder, 'cert.pem')];
      const made = [
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-subj',
        '/CN=shop',
      ];
      spawnSync('openssl', ['req', '-x509', ...made, '-keyout', key, '-out', certificate]);
      const tls = { certificate, key, redirect: false };
      nginx.site(
        'tls',
        siteConfig(site('tls', await freePort(), {}, { tls })).replaceAll(/:?443 /g, (text) =>
          text.replace('443', String(ports.tls)),
        ),
      );
      const obeys = { split: { rollout: ROLLOUT, candidate: 'blue', key: { by: 'balancer' } } } as const;
      const behind = { ...obeys, trustedProxies: ['127.0.0.1'], balanced: true };
      nginx.site('pair', siteConfig(site('pair', balanced.host, {}, behind)));
      const elsewhere = { ...obeys, trustedProxies: ['192.0.2.1'], balanced: true };
      nginx.site('stranger', siteConfig(site('stranger', balanced.stranger, {}, elsewhere)));
      const front = {
        app: 'front',
        domains: [],
        port: balanced.front,
        maxBodyBytes: 1000,
        readTimeoutMs: 5000,
      };
      const hosts = [{ name: 'web', address: `127.0.0.1:${balanced.host}` }];
      const split = { rollout: ROLLOUT, key: { by: 'visitor', seconds: 600 } } as const;
      nginx.site('front', balancerConfig({ ...front, hosts, trustedProxies: [], split }));
      for (const app of ['shop', 'key', 'address', 'each', 'files', 'tls', 'front']) {
        await nginx.shell(`split_ready ${app}`);
        await share(0, app);
      }
      for (const app of ['pair', 'stranger']) await share(0, app, 'blue');
      await nginx.start();
    }, 120_000);
    afterAll(() => nginx.stop());

    test('a first request gets a cookie, and with it the same version from then on', async () => {
      await share(50);
      for (let turn = 0; turn < 30; turn++) {
        const first = await ask(ports.visitor);
        const [, name, value] = COOKIE.exec(first.headers['set-cookie']?.[0] ?? '') ?? [];
        expect(first.headers['cache-control']).toBe('private');
        const again = await ask(ports.visitor, { cookie: `${name}=${value}` });
        expect(colourOf(again)).toBe(colourOf(first));
        expect(again.headers['set-cookie']).toBeUndefined();
        expect(again.headers['cache-control']).toBeUndefined();
      }
    });

    test('who is failed on the first request is not drawn anew', async () => {
      const failed = await ask(ports.visitor, {}, '/fail');
      expect(failed.status).toBe(500);
      expect(failed.headers['set-cookie']?.[0]).toMatch(COOKIE);
    });

    test('a larger share only adds visitors, and each share is as large as said', async () => {
      let before = new Set<number>();
      const visitors = 4000;
      for (const percent of [0, 0.5, 1, 5, 25, 50, 100]) {
        await share(percent);
        const now = await withCandidate(visitors);
        for (const n of before) expect(now.has(n)).toBe(true);
        const p = percent / 100;
        // Five standard deviations: wrong once in two million times.
        const wanted = Math.abs(now.size - visitors * p);
        expect(wanted).toBeLessThanOrEqual(5 * Math.sqrt(visitors * p * (1 - p)));
        before = now;
      }
    }, 120_000);

    test('another rollout draws others', async () => {
      await share(25);
      const these = await withCandidate(400);
      await nginx.share(
        'shop',
        shareFolder({ rollout: ROLLOUT, seed: 'another', candidate: 'green', percent: 25.1 }),
      );
      const those = await withCandidate(400);
      const both = [...these].filter((n) => those.has(n)).length;
      // 25 expected, not 100.
      expect(both).toBeLessThan(60);
    });

    test.each([
      ['no hex', 'zzzzzzzzzzzzzzzz'],
      ['too long', 'a'.repeat(17)],
      ['very long', 'a'.repeat(3000)],
      ['a side', 'candidate'],
      ['a path', '../../w100/1'],
      ['an escaped line', 'a%0d%0aX: y'],
    ])('a forged cookie is no cookie: %s', async (_, value) => {
      await share(0);
      const answer = await ask(ports.visitor, { cookie: `pipeline_shop_0123abcd=${value}` });
      expect(colourOf(answer)).toBe('blue');
      expect(answer.headers['set-cookie']?.[0]).toMatch(COOKIE);
    });

    test('a tester gets either version at any share, with the secret alone; no service sees it', async () => {
      await share(0);
      const says = (word: string) => ask(ports.visitor, { 'x-pipeline-version': word, ...known(1) });
      expect((await says(`candidate ${TESTER}`)).text).toMatch(/^green \[\] /);
      expect(colourOf(await says('candidate'))).toBe('blue');
      expect(colourOf(await says(`candidate ${TESTER}x`))).toBe('blue');
      expect(colourOf(await says(`candidate x${TESTER}`))).toBe('blue');
      await share(100);
      expect(colourOf(await says(`baseline ${TESTER}`))).toBe('blue');
      expect(colourOf(await says('baseline'))).toBe('green');
      const side = await ask(ports.visitor, { 'x-pipeline-side': 'baseline', x_pipeline_side: 'baseline' });
      expect(side.text).toMatch(/^green \[\] /);
    });

    test('a session stays with the version that has it, one from before with the baseline', async () => {
      await share(0);
      const session = { cookie: 'JSESSIONID=s0' };
      const login = await ask(ports.visitor, known(1), '/login');
      const word = login.headers['set-cookie']?.find((one) => one.includes('_session='))?.split(';')[0];
      expect(word).toBe(`pipeline_shop_0123abcd_session=${WORDS.baseline}`);
      await share(100);
      expect(colourOf(await ask(ports.visitor, known(1)))).toBe('green');
      expect(colourOf(await ask(ports.visitor, session))).toBe('blue');
      expect(
        colourOf(await ask(ports.visitor, { cookie: `${known(1).cookie}; JSESSIONID=s1; ${word}` })),
      ).toBe('blue');
      const later = await ask(ports.visitor, known(2), '/login');
      const green = later.headers['set-cookie']?.find((one) => one.includes('_session='))?.split(';')[0];
      await share(1);
      expect(colourOf(await ask(ports.visitor, { cookie: `JSESSIONID=s1; ${green}` }))).toBe('green');
      // Nobody makes up a word, and taken back is taken back.
      const made = 'JSESSIONID=s1; pipeline_shop_0123abcd_session=candidate';
      expect(colourOf(await ask(ports.visitor, { cookie: made }))).toBe('blue');
      await nginx.shell('weights_put shop 0');
      expect(colourOf(await ask(ports.visitor, { cookie: `JSESSIONID=s1; ${green}` }))).toBe('blue');
    });

    test('back and forth is one rename, for testers too', async () => {
      await share(50);
      await nginx.shell('weights_put shop 0');
      expect((await withCandidate(200)).size).toBe(0);
      const tester = { 'x-pipeline-version': `candidate ${TESTER}` };
      expect(colourOf(await ask(ports.visitor, tester))).toBe('blue');
      await nginx.shell('weights_put shop 100');
      expect((await withCandidate(200)).size).toBe(200);
      expect(colourOf(await ask(ports.visitor, { 'x-pipeline-version': `baseline ${TESTER}` }))).toBe(
        'green',
      );
      expect((await nginx.shell('weights_get shop')).trim()).toBe('100');
      await share(5.5);
      expect((await nginx.shell('weights_get shop')).trim()).toBe('5.5');
    });

    test('steps, return and promotion under load lose no request; a return is in force at once', async () => {
      const load = startLoad({
        url: `http://127.0.0.1:${ports.visitor}/`,
        rate: 500,
        keepAlive: true,
        method: 'POST',
        body: 'x',
      });
      for (const percent of [1, 5, 25, 50, 75, 100, 0, 10, 20]) {
        await share(percent);
        await delay(100);
      }
      await share(50);
      const before = performance.now();
      await nginx.shell('weights_put shop 0');
      expect((await withCandidate(100)).size).toBe(0);
      expect(performance.now() - before).toBeLessThan(1000);
      await nginx.shell('weights_put shop 100');
      await delay(100);
      const result = await load.stop();
      expect(result.others).toEqual({});
      expect(result.ok).toBe(result.sent);
      expect(result.sent).toBeGreaterThan(400);
    }, 60_000);

    test('a header or an address is a key, and what has none stays with the baseline', async () => {
      await share(50, 'key');
      const byKey = (n: number) => ({ 'x-api-key': `client ${n}` });
      const first = await withCandidate(200, ports.header, byKey);
      expect(first.size).toBeGreaterThan(60);
      expect(first.size).toBeLessThan(140);
      expect(await withCandidate(200, ports.header, byKey)).toEqual(first);
      const without = await Promise.all(Array.from({ length: 20 }, () => ask(ports.header)));
      expect(new Set(without.map(colourOf))).toEqual(new Set(['blue']));
      await share(100, 'key');
      expect(colourOf(await ask(ports.header, { 'x-api-key': 'k'.repeat(1025) }))).toBe('blue');
      await share(50, 'address');
      const from = (n: number) => ({ 'x-forwarded-for': `198.51.100.${n}` });
      const addresses = await withCandidate(200, ports.address, from);
      expect(addresses.size).toBeGreaterThan(60);
      expect(addresses.size).toBeLessThan(140);
      expect(await withCandidate(200, ports.address, from)).toEqual(addresses);
    });

    test('each request by itself, where that is wanted', async () => {
      await share(50, 'each');
      const answers = await Promise.all(Array.from({ length: 400 }, () => ask(ports.request)));
      const green = answers.filter((answer) => colourOf(answer) === 'green').length;
      expect(green).toBeGreaterThan(140);
      expect(green).toBeLessThan(260);
      expect(answers.some(({ headers }) => headers['set-cookie'] !== undefined)).toBe(false);
    });

    test('files come from the version too', async () => {
      await share(100, 'files');
      expect((await ask(ports.files)).text).toBe('green page');
      await share(0, 'files');
      expect((await ask(ports.files)).text).toBe('blue page');
    });

    test('over HTTP/2 and TLS the cookie is a secure one', async () => {
      await share(100, 'tls');
      const session = connect(`https://127.0.0.1:${ports.tls}`, { rejectUnauthorized: false });
      const asked = session.request({ ':path': '/' });
      const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
        asked.on('response', resolve);
        asked.on('error', reject);
      });
      let text = '';
      for await (const chunk of asked) text += chunk;
      session.close();
      expect(text).toMatch(/^green /);
      expect(headers['set-cookie']).toEqual([expect.stringMatching(/SameSite=Lax; Secure$/)]);
    });

    test('an upgrade goes to the version of its visitor', async () => {
      await share(100);
      const socket = connectTcp(ports.visitor, '127.0.0.1');
      const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket';
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${upgrade}\r\nCookie: ${known(3).cookie}\r\n\r\n`);
      const [data] = await new Promise<Buffer[]>((resolve) =>
        socket.once('data', (chunk) => resolve([chunk])),
      );
      socket.destroy();
      expect(data?.toString()).toContain('green []');
    });

    test('hosts do what their balancer says, and nobody else', async () => {
      // On this host the candidate is blue; the files of a balancer mean the candidate itself.
      await share(0, 'front');
      const says = { 'x-pipeline-side': 'candidate', x_pipeline_side: 'candidate' };
      expect(colourOf(await ask(balanced.front, says))).toBe('green');
      await share(100, 'front');
      expect((await ask(balanced.front)).text).toMatch(/^blue \[\] /);
      expect((await ask(balanced.front)).headers['set-cookie']?.[0]).toContain('pipeline_front_0123abcd=');
      await share(50, 'front');
      const seen = (n: number) => ({ cookie: `pipeline_front_0123abcd=${hex(n)}` });
      const first = await withCandidate(100, balanced.front, seen);
      expect(first.size).toBeGreaterThan(20);
      expect(first.size).toBeLessThan(80);
      expect(await withCandidate(100, balanced.front, seen)).toEqual(first);
      expect(colourOf(await ask(balanced.stranger, says))).toBe('green');
      await nginx.shell('weights_put pair 0');
      expect(colourOf(await ask(balanced.host, { 'x-pipeline-side': 'candidate' }))).toBe('blue');
    });

    /** What the rollout's process would read by now; each worker of nginx writes when it likes. */
    const told = () => nginx.log(splitLog('shop')).split('\n').filter(Boolean);

    test('logs hold the side; only nginx and root read the key', async () => {
      await share(50);
      // nginx's clock stands still during a turn.
      const began = Date.now() / 1000 - 0.1;
      const first = await ask(ports.visitor, {}, '/logged');
      const [, , value = ''] = COOKIE.exec(first.headers['set-cookie']?.[0] ?? '') ?? [];
      await ask(ports.visitor, { cookie: `pipeline_shop_0123abcd=${value}` }, '/logged');
      await ask(ports.visitor, { 'x-pipeline-version': `candidate ${TESTER}` }, '/logged');
      await ask(ports.visitor, { cookie: 'JSESSIONID=s' }, '/logged');
      const side = colourOf(first) === 'green' ? 'candidate' : 'baseline';
      const read = () =>
        told()
          .map(parseSplitLine)
          .filter((line) => line === undefined || line.at >= began)
          .sort((one, two) => (one?.how ?? '').localeCompare(two?.how ?? ''));
      await expect.poll(read, { timeout: 10_000 }).toMatchObject([
        { how: 'known', side, key: value },
        { how: 'new', side, key: value, status: 200, upstreamStatus: '200' },
        { how: 'session', side: 'baseline' },
        { how: 'tester', side: 'candidate' },
      ]);
      const common = () =>
        nginx
          .log('/var/log/nginx/pipeline/shop.json.log')
          .split('\n')
          .filter((line) => line.includes('/logged'))
          .map((line) => JSON.parse(line));
      const line = { side, colour: colourOf(first), status: 200, id: first.text.split(' ').at(-1) };
      await expect.poll(common, { timeout: 10_000 }).toContainEqual(expect.objectContaining(line));
      expect(nginx.log('/var/log/nginx/pipeline/shop.json.log')).not.toContain(value);
      const path = nginx.here(splitLog('shop'));
      const mode = spawnSync('stat', ['-c', '%a %U', path, join(path, '..')], { encoding: 'utf8' }).stdout;
      expect(mode).toBe('600 www-data\n710 root\n');
    }, 60_000);

    test('the key is freed once it is read, and rotating logs do not take it from nginx', async () => {
      nginx.signal('SIGUSR1');
      await delay(300);
      await ask(ports.visitor, known(90_005), '/later');
      await expect.poll(() => told().join(), { timeout: 10_000 }).toContain(hex(90_005));
      const path = nginx.here(splitLog('shop'));
      const { size } = statSync(path);
      spawnSync('fallocate', ['--punch-hole', '--offset', '0', '--length', String(size), path]);
      await ask(ports.visitor, known(90_006), '/later');
      await expect
        .poll(() => nginx.log(splitLog('shop')).slice(size), { timeout: 10_000 })
        .toContain(hex(90_006));
      expect(nginx.log(splitLog('shop'))).not.toContain(hex(90_005));
    }, 60_000);

    test('an older version’s folder gets the new names, and shares link to its files', async () => {
      const folders = ['live', 'state'].map((below) => join(nginx.folder, below, 'old'));
      for (const folder of folders) {
        mkdirSync(join(folder, 'w100'), { recursive: true });
        for (let bucket = 0; bucket < 100; bucket++) writeFileSync(join(folder, 'w100', String(bucket)), '');
        symlinkSync('w100', join(folder, 'weights'));
      }
      await nginx.shell('split_ready old');
      expect((await nginx.shell('weights_get old')).trim()).toBe('100');
      await share(50, 'old');
      for (const folder of folders) {
        const names = readdirSync(join(folder, 'w100'));
        expect(names).toEqual(expect.arrayContaining(['0', '99', '0.0', '24.39', 'candidate', 'baseline']));
        const shared = readdirSync(join(folder, 'weights'));
        expect(shared).toHaveLength(501);
        for (const name of shared) {
          expect(statSync(join(folder, 'weights', name)).ino).toBe(statSync(join(folder, 'w100', name)).ino);
        }
      }
    });

    test('nothing of a rollout is left at its end', async () => {
      await nginx.shell('weights_put key 0 && split_end key');
      for (const below of ['live', 'state']) {
        const left = spawnSync('ls', [join(nginx.folder, below, 'key')], { encoding: 'utf8' }).stdout;
        expect(left.trim().split('\n')).toEqual(['w0', 'w100', 'weights']);
      }
    });
  },
);
