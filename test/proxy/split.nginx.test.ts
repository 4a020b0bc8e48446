/** A rollout's side of nginx, by the real one: who gets which version. */
import { connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shareFolder } from '../../src/proxy/shares.ts';
import { startLoad } from '../support/load.ts';
import { nginxUnavailable } from './real-nginx.ts';
import { ask, COOKIE, colourOf, hex, ROLLOUT, splitSites, TESTER, WORDS } from './split-sites.ts';

const unavailable = nginxUnavailable();

describe.skipIf(unavailable !== undefined)(
  `visitors shared by two versions (${unavailable ?? 'nginx'})`,
  () => {
    const { nginx, ports, balanced, share, known, withCandidate, start } = splitSites();
    beforeAll(start, 120_000);
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
  },
);
