/** Processes beside the web one, and timed jobs, on a real host. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { appStatus } from '../../src/release/index.ts';
import { jobLog, listJobs, runJob } from '../../src/release/jobs/jobs.ts';
import { bundleProgram } from '../support/bundle.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, CACHE, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();
const STATE = `/var/lib/pipeline-apps/${APP}`;

describe.skipIf(unavailable !== undefined)(`processes and jobs (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;
  let program: ReturnType<typeof bundleProgram>;

  beforeAll(async () => {
    at = await startReleases(['web']);
    program = bundleProgram(join(import.meta.dirname, '../support/deploy-program.ts'));
  });
  afterEach(async () => {
    await at.clean();
    await at.on(`rm -rf ${STATE}/*`);
  });
  afterAll(async () => {
    program?.remove();
    await at?.stop();
  });

  const worker = { run: 'node worker.js', exclusive: true } as const;
  const withWorker = { watch: '0s', processes: { worker } } as const;

  async function running(): Promise<readonly string[]> {
    const units = await at.on(
      `systemctl list-units --plain --no-legend --state=active,activating 'pipeline-${APP}@*.service' |
  awk '{print $1}'`,
    );
    return units
      .trim()
      .split('\n')
      .map((unit) => unit.replace(/^.*@|\.service$/g, ''))
      .sort();
  }

  /** What the worker did, in order; the last entry's version is at work. */
  async function done(): Promise<readonly { readonly item: number; readonly version: string }[]> {
    const text = await at.on(`cat ${STATE}/done 2>/dev/null || true`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [item, version = ''] = line.split(' ');
        return { item: Number(item), version };
      });
  }

  /** Until the worker of a version has finished an item; every one was done once so far. */
  async function expectWorkBy(version: string): Promise<void> {
    await expect.poll(async () => (await done()).at(-1)?.version, { timeout: 15_000 }).toBe(version);
    const items = (await done()).map(({ item }) => item);
    expect(items).toEqual(items.map((_, index) => index + 1));
  }

  test('a worker changes over with its release, and does each item once', async () => {
    await at.deploy('one', withWorker);
    await expectWorkBy('one');
    expect(await running()).toEqual(['blue', 'blue-worker']);
    const env = await at.on(
      `tr '\\0' '\\n' <"/proc/$(systemctl show -p MainPID --value 'pipeline-${APP}@blue-worker')/environ"`,
    );
    expect(env).toContain('NODE_ENV=production');
    expect(env).not.toMatch(/^PORT=/m);

    await at.deploy('two', withWorker);
    expect(await running()).toEqual(['green', 'green-worker']);
    await expectWorkBy('two');

    // Its web process is not well: the worker of before never stopped.
    await failureOf(at.deploy('broken', { ...withWorker, health: { within: '2s' } }));
    expect(await running()).toEqual(['green', 'green-worker']);

    // Its worker ends at once, after the old one has ended for it: that one is back.
    const dying = { run: `node -e "console.error('no queue'); process.exit(4)"`, exclusive: true };
    const failure = await failureOf(at.deploy('three', { watch: '0s', processes: { worker: dying } }));
    expect(failure).toMatchObject({ kind: 'host', exitCode: 3, step: 'processes' });
    expect(failure.message).toMatch(
      /was healthy, but not its processes: worker ended by itself \(exit code 4\)/,
    );
    expect(failure.output).toContain('no queue');
    expect((await at.ask('/')).text).toBe('version two 0');
    expect(await running()).toEqual(['green', 'green-worker']);
    const before = (await done()).length;
    await expect.poll(async () => (await done()).length, { timeout: 10_000 }).toBeGreaterThan(before);
    await expectWorkBy('two');

    const back = await at.rollback(undefined, withWorker);
    expect(back).toMatchObject({ ref: 'one', changed: true });
    await expectWorkBy('one');
    expect(await running()).toEqual(['blue', 'blue-worker']);
    expect(await at.deploy('one', withWorker)).toMatchObject({ changed: false });

    // Stopped by somebody, the same deploy starts it again.
    const status = async () =>
      at.hosts[0] === undefined ? [] : appStatus(at.hosts[0].connection, at.context);
    expect(await status()).toMatchObject([{ healthy: true }]);
    await at.on(`systemctl stop pipeline-${APP}@blue-worker`);
    expect(await status()).toMatchObject([
      { healthy: false, reason: expect.stringContaining('@blue-worker is inactive') },
    ]);
    expect(await at.deploy('one', withWorker)).toMatchObject({ changed: true });
    expect(await running()).toEqual(['blue', 'blue-worker']);

    await at.reboot('web');
    expect(await running()).toEqual(['blue', 'blue-worker']);

    // Taken out of the definition, it goes with the next deploy.
    await at.deploy('two', { watch: '0s' });
    expect(await running()).toEqual(['green']);
  });

  test('a host goes back by itself where a process keeps ending in the first minute', async () => {
    await at.deploy('one', { ...withWorker, watch: '60s' });
    const fading = { run: `node -e "setTimeout(() => process.exit(5), 2600)"`, exclusive: true };
    await at.deploy('two', { watch: '60s', processes: { worker: fading } });
    expect((await at.ask('/')).text).toBe('version two 0');
    await expect.poll(async () => (await at.ask('/')).text, { timeout: 45_000 }).toBe('version one 0');
    await expect.poll(running, { timeout: 10_000 }).toEqual(['blue', 'blue-worker']);
    expect(await at.on('cat /var/log/pipeline/audit.jsonl')).toMatch(/worker ended \d times by itself/);
  });

  test.each(['processes started', 'switch done', 'drain started'])(
    'killed at "%s": the same command again leaves one version with its worker, each item done once',
    async (moment) => {
      await at.deploy('one', withWorker);
      await expectWorkBy('one');
      const file = join(at.folder, 'deploy-processes.json');
      const targets = at.hosts.map(({ connection }) => connection.target);
      const env = { ...process.env, XDG_CACHE_HOME: CACHE };
      const given = { config: at.config(withWorker), app: APP, ref: 'two', targets, env };
      writeFileSync(file, JSON.stringify(given));
      const child = spawn(process.execPath, [program.path, file], { stdio: ['ignore', 'pipe', 'inherit'] });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { stage, state } = JSON.parse(line);
        if (`${stage} ${state}` === moment) child.kill('SIGKILL');
      });
      await new Promise<void>((resolve) => child.on('close', () => resolve()));
      await at.deploy('two', withWorker);
      const colour = (await running()).includes('green') ? 'green' : 'blue';
      expect(await running()).toEqual([colour, `${colour}-worker`]);
      await expectWorkBy('two');
    },
  );

  /** When a job ran, in seconds since 1970. */
  async function ran(): Promise<readonly number[]> {
    const text = await at.on(`cat ${STATE}/ran 2>/dev/null || true`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  }

  test('a job runs once for each of its times, over deploys and a rollback', async () => {
    const jobs = { tick: { run: 'date +%s >>"$HOME/ran"', every: '5s' } };
    await at.deploy('one', { watch: '0s', jobs });
    await expect.poll(async () => (await ran()).length, { timeout: 15_000 }).toBeGreaterThan(0);
    await at.deploy('two', { watch: '0s', jobs });
    await at.deploy('three', { watch: '0s', jobs });
    await at.rollback(undefined, { watch: '0s', jobs });
    await expect.poll(async () => (await ran()).length, { timeout: 20_000 }).toBeGreaterThan(2);
    const slots = (await ran()).map((second) => Math.floor(second / 5));
    expect(slots).toEqual(slots.map((_, index) => (slots[0] ?? 0) + index));

    // Out of the definition, it goes; back to a release that has it, it is there again.
    await at.deploy('four', { watch: '0s' });
    expect((await at.on(`ls /etc/systemd/system | grep -c @job- || true`)).trim()).toBe('0');
    const left = (await ran()).length;
    await delay(6_000);
    expect((await ran()).length).toBe(left);
    await at.rollback(undefined, { watch: '0s', jobs });
    await expect.poll(async () => (await ran()).length, { timeout: 15_000 }).toBeGreaterThan(left);
  });

  test('a job is run by hand: its output, its end, and its log', async () => {
    const [host] = at.hosts;
    if (host === undefined) throw new Error('no host');
    const jobs = {
      report: { run: 'node -e "console.log(process.cwd()); console.log(process.env.NODE_ENV)"', at: '03:00' },
      fails: { run: `node -e "console.error('no paper'); process.exit(3)"`, at: 'daily' },
      slow: { run: 'sleep 60', at: 'daily', timeout: '2s' },
      long: { run: 'sleep 4; cat public/index.html', at: 'daily' },
    };
    const { release } = await at.deploy('one', { watch: '0s', jobs });
    const list = await listJobs(host, APP, at.context);
    expect(list).toMatchObject([
      { name: 'report', when: '03:00 UTC', running: null, interrupted: null, last: null },
      { name: 'fails' },
      { name: 'slow' },
      { name: 'long' },
    ]);
    expect(list[0]?.next).toMatch(/T03:00:00\.000Z$/);

    const lines: string[] = [];
    const ended = await runJob(host, APP, 'report', at.context, (line) => lines.push(line));
    expect(lines).toEqual([`/srv/${APP}/releases/${release}/app`, 'production']);
    expect(ended).toMatchObject({ result: 'done', why: 'exit code 0' });
    expect(ended.by).toBeTruthy();

    const failure = await failureOf(runJob(host, APP, 'fails', at.context, () => {}));
    expect(failure).toMatchObject({ kind: 'host', exitCode: 3, output: ['no paper'] });
    expect(failure.message).toBe(`web: fails of ${APP} failed: exit code 3`);
    expect(await at.on('cat /var/log/pipeline/audit.jsonl')).toContain('"message":"fails: exit code 3"');
    expect((await at.on(`systemctl is-failed pipeline-${APP}@job-fails || true`)).trim()).toBe('failed');
    expect((await jobLog(host, APP, 'fails', at.context)).join('\n')).toContain('no paper');
    expect((await failureOf(runJob(host, APP, 'slow', at.context, () => {}))).message).toMatch(/too long/);
    const unknown = await failureOf(runJob(host, APP, 'reports', at.context, () => {}));
    expect(unknown).toMatchObject({ kind: 'usage', next: 'Did you mean report?' });

    // One that runs is not ended by a deploy, and ends in the version that it began in.
    const said: string[] = [];
    const long = runJob(host, APP, 'long', at.context, (line) => said.push(line));
    await expect
      .poll(() => at.on(`systemctl show -p ActiveState --value pipeline-${APP}@job-long`))
      .toMatch(/activating/);
    await at.deploy('two', { watch: '0s', jobs });
    expect((await long).result).toBe('done');
    expect(said).toEqual(['<h1>one</h1>']);
    said.length = 0;
    await runJob(host, APP, 'long', at.context, (line) => said.push(line));
    expect(said).toEqual(['<h1>two</h1>']);
  });

  test.each(['a reboot', 'a power cut'])('a job that %s ends alerts, and is not run again', async (how) => {
    const [host] = at.hosts;
    if (host === undefined) throw new Error('no host');
    const mark = `pipeline-job-failed@${APP}:long.service`;
    const failed = async () => (await at.on('systemctl --failed --plain --no-legend')).includes(mark);
    const time = new Date(Date.now() + 20_000);
    const run = 'date +%s >>"$HOME/ran"; sync; test -e "$HOME/short" || sleep 600';
    const jobs = { long: { run, at: time.toISOString().slice(11, 19) } };
    await at.deploy('one', { watch: '0s', jobs });
    await expect.poll(async () => (await ran()).length, { timeout: 30_000 }).toBe(1);
    if (how === 'a reboot') await at.reboot('web');
    else await at.powerCycle('web');
    await expect.poll(failed, { timeout: 20_000 }).toBe(true);
    const result = how === 'a reboot' ? 'failed' : 'interrupted';
    expect(await listJobs(host, APP, at.context)).toMatchObject([
      { running: null, interrupted: null, last: { result, by: null } },
    ]);
    const told = (await at.on('cat /var/log/pipeline/audit.jsonl')).split('\n');
    expect(told.filter((line) => line.includes('"action":"job"'))).toHaveLength(1);
    await delay(3_000);
    expect(await ran()).toHaveLength(1);

    // It alerts over another reboot, until it has done its work.
    await at.reboot('web');
    await expect.poll(failed, { timeout: 20_000 }).toBe(true);
    await at.on(`touch ${STATE}/short`);
    expect((await runJob(host, APP, 'long', at.context, () => {})).result).toBe('done');
    expect(await failed()).toBe(false);
    await at.reboot('web');
    await delay(2_000);
    expect(await failed()).toBe(false);
    expect(await ran()).toHaveLength(2);
  });

  test('a job that was missed while the host was down is caught up once', async () => {
    const time = new Date(Date.now() + 25_000);
    const jobs = { once: { run: 'date +%s >>"$HOME/ran"', at: time.toISOString().slice(11, 19) } };
    await at.deploy('one', { watch: '0s', jobs });
    await at.powerOff('web');
    await delay(Math.max(0, time.getTime() + 1_000 - Date.now()));
    await at.powerOn();
    await expect.poll(async () => (await ran()).length, { timeout: 20_000 }).toBe(1);
    expect((await ran())[0]).toBeGreaterThan(time.getTime() / 1000);
    await at.reboot('web');
    await delay(2_000);
    expect((await ran()).length).toBe(1);
  });
});
