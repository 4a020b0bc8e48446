/** Rollouts on a real host under what goes wrong around them: each has a defined end. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RolloutStatus } from '../../src/contract/rollout.ts';
import { followRollout, rolloutStatus, tellRollout } from '../../src/release/rollout.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';
import { startVisitors, type Visitors } from '../support/visitors.ts';

const unavailable = hostsUnavailable();
const OPTIONS = { timeout: 600_000 };

describe.skipIf(unavailable !== undefined)(`cases of a live canary (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;
  let visitors: Visitors | undefined;
  beforeAll(async () => {
    at = await startReleases(['web']);
  }, 300_000);
  afterAll(() => at?.stop());
  beforeEach(async () => {
    await visitors?.stop();
    visitors = undefined;
    await at.clean();
  });

  const host = () => {
    const [first] = at.hosts;
    if (first === undefined) throw new Error('there is a host');
    return first;
  };
  const follow = (seen: RolloutStatus[] = []) =>
    followRollout(host(), APP, at.context, (status) => seen.push(status));
  const status = () => rolloutStatus(host(), APP, at.context);
  const say = (word: 'resume' | 'promote' | 'abort') => tellRollout(host(), APP, word, at.context);
  const visit = (options: Partial<Parameters<typeof startVisitors>[0]> = {}) => {
    visitors = startVisitors({
      ...{ address: at.addresses[0] ?? '', rate: 60, visitors: 500, fresh: 0.3 },
      ...options,
    });
    return visitors;
  };
  /** Versions that some first visits meet. */
  async function met(visits = 30): Promise<readonly string[]> {
    const versions = new Set<string>();
    for (let index = 0; index < visits; index++)
      versions.add((await at.ask('/')).text.split(' ')[1] ?? 'none');
    return [...versions].sort();
  }
  /** What `otherwise` is done after so long. */
  const within = (at_most: string, otherwise: 'hold' | 'promote' | 'take back' = 'hold') => ({
    rollout: { at_most, otherwise },
  });

  test.each([
    ['hold', 'held', ['one', 'two']],
    ['promote', 'promoted', ['two']],
    ['take back', 'taken back', ['one']],
  ] as const)('nobody comes: %s when the time is up', OPTIONS, async (otherwise, phase, versions) => {
    const app = within('3s', otherwise);
    await at.deploy('one', app);
    await at.deploy('two', app, { canary: [50] });
    const last = await follow();
    expect(last?.phase).toBe(phase);
    expect(last?.events.at(-1)?.why).toBe('the evidence did not suffice in time');
    expect(await met()).toEqual(versions);
    if (phase !== 'held') return;
    // With all of its time, so it is held anew.
    await say('resume');
    expect((await follow())?.events.map(({ kind }) => kind)).toEqual(['began', 'held', 'resumed', 'held']);
    await say('abort');
    expect(await met()).toEqual(['one']);
  });

  test('traffic stops in the middle of a step: held, and harm still takes it back', OPTIONS, async () => {
    const app = within('20s');
    await at.deploy('one', app);
    await at.deploy('breaks-when-told', app, { canary: [30, 60] });
    await visit({ seconds: 5 }).ended;
    const held = await follow();
    expect(held).toMatchObject({ phase: 'held', percent: 30 });
    expect(held?.sides.candidate.requests).toBeGreaterThan(0);
    expect(await met()).toEqual(['breaks-when-told', 'one']);
    await at.on(`touch /var/lib/pipeline-apps/${APP}/break`);
    visit();
    await expect
      .poll(async () => (await status())?.phase, { timeout: 60_000, interval: 1000 })
      .toBe('taken back');
    expect(await met()).toEqual(['one']);
  });

  test('one visitor is half of the traffic, and slow: his version is not blamed', OPTIONS, async () => {
    const app = within('90s');
    await at.deploy('one', app);
    // Of 300 by a Zipf law with this exponent, the first one sends 55 % of all requests.
    const { counts } = visit({
      ...{ visitors: 300, fresh: 0, zipf: 1.9, rate: 80 },
      path: (visitor) => `/?ms=${visitor === 0 ? 80 : 3}`,
    });
    await at.deploy('two', app, { canary: [50] });
    const last = await follow();
    expect(last?.phase).toMatch(/^(held|promoted)$/);
    expect(counts).toMatchObject({ failed: 0, dropped: 0 });
  });

  test(
    'a migration: before anybody is let in, and it stays when the version goes back',
    OPTIONS,
    async () => {
      const sql = (statement: string) =>
        `mariadb --protocol=tcp -h "$MAIN_HOST" -P "$MAIN_PORT" -u "$MAIN_USER" -p"$MAIN_PASSWORD" ` +
        `"$MAIN_DATABASE" -e "${statement}"`;
      const app = (migration?: string) => ({
        databases: { main: { engine: 'mariadb' as const, name: 'people' } },
        ...(migration === undefined ? {} : { hooks: { before_cut_over: migration } }),
      });
      const add = sql("ALTER TABLE people ADD COLUMN IF NOT EXISTS mail VARCHAR(80) DEFAULT 'none'");
      const columns = async () =>
        (await at.on("mariadb -N -e 'SHOW COLUMNS FROM people' people | cut -f1")).trim().split('\n');
      await at.deploy('names', app(sql('CREATE TABLE people (name VARCHAR(80))')));
      const { counts } = visit({ rate: 20, path: (_, count) => (count % 40 === 39 ? '/people' : '/') });

      // One that fails: nobody is let in, and nothing is left.
      const failure = await failureOf(
        at.deploy('mails', app('echo "no such table"; exit 4'), { canary: [50] }),
      );
      expect(failure).toMatchObject({ step: 'before_cut_over', output: ['no such table'] });
      expect(await status()).toBeUndefined();
      expect((await at.ask('/')).text).toBe('version names 0');

      // The old version goes on with what the new one needs.
      const { rollout, release } = await at.deploy('mails', app(add), { canary: [50] });
      expect(rollout).toBeDefined();
      expect(await columns()).toEqual(['name', 'mail']);
      expect(await at.on(`ls /var/lib/pipeline/backups/${APP}/main`)).toContain(`before-${release}`);
      await expect.poll(met, { timeout: 20_000 }).toEqual(['mails', 'names']);
      await delay(5000);
      await say('abort');
      await follow();
      expect(await met()).toEqual(['names']);
      expect((await at.ask('/people')).text).toMatch(/^version names \d+/);
      expect(await columns()).toEqual(['name', 'mail']);

      // The next one migrates again, which finds nothing to do.
      await at.deploy('mails', app(add), { canary: [50] });
      await say('promote');
      await follow();
      expect((await at.ask('/people')).text).toMatch(/^version mails \d+/);
      await visitors?.stop();
      expect(counts).toMatchObject({ failed: 0, dropped: 0 });
    },
  );

  test('a full disk and reopened logs: it goes back all the same', OPTIONS, async () => {
    await at.deploy('one');
    await at.deploy('broken-elsewhere', {}, { canary: [20] });
    await expect.poll(async () => (await status())?.percent, { timeout: 20_000 }).toBe(20);
    const folders = ['/var/lib/pipeline', `/etc/pipeline/apps/${APP}/rollout`];
    for (const folder of folders) {
      await at.on(`cp -a ${folder} /run/full && mount -t tmpfs -o size=2m tmpfs ${folder} &&
cp -a /run/full/. ${folder}/ && rm -rf /run/full
dd if=/dev/zero of=${folder}/full bs=4k 2>/dev/null; ! echo x >${folder}/more || exit 1`);
    }
    await at.on('nginx -s reopen');
    const { counts } = visit();
    await expect
      .poll(async () => (await status())?.phase, { timeout: 60_000, interval: 1000 })
      .toBe('taken back');
    expect(await met()).toEqual(['one']);
    const { failed } = counts;
    await delay(5000);
    // systemd tries again and again to end it; nobody is let in meanwhile.
    expect(counts.failed).toBe(failed);
    for (const folder of folders) await at.on(`umount -l ${folder}`);
    await expect
      .poll(() => at.on(`ls -d /etc/pipeline/apps/${APP}/rollout 2>/dev/null; true`), { timeout: 60_000 })
      .toBe('');
    expect(await met()).toEqual(['one']);
    expect(counts.dropped).toBe(0);
  });

  test(
    'ten thousand new visitors a second: memory is bounded, and it still hears people',
    OPTIONS,
    async () => {
      await at.deploy('one');
      await at.deploy('two', {}, { canary: [40] });
      await expect.poll(async () => (await status())?.percent, { timeout: 20_000 }).toBe(40);
      // As nginx would tell of them, for half a minute.
      const seconds = 30;
      const flood = at.on(`log=/run/pipeline/proxy/${APP}/split/requests
for second in $(seq ${seconds}); do
  awk -v second=$second 'BEGIN { for (i = 0; i < 10000; i++) {
    side = i % 5 < 2 ? "candidate" : "baseline"
    printf "{\\"msec\\":1,\\"side\\":\\"%s\\",\\"how\\":\\"new\\",\\"status\\":200,\\"time\\":0.02," \\
      "\\"upstream_status\\":\\"200\\",\\"key\\":\\"%08x%08x\\"}\\n", side, second, i } }' >>$log
  sleep 0.9
done`);
      const unit = `pipeline-rollout@${APP}.service`;
      const memory = async () =>
        Number(await at.on(`ps -o rss= -p "$(systemctl show -P MainPID ${unit})"`)) / 1000;
      let most = 0;
      for (let done = false; !done; ) {
        done = await Promise.race([flood.then(() => true), delay(3000).then(() => false)]);
        most = Math.max(most, await memory());
      }
      await expect
        .poll(async () => (await status())?.sides.baseline.requests, { timeout: 30_000 })
        .toBeGreaterThanOrEqual(seconds * 6000);
      expect(most).toBeGreaterThan(20);
      expect(most).toBeLessThan(128);
      await say('abort');
      expect(await met()).toEqual(['one']);
    },
  );
});
