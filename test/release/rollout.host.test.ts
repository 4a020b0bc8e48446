/** The live canary on a real host, under traffic of visitors who come back. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RolloutStatus } from '../../src/contract/rollout.ts';
import { followRollout, rolloutStatus, tellRollout } from '../../src/release/rollout.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';
import { startVisitors, type VisitorCounts, type VisitorOptions } from '../support/visitors.ts';

const unavailable = hostsUnavailable();
const STEPS = [5, 25, 50];

describe.skipIf(unavailable !== undefined)(`a live canary on a real host (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;
  beforeAll(async () => {
    at = await startReleases(['web']);
  }, 300_000);
  afterAll(() => at?.stop());
  beforeEach(() => at.clean());

  const host = () => {
    const [first] = at.hosts;
    if (first === undefined) throw new Error('there is a host');
    return first;
  };
  const follow = (seen: RolloutStatus[] = []) =>
    followRollout(host(), APP, at.context, (status) => seen.push(status));
  const status = () => rolloutStatus(host(), APP, at.context);

  /** Runs `work` while visitors come; what they met. */
  async function visited(
    work: () => Promise<void>,
    options: Partial<VisitorOptions> = {},
  ): Promise<VisitorCounts> {
    const visitors = startVisitors({ address: at.addresses[0] ?? '', rate: 100, visitors: 2000, ...options });
    try {
      await work();
    } finally {
      await visitors.stop();
    }
    return visitors.counts;
  }

  /** Everything of a rollout is gone. */
  async function expectNothingLeft(colour: string): Promise<void> {
    const left =
      await at.on(`ls -d /etc/pipeline/apps/${APP}/rollout /run/pipeline/proxy/${APP}/split 2>/dev/null
ls /etc/systemd/system/multi-user.target.wants | grep pipeline-rollout
grep -c split_clients.*key /etc/nginx/pipeline/sites/${APP}.conf
systemctl list-units --plain --no-legend 'pipeline-${APP}@*' | cut -d' ' -f1; true`);
    expect(left.trim().split('\n')).toEqual(['0', `pipeline-${APP}@${colour}.service`]);
  }

  test('a good version is promoted: nothing dropped, each visitor changes once', {
    timeout: 900_000,
  }, async () => {
    await at.deploy('one');
    const seen: RolloutStatus[] = [];
    const counts = await visited(async () => {
      const result = await at.deploy('two', {}, { canary: STEPS });
      expect(result.rollout).toBeDefined();
      expect((await follow(seen))?.phase).toBe('promoted');
      await delay(1000);
    });
    expect(counts).toMatchObject({ dropped: 0, failed: 0 });
    expect([...counts.changes.keys()]).toEqual(['one two']);
    const steps = seen.at(-1)?.events.map(({ kind, percent }) => `${kind} ${percent}`);
    expect(steps).toEqual(['began 5', 'step 25', 'step 50', 'promoted 100']);
    expect((await at.ask('/')).text).toBe('version two 0');
    await expectNothingLeft('green');
  });

  test('a version that fails is taken back at once, and few saw it', { timeout: 300_000 }, async () => {
    await at.deploy('one');
    const counts = await visited(async () => {
      await at.deploy('broken-elsewhere', {}, { canary: STEPS });
      const last = await follow();
      expect(last?.phase).toBe('taken back');
      expect(last?.events.at(-1)?.why).toMatch(/errors \(5xx\): the evidence of harm is worth \d+ to 1/);
    });
    expect(counts.dropped).toBe(0);
    expect(counts.failed).toBeLessThan(60);
    expect((await at.ask('/')).text).toBe('version one 0');
    await expectNothingLeft('blue');
    expect((await failureOf(tellRollout(host(), APP, 'pause', at.context))).message).toContain('no rollout');
    expect((await status())?.phase).toBe('taken back');
  });
});
