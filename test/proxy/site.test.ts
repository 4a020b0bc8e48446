import { describe, expect, it } from 'vitest';
import { parseNginxLine } from '../../src/agent/logs/access-log.ts';
import { greenOf, siteRefused, weightsOf } from '../../src/proxy/nginx.ts';
import type { Site } from '../../src/proxy/proxy.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import { identifier } from '../../src/proxy/text.ts';

const site = (more: Partial<Site> = {}): Site => ({
  app: 'shop',
  domains: [],
  port: 80,
  routes: ['/'],
  root: '/srv/shop',
  maxBodyBytes: 2 ** 20,
  readTimeoutMs: 60_000,
  headers: {},
  colours: { blue: { servers: ['127.0.0.1:1'] }, green: { servers: ['127.0.0.1:2', '127.0.0.1:3'] } },
  fallback: true,
  ...more,
});
const text = (more: Partial<Site> = {}) => siteConfig(site(more));
/** Without indentation, so that lines can be looked for. */
const lines = (more: Partial<Site> = {}) =>
  text(more)
    .split('\n')
    .map((line) => line.trim());

describe('a site as nginx reads it', () => {
  it('sends a request to green where the file of its bucket exists', () => {
    expect(text()).toContain('split_clients $request_id $shop_bucket');
    expect(text()).toContain(
      'if (-f /run/pipeline/proxy/shop/weights/$shop_bucket) {\n        set $pipeline_colour green;',
    );
    expect(lines()).toContain('open_file_cache off;');
    expect(lines()).toContain('proxy_pass http://shop_$pipeline_colour;');
    const buckets = /split_clients [^{]*\{([^}]*)\}/.exec(text())?.[1] ?? '';
    expect([...buckets.matchAll(/1% (\d+);/g)].map(([, bucket]) => Number(bucket))).toEqual(
      Array.from({ length: 99 }, (_, i) => i),
    );
    expect(buckets).toContain('* 99;');
  });

  it('tries the other colour where one cannot be reached, and neither in an experiment', () => {
    expect(text()).toContain(
      'upstream shop_blue {\n    server 127.0.0.1:1 max_fails=0;\n    server 127.0.0.1:2 max_fails=0 backup;',
    );
    expect(text({ fallback: false })).not.toContain('backup');
    // Never a request that was sent and may not be repeated.
    expect(lines()).toContain('proxy_next_upstream error;');
    expect(text()).not.toContain('non_idempotent');
  });

  it('keeps no connection to a service, so that one that stands is a request under way', () => {
    expect(text()).not.toMatch(/keepalive/);
    expect(text()).toContain('map $http_upgrade $shop_connection {\n    "" close;\n    default upgrade;');
  });

  it('tells services who asks, and believes nobody else', () => {
    expect(lines()).toContain('proxy_set_header X-Forwarded-For $remote_addr;');
    expect(text()).not.toContain('set_real_ip_from');
    expect(lines({ trustedProxies: ['10.0.0.0/8'] })).toEqual(
      expect.arrayContaining([
        'set_real_ip_from 10.0.0.0/8;',
        'real_ip_header X-Forwarded-For;',
        'real_ip_recursive on;',
      ]),
    );
    expect(text({ trustedProxies: ['10.0.0.0/8'] })).toContain(
      'geo $realip_remote_addr $shop_proxy {\n    default 0;\n    10.0.0.0/8 1;\n}',
    );
    expect(lines({ trustedProxies: ['10.0.0.0/8'] })).toContain(
      'proxy_set_header X-Forwarded-Proto $shop_proto;',
    );
    expect(lines()).toContain('proxy_set_header X-Forwarded-Proto $scheme;');
  });

  it('takes answers whose headers are larger than a page', () => {
    expect(lines()).toEqual(expect.arrayContaining(['proxy_buffer_size 32k;', 'proxy_buffers 8 32k;']));
  });

  it('redirects within the scheme and port that the visitor uses', () => {
    expect(lines({ static: 'public' })).toContain('absolute_redirect off;');
  });

  it('passes no header on that a framework could take for one of its own', () => {
    expect(lines()).toContain('proxy_set_header X_Forwarded_For "";');
    expect(lines()).toContain('proxy_set_header X_Real_IP "";');
  });

  it('logs which release answered, as the link of the colour says', () => {
    expect(lines()).toContain(
      'access_log /var/log/nginx/pipeline/shop.json.log pipeline buffer=64k flush=250ms;',
    );
    expect(text()).toContain('map $realpath_root $shop_release');
    expect(
      text({ colours: { blue: { servers: [], release: 'R1' }, green: { servers: [], release: 'R2' } } }),
    ).toContain('map $pipeline_colour $shop_release {\n    default "";\n    blue R1;\n    green R2;');
  });

  it.each([
    ['everything to the service', {}, ['location / {'], ['location /api {', 'location @service {']],
    [
      'files, and a path to the service',
      { static: 'public', routes: ['/api/'] },
      [
        'location /api/ {',
        'location / {',
        'error_page 404 /404.html;',
        'try_files $uri $uri/ =404;',
        'root /srv/shop/$pipeline_colour/app/public;',
      ],
      ['location @service {'],
    ],
    [
      'a single-page application: links into it answer with its page',
      { static: 'dist', routes: ['/api/'], fallbackPage: 'index.html' },
      ['try_files $uri $uri/ /index.html =404;'],
      ['error_page 404 /404.html;'],
    ],
    [
      'files where there is one, else the service',
      { static: 'public' },
      ['try_files $uri @service;', 'location @service {'],
      [],
    ],
    [
      'files alone',
      { static: '.', colours: { blue: { servers: [] }, green: { servers: [] } } },
      ['root /srv/shop/$pipeline_colour/app;', 'try_files $uri $uri/ =404;'],
      ['proxy_http_version 1.1;', 'upstream shop_blue {'],
    ],
    ['a path alone', { routes: ['/api'] }, ['location /api {', 'return 404;'], []],
  ])('%s', (_, more, there, absent) => {
    expect(lines(more)).toEqual(expect.arrayContaining(there));
    for (const line of absent) expect(lines(more)).not.toContain(line);
  });

  it('answers to its domains, or to every name', () => {
    expect(lines()).toEqual(
      expect.arrayContaining([
        'listen 80 default_server;',
        'listen [::]:80 default_server;',
        'server_name _;',
      ]),
    );
    expect(lines({ domains: ['a.example', 'b.example'], port: 8080 })).toEqual(
      expect.arrayContaining(['listen 8080;', 'server_name a.example b.example;']),
    );
  });

  it('listens on the families that the kernel has, on every port', () => {
    const tls = { certificate: '/c', key: '/k', redirect: true };
    expect(text({ tls }).match(/listen \[::\]:(80|443)/g)).toEqual(['listen [::]:80', 'listen [::]:443']);
    expect(text({ tls, noIpv6: true })).not.toContain('[::]');
    expect(lines({ tls, noIpv6: true })).toContain('listen 80 default_server;');
  });

  it('serves https, and sends visitors there', () => {
    const tls = { certificate: '/c', key: '/k', redirect: true };
    expect(lines({ tls })).toEqual(
      expect.arrayContaining([
        'listen 443 ssl http2 default_server;',
        'ssl_certificate /c;',
        'ssl_protocols TLSv1.2 TLSv1.3;',
        'return 301 https://$host$request_uri;',
      ]),
    );
    expect(text({ tls })).toContain('Strict-Transport-Security');
    expect(text()).not.toContain('Strict-Transport-Security');
    expect(text({ tls: { ...tls, redirect: false } })).not.toContain('return 301');
  });

  it('adds careful headers, unless the service or the definition says otherwise', () => {
    expect(text()).toContain(
      'map $upstream_http_x_frame_options $shop_header_x_frame_options {\n    "" SAMEORIGIN;\n  ' +
        '  default "";',
    );
    const own = lines({
      headers: { 'x-frame-options': 'DENY', 'Content-Security-Policy': `default-src 'self'` },
    });
    expect(own).toContain('add_header x-frame-options DENY always;');
    expect(own).toContain(`add_header Content-Security-Policy "default-src 'self'" always;`);
    expect(own.filter((line) => /^add_header x-frame-options/i.test(line))).toHaveLength(1);
    expect(own).toContain('add_header X-Content-Type-Options $shop_header_x_content_type_options always;');
  });

  it('names the colour and maps paths in an experiment', () => {
    const paths = { blue: { '/json': '/preview' }, green: {} };
    const own = text({ experiment: { colourHeader: 'X-Colour' }, paths, key: '$cookie_id' });
    expect(own).toContain('add_header X-Colour $pipeline_colour always;');
    expect(own).toContain('split_clients $cookie_id $shop_bucket');
    expect(own).toContain('"blue /json" /preview;');
    expect(own).toContain('proxy_pass http://shop_$pipeline_colour$shop_path$is_args$args;');
  });

  it('adds nothing to an experiment that is not measured', () => {
    const own = text({ experiment: { colourHeader: 'X-Colour' } });
    expect(own.match(/add_header .*;/g)).toEqual(['add_header X-Colour $pipeline_colour always;']);
    expect(own).toContain('shop.json.log shop_measured buffer=64k');
    const format =
      /log_format shop_measured escape=json '([^;]*)';/.exec(own)?.[1]?.replaceAll(/'\s*'/g, '') ?? '';
    const line = format
      .replaceAll(/\$(pipeline_colour|request_method|request_uri)/g, 'GET')
      .replaceAll(/\$\w+/g, '200');
    expect(parseNginxLine(line)).toMatchObject({
      app: 'shop',
      colour: 'GET',
      status: 200,
      upstreamMilliseconds: 200_000,
    });
    expect(own).not.toContain('$request_id;');
    expect(own).not.toContain('realpath');
  });

  it('gives every application names of its own', () => {
    expect(identifier('shop')).toBe('shop');
    expect(new Set(['a.b', 'a-b', 'a_b'].map(identifier)).size).toBe(3);
    expect(identifier('checkbox.io')).toMatch(/^checkbox_io_[0-9a-f]{4}$/);
  });
});

describe('weights', () => {
  it.each([0, 1, 50, 100])('%i per cent', (green) => {
    expect(greenOf(weightsOf(green))).toBe(green);
  });
  it.each([[{ blue: 50, green: 51 }], [{ blue: 99.5, green: 0.5 }], [{ blue: -1, green: 101 }]])(
    'refuses %j',
    (weights) => {
      expect(() => greenOf(weights)).toThrow(/sum to 100/);
    },
  );
});

describe('a site that nginx refuses', () => {
  it.each([
    ['a duplicate default server for 0.0.0.0:80 in x.conf:12', 'site: domains:'],
    ['bind() to 0.0.0.0:8080 failed (98: Address already in use)', '0.0.0.0:8080'],
    ['unknown "b" variable', 'still in force'],
  ])('%s', (said, next) => {
    const failure = siteRefused(
      'web',
      'shop',
      `nginx: [emerg] ${said}\nnginx: configuration file /etc/nginx/nginx.conf test failed\n`,
    );
    expect(failure).toMatchObject({ kind: 'host', host: 'web', output: [`nginx: [emerg] ${said}`] });
    expect(failure.next).toContain(next);
  });
});
