/** The colour in the log, while a host's nginx.conf and its sites are of different versions. */
import { afterEach, describe, expect, test } from 'vitest';
import { parseNginxLine } from '../../src/agent/logs/access-log.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import { freePort, nginxUnavailable, RealNginx } from './real-nginx.ts';

const LOG = '/var/log/nginx/pipeline/shop.json.log';
/** As `prod up` wrote it before colours had their name. */
const OLD_FORMAT = `map "" $pipeline_app { default ""; }
map "" $pipeline_variant { default ""; }
map "" $pipeline_release { default ""; }
log_format pipeline escape=json '{"msec":$msec,"app":"$pipeline_app","variant":"$pipeline_variant",'
    '"release":"$pipeline_release","method":"$request_method","uri":"$request_uri","status":$status,'
    '"bytes":$body_bytes_sent,"time":$request_time,"upstream_time":"$upstream_response_time"}';`;

const newSite = (port: number, backend: number) =>
  siteConfig({
    app: 'shop',
    domains: [],
    port,
    routes: ['/'],
    root: '/srv/shop',
    maxBodyBytes: 1000,
    readTimeoutMs: 5000,
    headers: {},
    colours: {
      blue: { servers: [], release: 'R1' },
      green: { servers: [`127.0.0.1:${backend}`], release: 'R2' },
    },
    fallback: true,
  });

/** As a deploy wrote it then, in what matters. */
const oldSite = (port: number) => `server {
listen ${port};
set $pipeline_app shop;
set $pipeline_variant blue;
if (-f /run/pipeline/proxy/shop/weights/all) { set $pipeline_variant green; }
set $pipeline_release R2;
access_log ${LOG} pipeline;
location / { return 200 "answered"; }
}`;

const unavailable = nginxUnavailable();

describe.skipIf(unavailable !== undefined)(`the log of a site (${unavailable ?? 'nginx'})`, () => {
  let nginx: RealNginx | undefined;
  afterEach(() => nginx?.stop());

  /** What an agent reads of one request. */
  async function logged(host: RealNginx, site: (port: number, backend: number) => string) {
    nginx = host;
    const [port, backend] = [await freePort(), await freePort()];
    host.site('backend', `server { listen ${backend}; location / { return 200 "answered"; } }`);
    host.site('shop', site(port, backend));
    await host.shell('mkdir -p /run/pipeline/proxy/shop/weights; cd /run/pipeline/proxy/shop/weights');
    await host.shell('for i in all $(seq 0 99); do touch /run/pipeline/proxy/shop/weights/"$i"; done');
    await host.start();
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect(await answer.text()).toBe('answered');
    const line = () => parseNginxLine(host.log(LOG).trim());
    await expect.poll(line).toBeDefined();
    return line();
  }

  const whole = { app: 'shop', colour: 'green', release: 'R2', status: 200 };

  test('names the colour', async () => {
    expect(await logged(new RealNginx(), newSite)).toMatchObject(whole);
  });

  test('names it where the last deploy was by an earlier version', async () => {
    expect(await logged(new RealNginx(), oldSite)).toMatchObject(whole);
  });

  test('names it where the last `prod up` was by an earlier version', async () => {
    expect(await logged(new RealNginx({ log: OLD_FORMAT }), newSite)).toMatchObject(whole);
  });
});
