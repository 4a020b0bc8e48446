import { describe, expect, it } from 'vitest';
import { groupTag, marksOf } from '../../../../src/cloud/digitalocean/plan/names.ts';
import type { MachineSpec } from '../../../../src/cloud/provider.ts';
import { REALISTIC_DELAYS } from '../../../fakes/digitalocean/account.ts';
import type { Exchange } from '../../../fakes/digitalocean/server.ts';
import { machineSpec } from '../reference.ts';
import { withScene } from '../support.ts';

/** `count: N` of the host `web`, as the command line names its members. */
function web(count: number): readonly MachineSpec[] {
  return count === 1
    ? [machineSpec('web')]
    : Array.from({ length: count }, (_, index) => machineSpec(`web-${index + 1}`));
}

describe('a fleet', () => {
  it('is made in batches of at most ten, each droplet guarded through its tag', () =>
    withScene({}, async ({ account, fake, spec, up }) => {
      account.delays = { ...REALISTIC_DELAYS, latency: 0 };
      const exchanges: Exchange[] = [];
      fake.onExchange((exchange) => exchanges.push(exchange));
      const machines = await up({ machines: web(25) });
      const batches = exchanges
        .filter(
          ({ call, status }) => call.method === 'POST' && call.route === '/v2/droplets' && status === 202,
        )
        .map(({ requestBody }) => (requestBody as { names: string[] }).names.length);
      expect(batches.sort()).toEqual([10, 10, 5]);
      expect(machines.map(({ name }) => name)).toEqual(web(25).map(({ name }) => name));
      expect(new Set(machines.map(({ hostKeys }) => hostKeys[0])).size).toBe(25);
      expect(account.firewalls).toHaveLength(1);
      expect(account.droplets.every(({ tags }) => tags.includes(groupTag(marksOf(spec), 'web')))).toBe(true);
    }));

  it.each([
    { from: 2, to: 4, kept: ['web-1', 'web-2'], made: ['web-3', 'web-4'], gone: [] },
    { from: 4, to: 2, kept: ['web-1', 'web-2'], made: [], gone: ['web-3', 'web-4'] },
    // The one and only is the first of several: its data stays.
    { from: 1, to: 3, kept: ['web'], made: ['web-2', 'web-3'], gone: [] },
    { from: 3, to: 1, kept: ['web-1'], made: [], gone: ['web-2', 'web-3'] },
  ])('goes from $from to $to members and keeps the others', ({ from, to, kept, made, gone }) =>
    withScene({}, async ({ account, up, provider }) => {
      await up({ machines: web(from) });
      const before = new Map(account.droplets.map(({ id, name }) => [name, id]));
      const plan = await provider({ machines: web(to) }).plan();
      const named = (action: string) =>
        plan.changes
          .filter((change) => change.step === 'droplet' && change.action === action)
          .map(({ host }) => host);
      expect(named('create')).toEqual(made);
      expect(named('remove').sort()).toEqual(gone);
      const machines = await provider({ machines: web(to) }).apply(plan);
      expect(machines.map(({ name }) => name)).toEqual(web(to).map(({ name }) => name));
      const ids = account.droplets.map(({ id }) => id);
      expect(kept.every((name) => ids.includes(before.get(name) ?? 0))).toBe(true);
      expect(ids).toHaveLength(to);
      expect((await provider({ machines: web(to) }).plan()).changes).toEqual([]);
    }),
  );

  it('loses a host that is no longer in pipeline.yml, with its firewall and tags', () =>
    withScene({}, async ({ account, spec, up, provider }) => {
      await up();
      const machines = spec.machines.slice(0, 2);
      await up({ machines });
      expect(account.droplets.map(({ name }) => name).sort()).toEqual(['checkbox', 'monitor']);
      expect(account.firewalls).toHaveLength(2);
      expect(account.tags.filter((tag) => /group:itrust$/.test(tag))).toEqual([]);
      expect((await provider({ machines }).plan()).changes).toEqual([]);
      expect((await provider({ machines }).destroy()).left).toEqual([]);
      expect(account.tags).toEqual([]);
    }));

  it('in two regions has a network in each, and addresses that reach across', () =>
    withScene({}, async ({ account, up }) => {
      const machines = await up({ machines: [machineSpec('near'), machineSpec('far', { region: 'ams3' })] });
      expect(account.vpcs.map(({ region }) => region).sort()).toEqual(['ams3', 'nyc3', 'nyc3']);
      expect(machines.every(({ address, privateAddress }) => address === privateAddress)).toBe(true);
    }));
});
