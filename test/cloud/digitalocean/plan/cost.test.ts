/** What an environment costs is said before anything is made, changed or removed. */
import { describe, expect, it } from 'vitest';
import { machineSpec } from '../reference.ts';
import { withScene } from '../support.ts';

describe('the cost of a plan', () => {
  it('grows from nothing by what is made, stays when nothing changes, falls by what is removed', () =>
    withScene({}, async ({ provider, spec, up }) => {
      // Two droplets at $6 and one at $12, as the fake's catalogue lists them.
      const first = await provider().plan();
      expect(first.cost).toEqual({ currency: 'USD', before: 0, after: 24, change: 24 });

      await up();
      const second = await provider().plan();
      expect(second.cost).toEqual({ currency: 'USD', before: 24, after: 24, change: 0 });

      const machines = spec.machines.filter(({ name }) => name !== 'itrust');
      const third = await provider({ machines }).plan();
      expect(third.cost).toEqual({ currency: 'USD', before: 24, after: 12, change: -12 });

      const fourth = await provider({
        machines: [...machines, machineSpec('queue', { size: 's-1vcpu-512mb-10gb' })],
      }).plan();
      expect(fourth.cost).toEqual({ currency: 'USD', before: 24, after: 16, change: -8 });
    }));

  it('counts droplets that are powered off, and nobody else’s', () =>
    withScene({}, async ({ account, provider, up }) => {
      await up();
      for (const droplet of account.droplets) droplet.power = 'off';
      const [one] = account.droplets;
      if (one !== undefined) account.droplets.push({ ...structuredClone(one), id: 99, name: 'x', tags: [] });
      expect((await provider().plan()).cost).toMatchObject({ before: 24, after: 24 });
    }));

  it('has no rounding errors of floating-point numbers', () =>
    withScene({}, async ({ account, provider }) => {
      for (const size of account.catalogue.sizes) size.price_monthly = 0.1;
      expect((await provider().plan()).cost).toMatchObject({ after: 0.3, change: 0.3 });
    }));
});
