/** Orders and hosts that tests begin from. */
import type { Manifest } from '../../src/contract/manifest.ts';
import { type Colour, instanceNames, portOf, unitName } from '../../src/contract/places.ts';
import type { Placed, ReleaseEvent, ReleaseOrder, Settle, TakeOver } from '../../src/contract/release.ts';
import type { Host } from '../../src/onhost/host.ts';
import { Interrupt } from '../../src/onhost/interrupt.ts';
import { carryOut } from '../../src/onhost/release.ts';
import { FakeHost } from './fake-host.ts';

export const OLD = '20261101-000000-aaaaaaa';
export const NEW = '20261102-000000-bbbbbbb';
const HASH = 'f00d';

export function placed(release: string, colour: Colour, instances = 1): Placed {
  const manifest: Manifest = {
    app: 'shop',
    release,
    commit: null,
    ref: 'main',
    subject: '',
    at: '2026-11-02T00:00:00.000Z',
    by: 'me@here',
    artifact: HASH,
    tree: 'tree',
    runtime: 'node',
    node: '22.1.0',
    start: 'node index.js',
    directory: '.',
    instances,
    portVariable: 'PORT',
    fixedPort: null,
    memory: null,
    health: {
      method: 'GET',
      path: '/',
      headers: {},
      body: null,
      status: [],
      contains: null,
      within: 5000,
      timeout: 1000,
      consecutive: 2,
    },
    drain: 2000,
    probation: 10_000,
    hooks: { beforeCutOver: null, afterDeploy: null },
  };
  return {
    manifest,
    slot: 0,
    colour,
    instances: instanceNames(colour, instances).map((name, index) => ({
      name,
      unit: unitName('shop', name),
      unitText: `unit of ${name}`,
      address: '127.0.0.1',
      port: portOf(0, colour, index),
      network: null,
    })),
  };
}

/** A host that serves OLD in blue; the artifact of NEW has arrived. */
export function servingHost(instances = 1): FakeHost {
  const host = new FakeHost();
  host.green = 0;
  const blue = placed(OLD, 'blue', instances);
  host.folders.add(`/srv/shop/releases/${OLD}`);
  host.files.set(`/srv/shop/releases/${OLD}/release.json`, JSON.stringify(blue.manifest));
  host.files.set(`/srv/shop/releases/${OLD}/state`, 'live\n');
  host.links.set('/srv/shop/blue', `releases/${OLD}`);
  host.files.set(`/var/lib/pipeline/incoming/${HASH}`, HASH);
  host.files.set('/opt/pipeline/node/22.1.0/bin/node', 'node');
  const lines = blue.instances.map(({ unit, address, port }) => `${unit} ${address} ${port}\n`);
  host.files.set('/etc/pipeline/apps/shop/blue.instances', lines.join(''));
  for (const { unit, unitText } of blue.instances) {
    host.files.set(`/etc/systemd/system/${unit}`, unitText);
    host.units.set(unit, { active: 'active', restarts: 0 });
  }
  return host;
}

export function takeOver(more: Partial<TakeOver> = {}, instances = 1): TakeOver {
  return {
    ...placed(NEW, 'green', instances),
    old: 'blue',
    placing: {
      files: [
        { path: 'env', mode: '0600', text: 'A="1"\n' },
        {
          path: 'release.json',
          mode: '0644',
          text: JSON.stringify(placed(NEW, 'green', instances).manifest),
        },
      ],
      overlay: [{ path: 'config.json', mode: '0640', text: '{}' }],
      sameTree: null,
      nodeArchive: null,
      webapp: null,
      dependencies: null,
    },
    keepSecrets: { SESSION: 'generated' },
    site: { text: 'site', needs: null, certificate: null },
    beforeCutOver: 'npm run migrate',
    proven: false,
    ...more,
  };
}

export function settle(more: Partial<Settle> = {}, instances = 1): Settle {
  return {
    ...placed(NEW, 'green', instances),
    withdrawn: null,
    remove: [],
    site: null,
    audit: { at: 'now', by: 'me@here', action: 'deploy', result: 'live' },
    afterDeploy: 'npm run warm',
    guard: null,
    ...more,
  };
}

export function deploy(instances = 1): ReleaseOrder {
  return { verb: 'take-over', takeOver: takeOver({}, instances), settle: settle({}, instances) };
}

/** Runs an order; what became of it. */
export async function carry(order: ReleaseOrder, host: Host, interrupt = new Interrupt()) {
  const events: ReleaseEvent[] = [];
  const error = await carryOut(order, host, (event) => events.push(event), interrupt).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { events, error };
}
