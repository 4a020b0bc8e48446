/** How a site is put in place, changed, refused and removed, by the real nginx. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Site } from '../../src/proxy/proxy.ts';
import { reconcileSite } from '../../src/proxy/scripts.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import { freePort, nginxUnavailable, RealNginx } from './real-nginx.ts';

const unavailable = nginxUnavailable();

describe.skipIf(unavailable !== undefined)(`a site of nginx (${unavailable ?? 'nginx'})`, () => {
  const nginx = new RealNginx();
  let [port, behind] = [0, 0];
  const site = (more: Partial<Site> = {}): Site => ({
    app: 'shop',
    domains: [],
    port,
    routes: ['/'],
    root: '/srv/shop',
    maxBodyBytes: 1000,
    readTimeoutMs: 5000,
    headers: {},
    colours: { blue: { servers: [`127.0.0.1:${behind}`] }, green: { servers: [] } },
    fallback: true,
    ...more,
  });
  const file = join(nginx.folder, 'sites/shop.conf');
  const put = (of: Site) => nginx.shell(reconcileSite(of));
  const ask = () => fetch(`http://127.0.0.1:${port}/`);
  const inPlace = () => readdirSync(join(nginx.folder, 'sites')).sort();

  beforeAll(async () => {
    port = await freePort();
    behind = await freePort();
    const answer = 'location / { default_type text/plain; return 200 "it is"; }';
    nginx.site('service', `server { listen ${behind}; access_log off; ${answer} }`);
    await nginx.start();
  }, 60_000);
  afterAll(() => nginx.stop());

  test('is put in place, as it was written, with all traffic on blue; again changes nothing', async () => {
    expect(await put(site({ headers: { 'X-Note': `it's "$5" \\ 'quoted'` } }))).toBe('changed 1\n');
    expect(readFileSync(file, 'utf8')).toBe(
      nginx.here(siteConfig(site({ headers: { 'X-Note': `it's "$5" \\ 'quoted'` } }))),
    );
    expect((await nginx.shell('weights_get shop')).trim()).toBe('0');
    expect(await put(site())).toBe('changed 1\n');
    expect(await (await ask()).text()).toBe('it is');
    expect(await put(site())).toBe('changed 0\n');
  }, 60_000);

  test('may have the longest name that DNS has (mailinabox#93)', async () => {
    const label = 'a'.repeat(60);
    const longest = `${label}.${label}.${label}.${'b'.repeat(60)}.example`;
    expect(await put(site({ domains: [longest, `*.${label}.${label}.${label}.example`] }))).toBe(
      'changed 1\n',
    );
    await put(site());
  }, 60_000);

  test('that nginx refuses leaves the old one in force', async () => {
    const before = readFileSync(file, 'utf8');
    await expect(put(site({ key: '$no_such_variable' }))).rejects.toThrow(
      /unknown "no_such_variable" variable/,
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(inPlace()).toEqual(['service.conf', 'shop.conf']);
    expect(await (await ask()).text()).toBe('it is');
  }, 60_000);

  test('on a port that another program has leaves the old one in force', async () => {
    const before = readFileSync(file, 'utf8');
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const taken = (other.address() as { port: number }).port;
    await expect(put(site({ port: taken }))).rejects.toThrow(/bind\(\) to \S+ failed/);
    other.close();
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(await (await ask()).text()).toBe('it is');
  }, 60_000);

  test('is removed with its weights', async () => {
    await nginx.shell('split_ready shop && site_remove shop');
    expect(inPlace()).toEqual(['service.conf']);
    for (const below of ['live', 'state']) expect(existsSync(join(nginx.folder, below, 'shop'))).toBe(false);
    await expect(ask()).rejects.toThrow();
    await nginx.shell('site_remove shop');
  }, 60_000);
});
