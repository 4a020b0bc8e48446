/** A release's files, what goes when they go, and the wait at boot. */
import { describe, expect, it } from 'vitest';
import type { Placing, TakeOver } from '../../src/contract/release.ts';
import { place } from '../../src/onhost/place.ts';
import { prune } from '../../src/onhost/prune.ts';
import { ready } from '../../src/onhost/ready.ts';
import { sceneOf } from '../../src/onhost/scene.ts';
import type { FakeHost } from './fake-host.ts';
import { NEW, OLD, placed, servingHost, takeOver } from './orders.ts';

const FOLDER = `/srv/shop/releases/${NEW}`;

function bring(host: FakeHost, placing: Partial<Placing>, more: Partial<TakeOver> = {}): Promise<void> {
  const order = takeOver(more);
  if (order.placing === null) throw new Error('the order places nothing');
  return place(
    sceneOf(host, order, () => {}),
    { ...order.placing, ...placing },
  );
}

function war(servlet: 'javax' | 'jakarta') {
  const { manifest } = placed(NEW, 'green');
  return {
    manifest: { ...manifest, node: null, tomcat: { context: '/', sessions: 'memory', servlet } },
  } as const;
}

/** Its `unzip` makes what a WAR has. */
function tomcatHost(version: number): FakeHost {
  const host = servingHost();
  host.files.set(`/usr/share/tomcat${version}/bin/bootstrap.jar`, 'jar');
  const run = host.run;
  host.run = async (program, ...args) => {
    if (program === 'unzip') await host.write(`${args.at(-1)}/WEB-INF/web.xml`, '');
    if (program === 'javax2jakarta') await host.write(String(args.at(-1)), 'jakarta');
    return run(program, ...args);
  };
  return host;
}

describe('placing', () => {
  it('links the files of a release that has the same', async () => {
    const host = servingHost();
    host.files.set(`/srv/shop/releases/${OLD}/app/index.js`, 'old');
    await bring(host, { sameTree: OLD });
    expect(host.calls).toContain(`cp -al /srv/shop/releases/${OLD}/app /srv/shop/releases/.new/app`);
    expect(host.calls.filter((call) => call.startsWith('tar'))).toEqual([]);
    expect(host.links.get(`${FOLDER}/node`)).toBe('/opt/pipeline/node/22.1.0');
  });

  it('refuses an artifact that did not arrive whole, and removes it', async () => {
    const host = servingHost();
    host.files.set('/var/lib/pipeline/incoming/f00d', 'half');
    await expect(bring(host, {})).rejects.toMatchObject({ step: 'place' });
    expect(host.files.has('/var/lib/pipeline/incoming/f00d')).toBe(false);
    expect(await host.exists(FOLDER)).toBe(false);
  });

  it('unpacks the Node that was sent', async () => {
    const host = servingHost();
    await host.remove('/opt/pipeline/node');
    host.files.set('/var/lib/pipeline/incoming/beef', 'beef');
    await bring(host, { nodeArchive: 'beef' });
    expect(await host.exists('/opt/pipeline/node/22.1.0')).toBe(true);
    expect(host.files.has('/var/lib/pipeline/incoming/beef')).toBe(false);
  });

  it('rewrites a WAR for jakarta once', async () => {
    const host = tomcatHost(10);
    await bring(host, { webapp: 'ROOT' }, war('javax'));
    const migrated = '/var/lib/pipeline/migrated/f00d.war';
    expect(host.files.get(migrated)).toBe('jakarta');
    expect(host.calls).toContain(`unzip -q -o ${migrated} -d /srv/shop/releases/.new/app`);
    expect(host.links.get(`${FOLDER}/tomcat/webapps/ROOT`)).toBe('../../app');
    expect(host.links.get(`${FOLDER}/tomcat/home`)).toBe('/usr/share/tomcat10');
  });

  it('refuses a WAR for jakarta on an old Tomcat, and any WAR without one', async () => {
    const needs = 'needs Tomcat 10 (jakarta.servlet), but this host has Tomcat 9';
    await expect(bring(tomcatHost(9), { webapp: 'ROOT' }, war('jakarta'))).rejects.toThrow(needs);
    await expect(bring(servingHost(), { webapp: 'ROOT' }, war('javax'))).rejects.toThrow('no Tomcat');
  });
});

describe('pruning', () => {
  it('removes releases with the Node versions and WARs that nobody else has', async () => {
    const host = servingHost();
    host.files.set('/opt/pipeline/node/18.0.0/bin/node', 'node');
    host.files.set('/var/lib/pipeline/migrated/f00d.war', 'used');
    host.files.set('/var/lib/pipeline/migrated/dead.war', 'unused');
    host.files.set('/srv/shop/releases/gone/release.json', '{"node":"18.0.0","artifact":"dead"}');
    await prune(
      sceneOf(host, placed(OLD, 'blue'), () => {}),
      ['gone'],
    );
    expect(await host.exists('/srv/shop/releases/gone')).toBe(false);
    expect(await host.list('/opt/pipeline/node')).toEqual(['22.1.0']);
    expect(await host.list('/var/lib/pipeline/migrated')).toEqual(['f00d.war']);
  });
});

describe('ready', () => {
  it('waits for applications behind a balancer, half a minute at most', async () => {
    const host = servingHost();
    host.files.set('/etc/nginx/pipeline/sites/shop.conf', '  # Behind a balancer.\n');
    const began = host.now();
    host.checks = () => ({ healthy: host.now() - began >= 3000, silent: true, said: '' });
    await ready(host, '# Behind a balancer.');
    expect(host.now() - began).toBe(3000);
    host.checks = () => ({ healthy: false, silent: true, said: '' });
    await ready(host, '# Behind a balancer.');
    expect(host.now() - began).toBe(33_000);
  });
});
