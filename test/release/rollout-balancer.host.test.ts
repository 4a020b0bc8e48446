/**
 * A live canary on several hosts: each runs both versions, and their balancer divides the visitors and
 * decides.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  clearRollout,
  dividerOf,
  followRollout,
  rolloutStatus,
  tellRollout,
} from '../../src/release/rollout.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';
import { startVisitors, type VisitorOptions } from '../support/visitors.ts';

const unavailable = hostsUnavailable();
const SITE = { site: { balancer: 'front' } };

describe.skipIf(unavailable !== undefined)(
  `a live canary behind a balancer (${unavailable ?? 'local'})`,
  () => {
    let at: ReleaseFixture;
    beforeAll(async () => {
      at = await startReleases(['web-1', 'web-2'], 'front');
    }, 300_000);
    afterAll(() => at?.stop());
    beforeEach(() => at.clean());

    const request = () => {
      if (at.balancer === undefined) throw new Error('there is a balancer');
      return { config: at.config(SITE), app: APP, hosts: at.hosts, balancers: [at.balancer.host] };
    };
    const divider = () => dividerOf(request());
    const visit = (rules: Pick<VisitorOptions, 'rules'> = {}) =>
      startVisitors({ address: at.balancer?.address ?? '', rate: 100, visitors: 500, fresh: 0.3, ...rules });
    const running = async (host: number) =>
      (
        await at.on(`systemctl list-units --plain --no-legend 'pipeline-${APP}@*' | cut -d' ' -f1`, host)
      ).trim();

    /** Versions that some first visits meet. */
    async function met(visits: number): Promise<readonly string[]> {
      const versions = new Set<string>();
      for (let visit = 0; visit < visits; visit++) {
        const answer = await fetch(`http://${at.balancer?.address}/`, {
          signal: AbortSignal.timeout(20_000),
        });
        versions.add((await answer.text()).split(' ')[1] ?? '');
      }
      return [...versions].sort();
    }

    test('a version that fails is taken back on both, with nobody connected', {
      timeout: 300_000,
    }, async () => {
      await at.deploy('one', SITE);
      const visitors = visit();
      try {
        const result = await at.deploy('broken-elsewhere', SITE, { canary: [5, 50] });
        expect(result.rollout?.host.name).toBe('front');
        expect((await followRollout(divider(), APP, at.context, () => {}))?.phase).toBe('taken back');
        // Each host hears it at the balancer's site, and ends the version that leaves.
        for (const host of [0, 1])
          await expect.poll(() => running(host), { timeout: 30_000 }).toBe(`pipeline-${APP}@blue.service`);
      } finally {
        await visitors.stop();
      }
      expect(visitors.counts.dropped).toBe(0);
      expect(visitors.counts.failed).toBeLessThan(80);
      for (const host of [0, 1])
        await expect
          .poll(() => at.on(`ls -d /etc/pipeline/apps/${APP}/rollout 2>/dev/null; true`, host))
          .toBe('');

      // What is left on the balancer is in nobody's way.
      const { rollout } = await at.deploy('two', SITE, { canary: [50] });
      expect(rollout?.host.name).toBe('front');
      await tellRollout(divider(), APP, 'promote', at.context);
      for (const host of [0, 1])
        await expect.poll(() => running(host), { timeout: 30_000 }).toBe(`pipeline-${APP}@green.service`);
      expect(await met(20)).toEqual(['two']);
      await at.deploy('three', SITE);
      expect(await met(20)).toEqual(['three']);
      expect(await clearRollout(request(), at.context)).toBe(true);
    });

    test('a good one is promoted by a person; each visitor changes once; the next deploy clears up', {
      timeout: 300_000,
    }, async () => {
      await at.deploy('one', SITE);
      const visitors = visit();
      try {
        await at.deploy('two', SITE, { canary: [50] });
        expect(await failureOf(at.deploy('three', SITE))).toMatchObject({ kind: 'locked' });
        // Its process has yet to begin when the deploy ends.
        await expect
          .poll(() => rolloutStatus(divider(), APP, at.context), { timeout: 10_000 })
          .toMatchObject({
            phase: 'running',
            percent: 50,
          });
        await new Promise((resolve) => setTimeout(resolve, 3000));
        await tellRollout(divider(), APP, 'promote', at.context);
        await new Promise((resolve) => setTimeout(resolve, 2000));
        const result = await at.deploy('three', SITE);
        expect(result.previous).toContain('-');
      } finally {
        await visitors.stop();
      }
      expect(visitors.counts).toMatchObject({ dropped: 0, failed: 0 });
      const changes = [...visitors.counts.changes.keys()];
      expect(changes.filter((change) => /two one|one two one/.test(change))).toEqual([]);
      expect([...visitors.counts.versions.keys()].sort()).toEqual(['one', 'three', 'two']);
      for (const host of [0, 1]) expect(await running(host)).toBe(`pipeline-${APP}@blue.service`);
    });

    test('goes on over a reboot of the balancer, and over the death of a host', {
      timeout: 300_000,
    }, async () => {
      await at.deploy('one', SITE);
      await at.deploy('two', SITE, { canary: [50] });
      const status = () => rolloutStatus(divider(), APP, at.context);
      await expect.poll(status, { timeout: 10_000 }).toBeDefined();
      const before = await status();
      await at.reboot('front');
      await new Promise((resolve) => setTimeout(resolve, 3000));
      expect(await status()).toMatchObject({ id: before?.id, phase: 'running' });
      expect(await met(40)).toEqual(['one', 'two']);

      await at.powerOff('web-2');
      expect(await met(40)).toEqual(['one', 'two']);
      await tellRollout(divider(), APP, 'abort', at.context);
      expect(await met(20)).toEqual(['one']);
      await at.powerOn();
      expect(await clearRollout(request(), at.context)).toBe(true);
      for (const host of [0, 1]) expect(await running(host)).toBe(`pipeline-${APP}@blue.service`);
    });
  },
);
