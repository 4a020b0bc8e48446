import { describe, expect, it } from 'vitest';
import { type Balancer, balancerConfig } from '../../src/proxy/balancer.ts';

const balancer = (more: Partial<Balancer> = {}): Balancer => ({
  app: 'shop',
  domains: ['shop.example'],
  port: 80,
  hosts: [
    { name: 'web-1', address: '10.0.0.1:80' },
    { name: 'web-2', address: '10.0.0.2:80' },
  ],
  maxBodyBytes: 2 ** 20,
  readTimeoutMs: 60_000,
  trustedProxies: [],
  ...more,
});
const text = (more: Partial<Balancer> = {}) => balancerConfig(balancer(more));

describe('a balancer as nginx reads it', () => {
  it('leaves out a host that is away, and asks all in spite of it where all are left out', () => {
    expect(text()).toContain(`upstream shop_hosts {
    server 10.0.0.1:80 max_fails=1 fail_timeout=5s;
    server 10.0.0.2:80 max_fails=1 fail_timeout=5s;
    server 10.0.0.1:80 max_fails=0 backup;
    server 10.0.0.2:80 max_fails=0 backup;
}`);
  });

  it('never repeats a POST that was sent, and keeps no connection to a host', () => {
    expect(text()).toContain('proxy_next_upstream error timeout http_502;');
    expect(text()).not.toMatch(/non_idempotent|keepalive/);
    expect(text()).toContain('"" close;');
  });

  it('logs where the agent does not count, since the hosts log the same requests', () => {
    expect(text()).toContain('access_log /var/log/nginx/pipeline/shop.balancer.log pipeline');
    expect(text()).not.toContain('.json.log');
  });

  it('believes nobody on who visits, but proxies that are named', () => {
    expect(text()).toContain('proxy_set_header X-Forwarded-For $remote_addr;');
    expect(text()).not.toContain('set_real_ip_from');
    expect(text({ trustedProxies: ['192.0.2.0/24'] })).toContain('set_real_ip_from 192.0.2.0/24;');
  });

  it('ends TLS, and sends visitors there', () => {
    const tls = { certificate: '/a.crt', key: '/a.key', redirect: true };
    expect(text({ tls })).toContain('listen 443 ssl http2;');
    expect(text({ tls })).toContain('return 301 https://$host$request_uri;');
    expect(text({ tls })).toContain('add_header Strict-Transport-Security $shop_hsts always;');
    expect(text({ tls })).not.toContain('acme-challenge');
    // The authority asks on port 80, and nobody is sent to a certificate that has not come yet.
    const byAcme = text({ tls, challenges: true });
    expect(byAcme).toContain('location ^~ /.well-known/acme-challenge/');
    expect(byAcme).toContain('listen 80;\n');
    expect(byAcme).toContain('if (-f /var/lib/pipeline/acme/issued/shop)');
  });

  it('brings a visitor with a session to its host, and elsewhere only where that does not answer', () => {
    const sticky = text({ sessionCookie: 'JSESSIONID' });
    expect(sticky).toContain(`upstream shop_host_1 {
    server 10.0.0.2:80 max_fails=1 fail_timeout=5s;
    server 10.0.0.1:80 max_fails=0 backup;
}`);
    expect(sticky).toContain(
      'map $cookie_pipeline_shop $shop_to {\n    default shop_hosts;\n    web-1 shop_host_0;\n  ' +
        '  web-2 shop_host_1;\n}',
    );
    expect(sticky).toContain('map $upstream_cookie_JSESSIONID $shop_stay');
    expect(sticky).toContain('proxy_pass http://$shop_to;');
    expect(text()).not.toContain('Set-Cookie');
  });
});
