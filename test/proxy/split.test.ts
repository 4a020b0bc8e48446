import { describe, expect, it } from 'vitest';
import { parseNginxLine } from '../../src/agent/logs/access-log.ts';
import type { Site } from '../../src/proxy/proxy.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import { type SiteSplit, splitSecrets } from '../../src/proxy/split.ts';
import { parseSplitLine, unitOf } from '../../src/proxy/split-log.ts';
import { LOG_FORMAT } from '../../src/roles/nginx.ts';

const split: SiteSplit = {
  rollout: '0123abcd',
  candidate: 'green',
  key: { by: 'visitor', seconds: 3600 },
};
const site = (more: Partial<SiteSplit> = {}, around: Partial<Site> = {}) =>
  siteConfig({
    app: 'shop',
    domains: [],
    port: 80,
    routes: ['/'],
    root: '/srv/shop',
    maxBodyBytes: 1000,
    readTimeoutMs: 5000,
    headers: {},
    colours: {
      blue: { servers: ['127.0.0.1:1'], release: 'R1' },
      green: { servers: ['127.0.0.1:2'], release: 'R2' },
    },
    fallback: true,
    split: { ...split, ...more },
    ...around,
  });
/** The fields of a log format. */
const fields = (text: string, name: string) => {
  const format = new RegExp(`log_format ${name} escape=json ([^;]*);`).exec(text)?.[1] ?? '';
  return format.replaceAll(/'\s*'/g, '').replaceAll("'", '');
};

describe('a site that two versions share', () => {
  it('gives its cookie with files too, which have headers of their own', () => {
    const files = site({}, { static: 'public', routes: ['/api'] }).split('location / {')[1] ?? '';
    expect(files).toMatch(/add_header Set-Cookie \$shop_cookie always;/);
    expect(files).toContain('add_header Cache-Control $shop_cache;');
  });

  it('looks for one file a request, as any site does', () => {
    expect(site().match(/\(-f [^)]*\/weights\//g)).toHaveLength(1);
    expect(site()).toContain('if (-f /run/pipeline/proxy/shop/weights/$shop_row.$shop_column) {');
  });

  it('marks the cookie as one of a site with TLS', () => {
    const tls = { certificate: '/c', key: '/k', redirect: false };
    const cookie = 'pipeline_shop_0123abcd=$shop_fresh; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax';
    expect(site()).toContain(`new "${cookie}";`);
    expect(site({}, { tls })).toContain(`new "${cookie}; Secure";`);
  });

  it('logs what every site logs, and the side', () => {
    const own = fields(site(), 'shop_shared');
    const names = (text: string) => [...text.matchAll(/"(\w+)":/g)].map(([, name]) => name);
    expect(names(own).filter((name) => name !== 'side')).toEqual(names(fields(LOG_FORMAT, 'pipeline')));
    const line = own.replaceAll('$status', '200').replaceAll(/(?<=:)\$\w+/g, '1');
    expect(parseNginxLine(line)).toMatchObject({ app: 'shop', status: 200 });
    expect(own).not.toContain('key');
    expect(own).not.toMatch(/cookie|\$request_id|remote_addr/);
  });

  it('keeps words of testers and of sessions out of the text that anybody reads', () => {
    const secrets = '/etc/pipeline/apps/shop/split-0123abcd.conf';
    const text = site({ secrets, testers: true, sessionCookie: 'JSESSIONID' });
    expect(text).toContain(`include ${secrets};`);
    expect(() => site({ testers: true })).toThrow(/need secrets/);
    const tester = 'a-secret-of-testers';
    expect(splitSecrets('shop', { tester })).toContain(`"~^candidate ${tester}$" candidate;`);
    expect(() => splitSecrets('shop', { tester: 'short' })).toThrow(/16 to 128/);
    expect(() => splitSecrets('shop', { tester: 'x".; evil {} xxxxxx' })).toThrow(/16 to 128/);
  });

  it('does what a balancer says only where it knows the balancer', () => {
    const obeys = { key: { by: 'balancer' } } as const;
    expect(() => site(obeys)).toThrow(/must know its address/);
    const text = site(obeys, { trustedProxies: ['10.0.0.9'], balanced: true });
    expect(text).toContain('map "$shop_proxy $http_x_pipeline_side" $shop_told');
    expect(text).not.toMatch(/shop_split|Set-Cookie/);
  });

  it('passes neither header on to a service, in no spelling that nginx takes for one', () => {
    for (const name of ['Version', 'Side']) {
      for (const spelling of ['X-Pipeline-', 'X_Pipeline_', 'X_Pipeline-', 'X-Pipeline_']) {
        expect(site()).toContain(`proxy_set_header ${spelling}${name} "";`);
      }
    }
  });
});

describe('what nginx tells of a request', () => {
  const line = '{"msec":1.5,"side":"candidate","how":"known","status":000,"time":0.029,';
  const rest = '"upstream_status":"502, 200","key":"k"}';

  it('is read as it is', () => {
    expect(parseSplitLine(line + rest)).toEqual({
      at: 1.5,
      side: 'candidate',
      how: 'known',
      status: 0,
      milliseconds: 29,
      upstreamStatus: '502, 200',
      key: 'k',
    });
  });

  it.each([line, '', '[]', `${line.replace('known', 'guessed')}${rest}`])('is nothing else: %s', (text) => {
    expect(parseSplitLine(text)).toBeUndefined();
  });

  it('names a visitor without telling the key', () => {
    expect(unitOf('secret', 'k')).toMatch(/^[0-9a-f]{16}$/);
    expect(unitOf('secret', 'k')).not.toBe(unitOf('other', 'k'));
  });
});
