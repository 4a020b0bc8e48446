import { describe, expect, it } from 'vitest';
import { place } from '../../src/onhost/place.ts';
import { sceneOf } from '../../src/onhost/scene.ts';
import { tomcatFiles } from '../../src/release/order/tomcat.ts';
import { unitFile } from '../../src/release/order/unit.ts';
import type { FakeHost } from './fake-host.ts';
import { NEW, OLD, placed, servingHost, takeOver } from './orders.ts';

const OWN = `/srv/shop/releases/${NEW}/app/server/up/load`;
const KEPT = '/var/lib/pipeline-persist/shop/up/load';
const MADE = '/var/lib/pipeline-persist/shop/.new';

const manifest = { ...placed(NEW, 'green').manifest, directory: 'server', persist: ['up/load'] };

async function bring(host: FakeHost): Promise<void> {
  const order = takeOver({ manifest });
  if (order.placing === null) throw new Error('the order places nothing');
  await place(
    sceneOf(host, order, () => {}),
    order.placing,
  );
}

describe('a folder that outlives releases', () => {
  it('begins with what the artifact has, then what the live release has, and is linked', async () => {
    const host = servingHost();
    host.files.set('/srv/shop/blue/release.json', JSON.stringify({ ...manifest, directory: 'api' }));
    await bring(host);
    const copies = host.calls.filter((call) => call.startsWith('cp '));
    expect(copies).toEqual([
      `cp -rdT --preserve=mode,timestamps /srv/shop/releases/.new/app/server/up/load ${MADE}`,
      `cp -rdT --preserve=mode,timestamps /srv/shop/blue/app/api/up/load ${MADE}`,
    ]);
    expect(host.calls).toContain(`chown -Rh app-shop:www-data ${MADE}`);
    expect(host.links.get(OWN)).toBe(KEPT);
    expect(await host.exists(KEPT)).toBe(true);
  });

  it('is never filled again', async () => {
    const host = servingHost();
    host.folders.add(KEPT);
    await bring(host);
    expect(host.calls.filter((call) => call.startsWith('cp '))).toEqual([]);
    expect(host.links.get(OWN)).toBe(KEPT);
  });

  it('is refused below a link of the artifact, which could lead anywhere', async () => {
    const host = servingHost();
    host.links.set('/srv/shop/releases/.new/app/server/up', '/etc');
    host.remove = async () => {};
    await expect(bring(host)).rejects.toMatchObject({
      step: 'place',
      message: /server\/up, which is a link/,
    });
    expect(host.links.has(OWN)).toBe(false);
  });

  it('is refused where the artifact has a file', async () => {
    const host = servingHost();
    const run = host.run;
    host.run = async (program, ...args) =>
      program === 'test' && args[0] === '-d' ? { code: 1, said: '' } : run(program, ...args);
    await expect(bring(host)).rejects.toThrow('up/load is a file in the artifact');
    expect(await host.exists(`/srv/shop/releases/${OLD}/release.json`)).toBe(true);
  });

  it('may be written to, by Tomcat through its link too', () => {
    expect(unitFile(manifest, 0, 'green', 0)).toContain('\nReadWritePaths=-/var/lib/pipeline-persist/shop\n');
    expect(unitFile({ ...manifest, persist: undefined }, 0, 'green', 0)).not.toContain('ReadWritePaths');
    const tomcat = { context: '/', sessions: 'memory', servlet: null } as const;
    expect(tomcatFiles('shop', tomcat, ['a'])['tomcat/conf/context.xml']).toContain('allowLinking="true"');
    expect(tomcatFiles('shop', tomcat)['tomcat/conf/context.xml']).not.toContain('allowLinking');
  });
});
