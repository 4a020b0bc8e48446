/**
 * An account that lags behind: things that exist and are not listed yet, effects that come after the answer
 * was given up.
 */
import { describe, expect, it } from 'vitest';
import { marksOf } from '../../../../src/cloud/digitalocean/plan/names.ts';
import { NO_DELAYS } from '../../../fakes/digitalocean/account.ts';
import { callName } from '../../../fakes/digitalocean/faults.ts';
import { expectConverged, expectGone } from '../outcome.ts';
import { withScene } from '../support.ts';

const POST = 'POST /v2/droplets#1';

describe('a creation whose answer is lost', () => {
  it.each([
    { title: 'and whose droplet is listed soon', visible: 3_000 },
    { title: 'and whose droplet is listed only after it was made a second time', visible: 40_000 },
  ])('$title leaves one droplet of each name', ({ visible }) =>
    withScene({}, async (scene) => {
      scene.account.delays = { ...NO_DELAYS, visible };
      scene.fake.fail((call) =>
        callName(call) === POST ? { kind: 'status', status: 500, effect: true } : undefined,
      );
      await expectConverged(scene, marksOf(scene.spec), await scene.up());
    }),
  );

  it('and that takes effect after it was made a second time leaves one droplet of each name', () =>
    withScene({}, async (scene) => {
      const provider = scene.provider({}, { timeoutMs: 300 });
      scene.account.delays = { ...NO_DELAYS, boot: 120_000 };
      // 90 s of the fake's clock: longer than the time-out (60 s) and all looks together (11 s), shorter
      // than the second one's boot.
      scene.fake.fail((call) =>
        callName(call) === POST ? { kind: 'late', effect: false, afterMs: 90_000 } : undefined,
      );
      const machines = await provider.apply(await provider.plan());
      await expectConverged(scene, marksOf(scene.spec), machines);
    }));

  it('and that takes effect after everything was over: the next run removes what was never used', () =>
    withScene({}, async (scene) => {
      const provider = scene.provider({}, { timeoutMs: 300 });
      scene.fake.fail((call) =>
        callName(call) === POST ? { kind: 'late', effect: false, afterMs: 600_000 } : undefined,
      );
      await provider.apply(await provider.plan());
      await until(() => scene.account.droplets.length === 4);
      const plan = await scene.provider().plan();
      expect(plan.changes).toMatchObject([
        { step: 'droplet', action: 'remove', detail: [expect.stringMatching(/second one.*never used/)] },
      ]);
      await expectConverged(scene, marksOf(scene.spec), await scene.provider().apply(plan));
    }));
});

describe('something that was just made and is not known everywhere yet', () => {
  it.each([
    'POST /v2/tags/:name/resources#1',
    'POST /v2/firewalls#1',
    'POST /v2/droplets#1',
    'GET /v2/droplets/:id/firewalls#1',
    'GET /v2/vpcs/:id/members#1',
  ])('%s is tried again', (call) =>
    withScene({}, async (scene) => {
      scene.fake.fail((one) =>
        callName(one) === call ? { kind: 'status', status: 404, effect: false } : undefined,
      );
      await expectConverged(scene, marksOf(scene.spec), await scene.up());
    }),
  );

  it('DELETE /v2/droplets/:id#1 is tried again until the droplet is gone', () =>
    withScene({}, async (scene) => {
      await scene.up();
      const call = 'DELETE /v2/droplets/:id#1';
      scene.fake.fail((one) =>
        callName(one) === call ? { kind: 'status', status: 404, effect: false } : undefined,
      );
      await scene.provider().destroy();
      expectGone(scene, marksOf(scene.spec));
    }));
});

describe('a droplet that DigitalOcean gives up making', () => {
  it('is told after a minute, and made by the next run', () =>
    withScene({}, async (scene) => {
      const { account } = scene;
      account.delays = { ...NO_DELAYS, boot: 400_000 };
      const running = scene.up();
      running.catch(() => {});
      await until(() => scene.events.some(({ detail }) => detail === 'new'));
      account.droplets = account.droplets.filter(({ name }) => name !== 'itrust');
      await expect(running).rejects.toMatchObject({
        kind: 'cloud',
        host: 'itrust',
        next: expect.stringMatching(/Run the command again/),
      });
      account.delays = NO_DELAYS;
      for (const droplet of account.droplets) Object.assign(droplet, { activeAt: 0, busyUntil: 0 });
      await expectConverged(scene, marksOf(scene.spec), await scene.up());
    }));
});

describe('droplets that are not listed yet', () => {
  it('are not made again by a second run right after a crash', () =>
    withScene({}, async (scene) => {
      scene.account.delays = { ...NO_DELAYS, visible: 20_000 };
      const dead = 'GET /v2/droplets#3';
      scene.fake.fail((call) =>
        callName(call) === dead ? { kind: 'status', status: 401, effect: false } : undefined,
      );
      await expect(scene.up()).rejects.toMatchObject({ kind: 'usage' });
      expect(scene.account.droplets).toHaveLength(3);
      scene.fake.fail(undefined);
      await expectConverged(scene, marksOf(scene.spec), await scene.up());
      expect(scene.account.nextId).toBeLessThan(500_000_020);
    }));

  it('keep destroy going until they can be seen and removed', () =>
    withScene({}, async (scene) => {
      await scene.up();
      for (const droplet of scene.account.droplets) droplet.visibleAt = scene.fake.now() + 15_000;
      await scene.provider().destroy();
      expectGone(scene, marksOf(scene.spec));
    }));
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
