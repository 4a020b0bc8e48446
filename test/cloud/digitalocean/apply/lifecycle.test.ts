import { describe, expect, it } from 'vitest';
import { REALISTIC_DELAYS } from '../../../fakes/digitalocean/account.ts';
import { withScene, writes } from '../support.ts';

describe('an environment on DigitalOcean', () => {
  it('comes, is found unchanged by a second run without a write, and goes without a trace', () =>
    withScene({}, async ({ fake, account, up, provider }) => {
      account.delays = { ...REALISTIC_DELAYS, latency: 0 };
      const before = structuredClone({ vpcs: account.vpcs });
      const machines = await up();
      expect(machines.map(({ name, state }) => `${name} ${state}`)).toEqual([
        'monitor running',
        'checkbox running',
        'itrust running',
      ]);
      expect(account.droplets.map(({ name }) => name).sort()).toEqual(['checkbox', 'itrust', 'monitor']);
      expect(account.keys).toHaveLength(1);
      expect(account.vpcs).toHaveLength(2);
      expect(account.firewalls.map(({ name }) => name)).toHaveLength(3);
      expect(account.tags.filter((tag) => tag.includes(':new-key:'))).toEqual([]);

      fake.fail(undefined);
      const plan = await provider().plan();
      expect(plan.changes).toEqual([]);
      expect(plan.warnings).toEqual([]);
      expect(await provider().apply(plan)).toEqual(machines);
      expect(writes(fake)).toEqual([]);

      const destroyed = await provider().destroy();
      expect(destroyed.left).toEqual([]);
      expect(account).toMatchObject({ droplets: [], firewalls: [], keys: [], tags: [], ...before });
      expect(destroyed.removed.filter((thing) => thing.startsWith('droplet')).sort()).toEqual(
        machines.map(({ name, address }) => `droplet ${name} (${address})`).sort(),
      );
    }));
});
