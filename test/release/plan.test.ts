import { describe, expect, it } from 'vitest';
import { appSchema } from '../../src/config/schema.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import { liveSite } from '../../src/release/front/host-site.ts';
import type { AppFacts } from '../../src/release/look/facts.ts';
import { type Aim, planRelease, type ReleasePlan } from '../../src/release/plan/plan.ts';
import type { Wanted } from '../../src/release/plan/wanted.ts';
import { facts, kept, recorded } from './support.ts';

const definition = appSchema.parse({ source: 'x', hosts: ['web-1', 'web-2'], watch: '60s' });
const edge = { balancers: [] };
const { release, at, by, ...manifest } = kept('two').manifest;
const wanted: Wanted = {
  manifest: { ...manifest, tree: 'another' },
  env: {},
  overlay: {},
  dependencies: null,
  digest: 'digest of two',
};
const common = { app: 'app', by: 'me@here', definition };
const deploy = {
  ...common,
  action: 'deploy',
  wanted,
  secrets: { values: {}, kept: [] },
  now: new Date('2026-11-28T20:00:00.000Z'),
} as const;
const rollback = { ...common, action: 'rollback', release: undefined } as const;

/** The plan for hosts web-1, web-2 … that know this. */
function planFor(aim: Aim, ...known: readonly AppFacts[]): ReleasePlan {
  const hosts = known.map((one, index) => {
    const name = `web-${index + 1}`;
    const connection = recorded(name, [], () => new Error('a plan asks no host'));
    return { host: { name, connection }, facts: one, slot: one.slot ?? 0 };
  });
  return planRelease(aim, { hosts, front: { balancers: [], certificate: undefined, acme: [], edge } });
}

/** The same facts, with the site that the host should have. */
function withSite(one: AppFacts): AppFacts {
  const host = { name: 'x', connection: recorded('x', [], () => new Error('not asked')) };
  return { ...one, site: liveSite('app', definition, { host, facts: one, slot: 0 }, edge) ?? '' };
}

const both = facts({
  colours: { blue: 'one', green: 'two' },
  live: 'green',
  active: new Set(['pipeline-app@green.service']),
  releases: [kept('two'), kept('one')],
});

