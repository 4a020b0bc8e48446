/** What somebody changed in the web console: shown by `plan`, mended by `up` where that destroys nothing. */
import { describe, expect, it } from 'vitest';
import {
  groupTag,
  hostKeysOf,
  hostKeyTag,
  type Marks,
  marksOf,
} from '../../../../src/cloud/digitalocean/plan/names.ts';
import type { FakeAccount, FakeDroplet, FakeFirewall } from '../../../fakes/digitalocean/account.ts';
import { expectConverged } from '../outcome.ts';
import { withScene } from '../support.ts';

interface Things {
  readonly account: FakeAccount;
  readonly marks: Marks;
  readonly monitor: FakeDroplet;
  readonly firewall: FakeFirewall;
}

/** The change that the plan must show: host, step, action, one of its details. */
type Shown = readonly [host: string | null, step: string, action: string, detail: RegExp];

const MENDED: readonly [title: string, change: (things: Things) => void, shown: Shown][] = [
  [
    'a droplet is powered off',
    ({ monitor }) => Object.assign(monitor, { power: 'off' }),
    ['monitor', 'droplet', 'restart', /powered off/],
  ],
  [
    'a droplet is deleted',
    ({ account, monitor }) => {
      account.droplets = account.droplets.filter((droplet) => droplet !== monitor);
    },
    ['monitor', 'droplet', 'create', /s-1vcpu-1gb in nyc3, debian-12-x64, \$6\.00 a month/],
  ],
  [
    'a droplet is renamed',
    ({ monitor }) => Object.assign(monitor, { name: 'watcher' }),
    ['monitor', 'droplet', 'change', /rename watcher to monitor/],
  ],
  [
    "a droplet loses its group's tag, and with it its firewall",
    ({ monitor, marks }) => {
      monitor.tags = monitor.tags.filter((tag) => tag !== groupTag(marks, 'monitor'));
    },
    ['monitor', 'droplet', 'change', /\+ tag .*:group:monitor/],
  ],
  [
    "the environment's tag is deleted",
    ({ account, marks }) => {
      account.tags = account.tags.filter((tag) => tag !== marks.environment);
      for (const droplet of account.droplets)
        droplet.tags = droplet.tags.filter((tag) => tag !== marks.environment);
    },
    [null, 'tags', 'create', /pipeline:shop:prod/],
  ],
  [
    'a firewall rule is deleted',
    ({ firewall }) => {
      firewall.inbound = firewall.inbound.filter(({ ports }) => ports !== '80');
    },
    [null, 'firewall monitor', 'change', /^\+ tcp 80 from 0\.0\.0\.0\/0$/],
  ],
  [
    'a firewall rule is added',
    ({ firewall }) =>
      firewall.inbound.push({ protocol: 'tcp', ports: '3306', sources: { addresses: ['0.0.0.0/0'] } }),
    [null, 'firewall monitor', 'change', /^- tcp 3306 from 0\.0\.0\.0\/0$/],
  ],
  [
    'a firewall is deleted',
    ({ account, firewall }) => {
      account.firewalls = account.firewalls.filter((one) => one !== firewall);
    },
    [null, 'firewall monitor', 'create', /tcp 6379 from tag pipeline:shop:prod:owner/],
  ],
  [
    'the key is deleted',
    ({ account }) => {
      account.keys = [];
    },
    [null, 'key', 'create', /registered in the account/],
  ],
];

describe('drift that is mended', () => {
  it.each(MENDED)('%s', (_title, change, [host, step, action, detail]) =>
    withScene({}, async (scene) => {
      const { account, spec } = scene;
      await scene.up();
      const marks = marksOf(spec);
      const monitor = account.droplets.find(({ name }) => name === 'monitor');
      const firewall = account.firewalls.find(({ tags }) => tags.includes(groupTag(marks, 'monitor')));
      if (monitor === undefined || firewall === undefined) throw new Error('monitor is missing');
      change({ account, marks, monitor, firewall });
      const plan = await scene.provider().plan();
      expect(plan.changes).toContainEqual({
        host,
        step,
        action,
        detail: expect.arrayContaining([expect.stringMatching(detail)]),
      });
      await expectConverged(scene, marks, await scene.provider().apply(plan));
    }),
  );
});

const LEFT: readonly [title: string, change: (things: Things) => void, warning: RegExp][] = [
  [
    'a droplet is resized',
    ({ monitor }) => Object.assign(monitor, { size: 's-2vcpu-4gb' }),
    /^monitor has size s-2vcpu-4gb, pipeline\.yml says s-1vcpu-1gb/,
  ],
  [
    'a droplet is rebuilt from another image',
    ({ monitor, account }) => Object.assign(monitor, { image: account.catalogue.images[3]?.id }),
    /^monitor has image ubuntu-24-04-x64, pipeline\.yml says debian-12-x64/,
  ],
  [
    'a firewall of somebody else opens a droplet of ours',
    ({ account, marks }) => {
      account.firewalls.push({
        ...{
          id: 'c0ffee00-0000-4000-8000-000000000000',
          name: 'open-all',
          outbound: [],
          dropletIds: [],
          createdAt: 0,
          appliedAt: 0,
        },
        inbound: [{ protocol: 'tcp', ports: '0', sources: { addresses: ['0.0.0.0/0'] } }],
        tags: [groupTag(marks, 'monitor')],
      });
    },
    /^The firewall open-all .* opens ports of this environment's droplets/,
  ],
];

describe('drift that is left, with a warning', () => {
  it.each(LEFT)('%s', (_title, change, warning) =>
    withScene({}, async (scene) => {
      const { account, spec, provider } = scene;
      await scene.up();
      const marks = marksOf(spec);
      const monitor = account.droplets.find(({ name }) => name === 'monitor');
      const [firewall] = account.firewalls;
      if (monitor === undefined || firewall === undefined) throw new Error('monitor is missing');
      change({ account, marks, monitor, firewall });
      const plan = await provider().plan();
      expect(plan.changes).toEqual([]);
      expect(plan.warnings).toEqual([expect.stringMatching(warning)]);
    }),
  );
});

describe('a host key that nobody knows any more', () => {
  it('is never trusted blindly; the failure says how to read and restore it, and that works', () =>
    withScene({}, async (scene) => {
      const { account, spec, provider, fake } = scene;
      await scene.up();
      const marks = marksOf(spec);
      const monitor = account.droplets.find(({ name }) => name === 'monitor');
      if (monitor === undefined) throw new Error('monitor is missing');
      monitor.tags = monitor.tags.filter((tag) => hostKeysOf(marks, 'host', [tag]).length === 0);
      const plan = await provider().plan();
      expect(plan.changes).toMatchObject([{ host: 'monitor', step: 'host key', action: 'change' }]);
      expect((await provider().machines())[0]).toMatchObject({
        name: 'monitor',
        state: 'broken',
        hostKeys: [],
      });
      await expect(provider().apply(plan)).rejects.toMatchObject({
        kind: 'host',
        host: 'monitor',
        next: expect.stringContaining(`https://cloud.digitalocean.com/droplets/${monitor.id}/console`),
      });
      const shown = (fake.machines as unknown as { hostKey(id: number): string }).hostKey(monitor.id);
      monitor.tags.push(hostKeyTag(marks, 'host', shown));
      await expectConverged(scene, marks, await scene.up());
    }));
});
