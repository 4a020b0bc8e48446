import { describe, expect, it } from 'vitest';
import { marksOf } from '../../../../src/cloud/digitalocean/plan/names.ts';
import { generateEd25519, md5Fingerprint } from '../../../../src/cloud/ed25519.ts';
import { expectConverged, expectGone } from '../outcome.ts';
import { withScene } from '../support.ts';
import { addForeignDroplet, addForeignThings, foreignThings } from './foreign.ts';

describe('what is not ours', () => {
  it('is untouched by up and destroy, and named with the reason', () =>
    withScene({}, async (scene) => {
      const { account, spec, provider } = scene;
      const marks = marksOf(spec);
      addForeignThings(account, marks);
      const before = foreignThings(account, marks);
      const plan = await provider().plan();
      expect(plan.warnings).toEqual([
        expect.stringMatching(/^Another droplet of the account is called monitor too/),
        expect.stringMatching(/^The droplet checkbox .* without our owner mark/),
      ]);
      await expectConverged(scene, marks, await provider().apply(plan));
      expect(foreignThings(account, marks)).toEqual(before);
      const { left } = await provider().destroy();
      expectGone(scene, marks);
      expect(foreignThings(account, marks)).toEqual(before);
      expect(left).toEqual([
        expect.stringMatching(/^droplet monitor .*not our tags/),
        expect.stringMatching(/^droplet checkbox .*not our owner mark/),
        expect.stringMatching(/^firewall .*monitor .*does not guard our droplets/),
        expect.stringMatching(/^network .*nyc3 .*not described as ours/),
        expect.stringMatching(/^key .*is another key/),
        expect.stringMatching(/^tag pipeline:shop:prod: other things/),
      ]);
    }));

  it('stays also where it carries copies of all our tags but the owner mark', () =>
    withScene({}, async (scene) => {
      const { account, spec, provider } = scene;
      const marks = marksOf(spec);
      await scene.up();
      const [ours] = account.droplets;
      const tags =
        ours?.tags.map((tag) => (tag === marks.owner ? `${marks.environment}:owner:somebody-else` : tag)) ??
        [];
      const copy = addForeignDroplet(account, { name: ours?.name ?? '', tags });
      const before = structuredClone(copy);
      await scene.up();
      expect(copy).toEqual(before);
      const { left } = await provider().destroy();
      expect(account.droplets).toEqual([before]);
      expect(left.filter((line) => line.startsWith('tag ')).length).toBeGreaterThan(0);
    }));

  it('keeps a network of ours alive while it is in it', () =>
    withScene({}, async ({ account, spec, up, provider }) => {
      await up();
      const vpc = account.vpcs.find(({ description }) => description === marksOf(spec).description);
      addForeignDroplet(account, { name: 'guest', tags: [] }).vpc = vpc?.id ?? '';
      const { left, removed } = await provider().destroy();
      expect(left).toEqual([`network ${vpc?.name}: not ours and in it: guest`]);
      expect(removed.filter((line) => line.startsWith('droplet'))).toHaveLength(3);
      expect(account.vpcs).toContain(vpc);
    }));

  it('is told where DigitalOcean made our network the default of its region, which nobody can remove', () =>
    withScene({}, async ({ account, up, provider }) => {
      account.vpcs = [];
      await up();
      expect((await provider().destroy()).left).toEqual([
        expect.stringMatching(/it is the default network of nyc3/),
      ]);
      expect(account).toMatchObject({ droplets: [], firewalls: [], keys: [], tags: [] });
    }));

  it('includes our key where somebody registered it under another name', () =>
    withScene({}, async ({ account, spec, provider, directory }) => {
      const { operatorKey } = await import('../../../../src/cloud/operator-key.ts');
      const { publicKey } = await operatorKey(directory, 'prod');
      const theirs = { id: 7, fingerprint: md5Fingerprint(publicKey), publicKey, name: 'ci', visibleAt: 0 };
      account.keys.push(theirs, { ...theirs, id: 8, ...other() });
      await provider().apply(await provider().plan());
      expect(account.keys).toHaveLength(2);
      const { left } = await provider().destroy();
      expect(left).toEqual(['key ci (7): our key, but registered by somebody else']);
      expect(account.keys).toHaveLength(2);
      expect(marksOf(spec).name).toMatch(/^pipeline-shop-prod-/);
    }));
});

function other() {
  const { publicKey } = generateEd25519();
  return { publicKey, fingerprint: md5Fingerprint(publicKey), name: 'laptop' };
}
