/** Sites that two versions share, of every kind, in front of a backend for each version. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import type { Colour } from '../../src/contract/places.ts';
import { balancerConfig } from '../../src/proxy/balancer.ts';
import type { Site } from '../../src/proxy/proxy.ts';
import { shareFolder } from '../../src/proxy/shares.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import { type SiteSplit, splitSecrets } from '../../src/proxy/split.ts';
import { freePort, RealNginx } from './real-nginx.ts';

export const ROLLOUT = '0123abcd';
export const TESTER = 'tester-secret-0123456789';
export const WORDS = { baseline: 'b'.repeat(32), candidate: 'c'.repeat(32) };
export const COOKIE =
  /^(pipeline_shop_0123abcd)=([0-9a-f]{16}); Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export function ask(port: number, headers: Record<string, string> = {}, path = '/'): Promise<Answer> {
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

export const colourOf = ({ text }: Answer) => text.split(' ')[0];
export const hex = (n: number) => n.toString(16).padStart(16, '0');

/** Not started yet. */
export function splitSites() {
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

  const start = async () => {
    for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
    for (const name of Object.keys(balanced) as (keyof typeof balanced)[]) balanced[name] = await freePort();
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
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=shop'];
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
  };
  return { nginx, ports, balanced, site, share, known, withCandidate, start };
}
