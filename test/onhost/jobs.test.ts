/** Jobs: their timers go with the release that stays, and what became of each run is told once. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobRun } from '../../src/contract/jobs.ts';
import { jobAfterBoot, jobsAfterBoot } from '../../src/onhost/jobs/boot.ts';
import { jobEnded, jobStatuses, lastRun } from '../../src/onhost/jobs/runs.ts';
import { active, host, type Job, job, NEW_ONES, newSettle, order, TIMER, withBesides } from './besides.ts';
import { broken, type FakeHost } from './fake-host.ts';
import { carry, NEW, OLD, settle } from './orders.ts';

const JOB = 'pipeline-shop@job-nightly.service';

describe('jobs', () => {
  let at: FakeHost;
  beforeEach(async () => {
    at = host();
    await carry(order(), at);
    at.calls.length = 0;
  });
  const settleWith = (jobs: readonly Job[]) =>
    carry({ verb: 'settle', settle: withBesides(settle({ afterDeploy: null }), NEW_ONES, jobs) }, at);

  it('have a timer that starts at boot, and run in the release that stays', () => {
    expect(active(at, TIMER)).toBe(true);
    expect(at.links.get(`/etc/systemd/system/timers.target.wants/${TIMER}`)).toBe(`../${TIMER}`);
    expect(at.links.get('/srv/shop/live')).toBe(`releases/${NEW}`);
    const timer = at.files.get(`/etc/systemd/system/${TIMER}`);
    expect(timer).toContain('OnCalendar=03:00 UTC\nPersistent=true\n');
    const unit = at.files.get(`/etc/systemd/system/${JOB}`) ?? '';
    expect(unit).toContain('ExecStart=/srv/shop/live/jobs/nightly\n');
    // Its time is on the disk before it does anything.
    expect(unit).toMatch(
      /touch \S+\/nightly\.began\n.*sync \S+\/nightly\.began \S+\/stamp-pipeline-shop@job-/,
    );
  });

  it('stay as they are where nothing of them changed', async () => {
    await settleWith([job('nightly')]);
    expect(at.calls.filter((call) => call.includes('job-') || call === 'daemon-reload')).toEqual([]);
  });

  it('with another time have not missed those of today', async () => {
    const stamp = `/var/lib/systemd/timers/stamp-${TIMER}`;
    at.files.delete(stamp);
    await settleWith([job('nightly', '05:00 UTC')]);
    expect(at.files.get(stamp)).toBe('');
    expect(at.calls.filter((call) => /job-|daemon/.test(call))).toEqual([
      `stop ${TIMER}`,
      'daemon-reload',
      `start ${TIMER}`,
    ]);
  });

  it('go when the definition has them no more, and a running one is left to end', async () => {
    at.units.set(JOB, { active: 'activating', restarts: 0 });
    await settleWith([]);
    expect(active(at, TIMER)).toBe(false);
    expect(at.units.get(JOB)?.active).toBe('activating');
    expect([...at.files.keys(), ...at.links.keys()].filter((path) => path.includes('job-'))).toEqual([]);
    expect(at.links.has('/srv/shop/live')).toBe(false);
  });

  it('keep the release that one still runs in', async () => {
    at.run = async (program, ...args) => ({
      code: program === 'flock' && args.join(' ').includes(`releases/${OLD}/`) ? 1 : 0,
      said: '',
    });
    const removing = withBesides(settle({ remove: [OLD], afterDeploy: null }), NEW_ONES, [job('nightly')]);
    await carry({ verb: 'settle', settle: removing }, at);
    expect(await at.exists(`/srv/shop/releases/${OLD}`)).toBe(true);
    at.run = async () => ({ code: 0, said: '' });
    await carry({ verb: 'settle', settle: removing }, at);
    expect(await at.exists(`/srv/shop/releases/${OLD}`)).toBe(false);
  });

  it('tell what became of them: failures to the audit log, and runs by hand', async () => {
    const audit = () => at.files.get('/var/log/pipeline/audit.jsonl') ?? '';
    const began = '/var/lib/pipeline/jobs/shop/nightly.began';
    at.files.set('/srv/shop/live/release.json', JSON.stringify(newSettle().manifest));
    const [idle] = await jobStatuses('shop', at);
    expect(idle).toMatchObject({ name: 'nightly', when: '03:00 UTC', running: null, last: null });

    at.files.set(began, '');
    at.units.set(JOB, { active: 'activating', restarts: 0 });
    expect((await jobStatuses('shop', at))[0]?.running).not.toBeNull();
    await jobEnded('shop', 'nightly', { result: 'success', code: 'exited', status: '0' }, at);
    expect(audit()).not.toContain('"action":"job"');

    await jobEnded('shop', 'nightly', { result: 'exit-code', code: 'exited', status: '3' }, at);
    expect(audit()).toContain('"by":"timer","action":"job","result":"failed","app":"shop"');
    expect(audit()).toContain('"message":"nightly: exit code 3"');
    at.units.set(JOB, { active: 'failed', restarts: 0 });
    expect((await jobStatuses('shop', at))[0]).toMatchObject({
      running: null,
      last: { result: 'failed', why: 'exit code 3', by: null },
    });

    at.files.set('/var/lib/pipeline/jobs/shop/nightly.by', 'me@here\n');
    await jobEnded('shop', 'nightly', { result: 'success', code: 'exited', status: '0' }, at);
    expect(audit()).toContain('"by":"me@here","action":"job","result":"done"');
    await jobEnded('shop', 'nightly', { result: 'timeout', code: 'killed', status: 'TERM' }, at);
    expect((await jobStatuses('shop', at))[0]?.last?.why).toBe('it took too long');

    // The host went down while it ran.
    at.files.set(began, '');
    expect((await jobStatuses('shop', at))[0]?.interrupted).not.toBeNull();
  });

  const BEGAN = '/var/lib/pipeline/jobs/shop/nightly.began';
  const MARK = 'pipeline-job-failed@shop:nightly.service';
  const audited = () =>
    (at.files.get('/var/log/pipeline/audit.jsonl') ?? '').match(/the host went down while it ran/g) ?? [];
  const run = (began: string, result: JobRun['result']): JobRun => ({
    ...{ began, ended: '2026-11-29T03:00:05.000Z', result, why: 'exit code 3', by: null },
  });
  const T = '2026-11-29T03:00:00.000Z';

  it.each([
    ['ran well', { began: null, running: false, last: run(T, 'done') }, []],
    ['never ran', { began: null, running: false, last: null }, []],
    ['failed', { began: null, running: false, last: run(T, 'failed') }, ['failed']],
    ['was cut off', { began: T, running: false, last: null }, ['cut', 'failed']],
    [
      'was cut off after a good run',
      { began: T, running: false, last: run('2026-11-28T03:00:00.000Z', 'done') },
      ['cut', 'failed'],
    ],
    ['told its end, and kept its marker', { began: T, running: false, last: run(T, 'done') }, ['stale']],
    [
      'was cut off, told at an earlier boot',
      { began: T, running: false, last: run(T, 'interrupted') },
      ['stale', 'failed'],
    ],
    ['runs', { began: T, running: true, last: run('2026-11-28T03:00:00.000Z', 'failed') }, []],
  ] as const)('after a boot, one that %s', (_, traces, wanted) => {
    const said = Object.entries(jobAfterBoot(traces)).flatMap(([name, is]) => (is ? [name] : []));
    expect(said).toEqual(wanted);
  });

  it('that the host went down with are kept, told and failed, until they have run again', async () => {
    at.files.set('/srv/shop/live/release.json', JSON.stringify(newSettle().manifest));
    at.files.set(BEGAN, '');
    at.files.set('/var/lib/pipeline/jobs/shop/nightly.by', 'me@here\n');
    await jobsAfterBoot(at);
    expect(audited()).toHaveLength(1);
    expect((await jobStatuses('shop', at))[0]).toMatchObject({
      interrupted: null,
      last: { result: 'interrupted', why: 'the host went down while it ran', by: 'me@here' },
    });
    expect(at.calls).toContain(`start ${MARK}`);
    at.units.set(MARK, { active: 'failed', restarts: 0 });

    // A second boot tells of it no more, but the job has still not done its work.
    at.calls.length = 0;
    await jobsAfterBoot(at);
    expect(audited()).toHaveLength(1);
    expect(at.calls).toEqual([`start ${MARK}`]);

    await jobEnded('shop', 'nightly', { result: 'success', code: 'exited', status: '0' }, at);
    expect(at.units.get(MARK)?.active).toBe('inactive');
    at.calls.length = 0;
    await jobsAfterBoot(at);
    expect(at.calls).toEqual([]);
  });

  it('that the host went down with are told no more than once, however often it goes down', async () => {
    for (let call = 1; ; call++) {
      at = host();
      await carry(order(), at);
      at.files.set(BEGAN, '');
      const died = broken(at, call, 'kill');
      await jobsAfterBoot(died.host).catch(() => undefined);
      at.calls.length = 0;
      await jobsAfterBoot(at);
      const last = await lastRun(at, 'shop', 'nightly');
      expect(last?.result, died.count.at).toBe('interrupted');
      expect(at.files.has(BEGAN), died.count.at).toBe(false);
      expect(at.calls, died.count.at).toContain(`start ${MARK}`);
      expect(audited().length, died.count.at).toBeLessThan(2);
      if (died.count.calls < call) break;
    }
  });

  it('that are gone take their failures along', async () => {
    at.units.set(JOB, { active: 'failed', restarts: 0 });
    at.units.set(MARK, { active: 'failed', restarts: 0 });
    at.files.set(BEGAN, '');
    await settleWith([]);
    expect([JOB, MARK].map((unit) => at.units.get(unit)?.active)).toEqual(['inactive', 'inactive']);
    at.calls.length = 0;
    await jobsAfterBoot(at);
    expect(audited()).toHaveLength(1);
    expect(at.calls).toEqual([]);
  });
});