describe('the plan of a deploy', () => {
  it('starts the new version beside the old one, which is watched for and gone back to', () => {
    const { hosts, manifest } = planFor(deploy, facts());
    expect(manifest).toMatchObject({ release: '20261128-200000-two0000', by: 'me@here' });
    expect(hosts).toMatchObject([
      {
        takeOver: { colour: 'green', old: 'blue', proven: false, placed: { digest: 'digest of two' } },
        settle: { colour: 'green' },
        guard: { watch: 60_000, previous: { release: 'one' } },
      },
    ]);
  });

  it('gives all hosts one release, and its commands to the first alone', () => {
    const { hosts, manifest } = planFor(deploy, facts(), facts());
    expect(hosts.map(({ takeOver }) => takeOver?.manifest)).toEqual([manifest, manifest]);
    expect(hosts.map(({ takeOver, settle }) => [takeOver?.hooks, settle?.hooks])).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  it('watches nothing where nothing served before', () => {
    const none = { live: undefined, colours: {}, active: new Set<string>(), releases: [] };
    const [host] = planFor(deploy, facts(none)).hosts;
    expect(host).toMatchObject({ takeOver: { colour: 'blue', old: null }, guard: undefined });
  });

  it('sorts after every release on a host, whatever the clock here says', () => {
    const later = kept('one', 'live', { at: '2027-01-01T00:00:00.000Z' });
    expect(planFor(deploy, facts({ releases: [later] })).manifest.release).toBe('20270101-000001-two0000');
  });

  it('takes files from a release with the same ones', () => {
    const same = facts({ releases: [kept('one', 'live', { tree: 'another' })] });
    expect(planFor(deploy, same).hosts[0]?.takeOver?.placed?.sameTree).toBe('one');
  });

  it('does nothing where the version serves, and brings up only the host that lacks it', () => {
    const [first, second] = planFor(deploy, withSite(both), facts()).hosts;
    expect(first?.takeOver).toBeUndefined();
    expect(first?.settle).toBeUndefined();
    expect(second?.takeOver).toMatchObject({ colour: 'green', manifest: { release: 'two' } });
  });

  it('finishes what a killed run has left: the old version stops, and is watched for', () => {
    const units = ['pipeline-app@blue.service', 'pipeline-app@green.service'];
    const [host] = planFor(deploy, withSite({ ...both, active: new Set(units) })).hosts;
    expect(host).toMatchObject({ settle: { colour: 'green' }, guard: { previous: { release: 'one' } } });
    expect(host?.takeOver).toBeUndefined();
    expect(host?.settle?.site).toBeUndefined();
  });

  it('puts the site in place where that alone has changed', () => {
    const [host] = planFor(deploy, both).hosts;
    expect(host?.takeOver).toBeUndefined();
    const site = host?.settle?.site?.site;
    expect(site && siteConfig(site)).toContain('21016');
  });
});

describe('the plan of a rollback', () => {
  it('goes to the release of before, places nothing, runs no command and watches nothing', () => {
    const { hosts, manifest } = planFor(rollback, both, both);
    expect(manifest.release).toBe('one');
    for (const host of hosts) {
      expect(host).toMatchObject({
        takeOver: { colour: 'blue', old: 'green', proven: true, hooks: false },
        settle: { withdrawn: 'two', hooks: false },
      });
      expect(host.takeOver?.placed).toBeUndefined();
      expect(host.guard).toBeUndefined();
    }
  });

  it('leaves a host alone that has gone back by itself', () => {
    const back = withSite(facts({ releases: [kept('two', 'failed'), kept('one')] }));
    const { hosts, manifest } = planFor({ ...rollback, release: 'one' }, both, back);
    expect(manifest.release).toBe('one');
    expect(hosts.map(({ settle }) => settle !== undefined)).toEqual([true, false]);
  });
});

describe('what stands in front of the hosts', () => {
  const balancer = { name: 'lb', connection: recorded('lb', [], () => new Error('not asked')) };
  const front = (aim: Aim, site: string, noIpv6 = false) => {
    const connection = recorded('web-1', [], () => new Error('not asked'));
    const hosts = [{ host: { name: 'web-1', connection }, facts: both, slot: 0 }];
    const certificate = { kind: 'acme', domains: ['x.example'], directory: 'https://ca.example' } as const;
    const acme = [{ host: balancer, prepared: '', asked: '', issued: false }];
    const balancers = [{ host: balancer, addresses: ['10.0.0.9'], site, noIpv6 }];
    const seen = { hosts, front: { balancers, certificate, acme, edge: { balancers: ['10.0.0.9'] } } };
    return planRelease(aim, seen).front;
  };

  it('changes where its site differs, and alone there', () => {
    const { balancers, text } = front(deploy, 'another');
    expect(text).toContain('web-1:80');
    expect(balancers.map(({ host }) => host.name)).toEqual(['lb']);
  });

  it('listens on the families that its kernel has', () => {
    expect(front(deploy, '').text).toContain('listen [::]:80');
    expect(front(deploy, '', true).text).not.toContain('[::]');
  });

  it('waits for a certificate on the way forward, not on the way back', () => {
    expect(front(deploy, '').acme.map(({ host }) => host.name)).toEqual(['lb']);
    expect(front(rollback, '').acme).toEqual([]);
  });
});

describe('the plan of a restart', () => {
  const restart = { ...common, action: 'restart' } as const;

  it('starts what each host serves in its other colour, without hooks, watch or new files', () => {
    const { manifest, hosts } = planFor(restart, both, facts());
    expect(manifest.release).toBe('two');
    expect(hosts).toMatchObject([
      {
        takeOver: { manifest: { release: 'two' }, colour: 'blue', old: 'green', proven: true, hooks: false },
        settle: { colour: 'blue' },
      },
      { takeOver: { manifest: { release: 'one' }, colour: 'green', old: 'blue' } },
    ]);
    for (const { takeOver, settle, guard } of hosts) {
      expect({ placed: takeOver?.placed, withdrawn: settle?.withdrawn, guard }).toEqual({});
    }
  });

  it('goes on with what is left of the first minute', () => {
    const watched = { left: 20_000, previous: 'one' };
    expect(planFor(restart, { ...both, watched }).hosts).toMatchObject([
      { takeOver: { colour: 'blue' }, guard: { watch: 20_000, previous: { release: 'one' } } },
    ]);
    const [gone] = planFor(restart, { ...both, watched: { ...watched, previous: 'pruned' } }).hosts;
    expect(gone?.guard).toBeUndefined();
  });

  it('that was killed, and is finished by a deploy, loses nothing of the first minute', () => {
    const again = { blue: 'two', green: 'two' };
    const units = ['pipeline-app@blue.service', 'pipeline-app@green.service'];
    const watched = { left: 20_000, previous: 'one' };
    const known = { ...both, colours: again, active: new Set(units), watched };
    const [host] = planFor(deploy, withSite(known)).hosts;
    expect(host).toMatchObject({ settle: {}, guard: { watch: 20_000, previous: { release: 'one' } } });
    expect(host?.takeOver).toBeUndefined();
  });

  it('is none where nothing serves, or nothing runs', () => {
    expect(() => planFor(restart, facts({ live: undefined }))).toThrow('no live release on web-1');
    const files = facts({ releases: [kept('one', 'live', { runtime: 'static' })] });
    expect(() => planFor(restart, files)).toThrow('no processes');
  });
});
