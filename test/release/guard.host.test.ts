import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { releases } from '../../src/release/index.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { startLoad } from '../support/load.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();

describe.skipIf(unavailable !== undefined)(
  `the first minute of a release (${unavailable ?? 'local'})`,
  () => {
    let at: ReleaseFixture;
    const unit = `pipeline-guard@${APP}.service`;

    beforeAll(async () => {
      at = await startReleases(['web']);
    });
    afterEach(() => at.clean());
    afterAll(() => at?.stop());

    /** What the unit is, whether it would be there after a reboot, and what it has put down. */
    async function guard(): Promise<string[]> {
      const text = await at.on(`systemctl is-active ${unit}
cd /etc/systemd/system/multi-user.target.wants && ls -d ${unit} 2>/dev/null
ls /etc/pipeline/apps/${APP}/guard 2>/dev/null; true`);
      return text.trim().split('\n');
    }
    const WATCHES = ['active', unit, 'order.json', 'previous', 'release', 'until'];
    const WENT_BACK = ['inactive', 'order.json', 'previous', 'reason', 'release', 'until'];
    const answer = () => at.ask('/').then(({ text }) => text, String);
    const history = () => releases({ config: at.config({}), app: APP, hosts: at.hosts }, at.context);
    const gone = { timeout: 40_000, interval: 500 };

    test.each([
      ['sours', 'GET /health → 500, wanted 200'],
      ['fades', 'it ended 4 times by itself (exit code 3)'],
    ])('a version that %s after its deploy is left, and the host says why', async (ref, reason) => {
      const one = await at.deploy('one');
      const load = startLoad({ url: `http://${at.addresses[0]}/`, rate: 100, keepAlive: true });
      const bad = await at.deploy(ref);
      expect(bad).toMatchObject({ changed: true, watch: 60_000 });
      expect(await guard()).toEqual(WATCHES);
      await expect.poll(answer, gone).toBe('version one 0');
      await expect.poll(guard, gone).toEqual(WENT_BACK);
      const { others, sent, ok } = await load.stop();
      // What the broken version itself answers, or does not answer while it is away; nothing else.
      expect(Object.keys(others)).toEqual([ref === 'sours' ? 'status 500' : 'status 502']);
      expect(ok).toBeGreaterThan(sent / 4);

      const said = `${reason}; went back to ${one.release}`;
      const [entry] = (await at.on('tail -n 1 /var/log/pipeline/audit.jsonl')).trim().split('\n');
      expect(JSON.parse(entry ?? '')).toMatchObject({
        action: 'deploy',
        result: 'failed',
        release: bad.release,
        by: 'tester@test',
        message: said,
      });
      expect(await at.on(`journalctl -u ${unit} -p err -o cat`)).toContain(
        `${APP} ${bad.release} failed in its first minute: ${said}`,
      );
      expect(
        (await history()).map(({ ref: name, result, reason: why, live }) => [name, result, why, live]),
      ).toEqual([
        [ref, 'failed', said, false],
        ['one', 'live', undefined, true],
      ]);
      const running = await at.on(
        `systemctl list-units --plain --no-legend --state=active 'pipeline-${APP}@*' | awk '{print $1}'
cd /etc/systemd/system/multi-user.target.wants; ls -d pipeline-${APP}@*`,
      );
      expect(running.trim().split('\n')).toEqual([
        `pipeline-${APP}@blue.service`,
        `pipeline-${APP}@blue.service`,
      ]);

      expect(await at.deploy('two')).toMatchObject({ changed: true, previous: one.release });
      expect(await guard()).toEqual(WATCHES);
      expect(await at.rollback()).toMatchObject({ release: one.release, watch: 0 });
      expect(await guard()).toEqual(['inactive']);
    });

    test('a version that is well is left alone, and nothing of the watch stays', async () => {
      await at.deploy('one', { watch: '2s' });
      expect(await guard()).toEqual(['inactive']);
      await at.deploy('two', { watch: '2s' });
      expect(await at.deploy('two', { watch: '2s' })).toMatchObject({ changed: false, watch: 0 });
      await expect.poll(guard, gone).toEqual(['inactive']);
      expect(await answer()).toBe('version two 0');
      await at.deploy('three', { watch: '0s' });
      expect(await guard()).toEqual(['inactive']);
    });

    test('neither a kill nor a power cut ends the watch', async () => {
      await at.deploy('one');
      await at.deploy('sours');
      await at.on(`kill -9 $(systemctl show --value -p MainPID ${unit})`);
      await at.powerCycle('web');
      await expect.poll(answer, gone).toBe('version one 0');
      await expect.poll(guard, gone).toEqual(WENT_BACK);
    });

    test('killed while it goes back, it finishes', async () => {
      await at.deploy('one');
      await at.deploy('sours');
      await expect.poll(guard, { ...gone, interval: 50 }).toContain('reason');
      await at.on(`systemctl kill --signal=KILL ${unit}`);
      await expect.poll(answer, gone).toBe('version one 0');
      await expect.poll(guard, gone).toEqual(WENT_BACK);
      expect((await history())[0]).toMatchObject({ ref: 'sours', result: 'failed' });
    });

    test('if the old version cannot be started either, the new one stays, and the host says so', async () => {
      await at.deploy('one');
      await at.deploy('sours', { health: { within: '2s' } });
      await at.on(`printf '#!/bin/sh\\necho lost; exit 5\\n' >/srv/${APP}/blue/start`);
      await expect.poll(guard, gone).toContain('failed');
      expect((await at.ask('/')).text).toBe('version sours 0');
      const [record] = await history();
      expect(record).toMatchObject({ ref: 'sours', live: true });
      expect(await at.on('tail -n 1 /var/log/pipeline/audit.jsonl')).toMatch(
        /could not be started: it ended \d times?/,
      );
      await delay(500);
      expect(await failureOf(at.rollback('20200101-000000-abcdef0'))).toMatchObject({ kind: 'usage' });
    });
  },
);
