/** A rollout's side of nginx, by the real one: what it logs, and what it leaves. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { splitLog } from '../../src/proxy/split.ts';
import { parseSplitLine } from '../../src/proxy/split-log.ts';
import { nginxUnavailable } from './real-nginx.ts';
import { ask, COOKIE, colourOf, hex, splitSites, TESTER } from './split-sites.ts';

const unavailable = nginxUnavailable();

describe.skipIf(unavailable !== undefined)(`the log of two versions (${unavailable ?? 'nginx'})`, () => {
  const { nginx, ports, share, known, start } = splitSites();
  beforeAll(start, 120_000);
  afterAll(() => nginx.stop());

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
});
