/**
 * Processes beside the web one, and jobs: they change over with the visitors, exclusive ones are never there
 * twice, and what serves has all of its own after a failure or a kill at any call.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobRun } from '../../src/contract/jobs.ts';
import type { Manifest } from '../../src/contract/manifest.ts';
import type { Placed, ReleaseOrder, Settle, TakeOver } from '../../src/contract/release.ts';
import type { RolloutStatus } from '../../src/contract/rollout.ts';
import { Failure } from '../../src/errors.ts';
import { guard } from '../../src/onhost/guard.ts';
import { Interrupt, Interrupted } from '../../src/onhost/interrupt.ts';
import { jobAfterBoot, jobsAfterBoot } from '../../src/onhost/jobs/boot.ts';
import { jobEnded, jobStatuses, lastRun } from '../../src/onhost/jobs/runs.ts';
import { jobsOf } from '../../src/release/order/jobs.ts';
import { processesIn } from '../../src/release/order/processes.ts';
import { broken, type FakeHost } from './fake-host.ts';
import { carry, NEW, OLD, placed, servingHost, settle, takeOver } from './orders.ts';

const BLUE = 'pipeline-shop@blue.service';
const GREEN = 'pipeline-shop@green.service';
const OLD_WORKER = 'pipeline-shop@blue-worker.service';
const NEW_WORKER = 'pipeline-shop@green-worker.service';
const OLD_MAILER = 'pipeline-shop@blue-mailer.service';
const NEW_MAILER = 'pipeline-shop@green-mailer.service';
const NEW_PAINTER = 'pipeline-shop@green-painter.service';
const WANTED = '/etc/systemd/system/multi-user.target.wants';
const TIMER = 'pipeline-shop@job-nightly.timer';
const JOB = 'pipeline-shop@job-nightly.service';

type Process = NonNullable<Manifest['processes']>[number];
type Job = NonNullable<Manifest['jobs']>[number];

function process(name: string, more: Partial<Process> = {}): Process {
  return {
    ...{ name, run: `node ${name}.js`, instances: 1, memory: null, when: 'before', exclusive: false },
    ...{ stopSignal: 'SIGTERM', stopWithin: 30_000, ...more },
  };
}

function job(name: string, calendar = '03:00 UTC'): Job {
  return { name, run: `node ${name}.js`, calendar: [calendar], when: calendar, timeout: 60_000 };
}

function withBesides<T extends Placed>(
  order: T,
  processes: readonly Process[],
  jobs: readonly Job[] = [],
): T {
  const manifest: Manifest = { ...order.manifest, processes: [...processes], jobs: [...jobs] };
  const ordered = { processes: processesIn(manifest, order.colour), jobs: jobsOf(manifest) };
  return { ...order, manifest, ...ordered };
}

const WORKER = process('worker', { exclusive: true });
const OLD_ONES = [WORKER, process('mailer')];
const NEW_ONES = [WORKER, process('mailer'), process('painter', { when: 'after' })];

/** Serves OLD in blue, with its processes; the files of NEW have arrived. */
function host(): FakeHost {
  const made = servingHost();
  const old = withBesides(placed(OLD, 'blue'), OLD_ONES);
  made.files.set('/srv/shop/blue/release.json', JSON.stringify(old.manifest));
  for (const { unit, unitText } of old.processes ?? []) {
    made.files.set(`/etc/systemd/system/${unit}`, unitText);
    made.units.set(unit, { active: 'active', restarts: 0 });
    made.links.set(`${WANTED}/${unit}`, `../${unit}`);
  }
  return made;
}

const newTakeOver = (more: Partial<TakeOver> = {}) => withBesides(takeOver(more), NEW_ONES);
const newSettle = (more: Partial<Settle> = {}) => withBesides(settle(more), NEW_ONES, [job('nightly')]);
const order = (): ReleaseOrder => ({ verb: 'take-over', takeOver: newTakeOver(), settle: newSettle() });

function active(at: FakeHost, unit: string): boolean {
  return at.units.get(unit)?.active === 'active';
}

function enabled(at: FakeHost, unit: string): boolean {
  return at.links.has(`${WANTED}/${unit}`);
}

/** Notes a moment at which old and new version of the exclusive process run, or would after a reboot. */
function watchExclusive(at: FakeHost): { both: string[] } {
  const seen: { both: string[] } = { both: [] };
  const start = at.start;
  at.start = async (unit) => {
    const done = await start(unit);
    if (active(at, OLD_WORKER) && active(at, NEW_WORKER)) seen.both.push(`start ${unit}`);
    return done;
  };
  const link = at.link;
  at.link = async (target, path) => {
    await link(target, path);
    if (enabled(at, OLD_WORKER) && enabled(at, NEW_WORKER)) seen.both.push(`enable ${path}`);
  };
  return seen;
}

function expectWholeOld(at: FakeHost, where: string): void {
  expect(at.green, where).toBe(0);
  for (const unit of [BLUE, OLD_WORKER, OLD_MAILER]) expect(active(at, unit), `${where} ${unit}`).toBe(true);
  for (const unit of [OLD_WORKER, OLD_MAILER]) expect(enabled(at, unit), `${where} ${unit}`).toBe(true);
  for (const unit of [GREEN, NEW_WORKER, NEW_MAILER, NEW_PAINTER]) {
    expect(active(at, unit), `${where} ${unit}`).toBe(false);
    expect(enabled(at, unit), `${where} ${unit}`).toBe(false);
  }
}

function expectWholeNew(at: FakeHost, where: string): void {
  expect(at.green, where).toBe(100);
  for (const unit of [GREEN, NEW_WORKER, NEW_MAILER, NEW_PAINTER]) {
    expect(active(at, unit), `${where} ${unit}`).toBe(true);
    expect(enabled(at, unit), `${where} ${unit}`).toBe(true);
  }
  for (const unit of [BLUE, OLD_WORKER, OLD_MAILER]) {
    expect(active(at, unit), `${where} ${unit}`).toBe(false);
    expect(enabled(at, unit), `${where} ${unit}`).toBe(false);
  }
}

describe('processes of a release', () => {
  it('start before the switch or after it; the exclusive one once the old one has ended', async () => {
    const at = host();
    const seen = watchExclusive(at);
    const { error } = await carry(order(), at);
    expect(error).toBeUndefined();
    const effects = at.calls.filter((call) => /^(start|stop pipeline-shop|weights)/.test(call));
    expect(effects).toEqual([
      `start ${GREEN}`,
      `stop ${OLD_WORKER}`,
      `start ${NEW_WORKER}`,
      `start ${NEW_MAILER}`,
      'weights 100',
      `start ${NEW_PAINTER}`,
      `stop ${TIMER}`,
      `start ${TIMER}`,
      `stop ${OLD_MAILER}`,
      expect.stringContaining(BLUE),
    ]);
    expect(seen.both).toEqual([]);
    expectWholeNew(at, 'deployed');
  });

  it('are those of one version after a failure at any call', async () => {
    const whole = broken(host(), 0, 'fail');
    await carry(order(), whole.host);
    let reverted = 0;
    for (let call = 1; call <= whole.count.calls; call++) {
      const at = host();
      const seen = watchExclusive(at);
      const failing = broken(at, call, 'fail');
      await carry(order(), failing.host);
      const where = `call ${call}: ${failing.count.at}`;
      expect(seen.both, where).toEqual([]);
      if (at.green === 100) {
        expect(active(at, GREEN), where).toBe(true);
        expect(active(at, NEW_WORKER), where).toBe(true);
        continue;
      }
      reverted += 1;
      expectWholeOld(at, where);
    }
    expect(reverted).toBeGreaterThan(60);
  });

  it('are whole after a kill at any call and the same order once more', async () => {
    const whole = broken(host(), Number.POSITIVE_INFINITY, 'kill');
    await carry(order(), whole.host);
    for (let call = 1; call <= whole.count.calls; call++) {
      const at = host();
      const seen = watchExclusive(at);
      const dying = broken(at, call, 'kill');
      await carry(order(), dying.host);
      const where = `call ${call}: ${dying.count.at}`;
      const again: ReleaseOrder = at.green === 100 ? { verb: 'settle', settle: newSettle() } : order();
      const { error } = await carry(again, at);
      expect(error, where).toBeUndefined();
      expect(seen.both, where).toEqual([]);
      expectWholeNew(at, where);
      expect(active(at, TIMER), where).toBe(true);
    }
  });

  it('are the old ones again where the next attempt after a kill fails before any start', async () => {
    const at = host();
    at.start = async (unit) => {
      if (unit === NEW_WORKER) throw new Error('killed here');
      at.units.set(unit, { active: 'active', restarts: 0 });
      return true;
    };
    // As a kill would leave it: the old worker has ended, the new one has not begun.
    at.units.set(OLD_WORKER, { active: 'inactive', restarts: 0 });
    at.links.delete(`${WANTED}/${OLD_WORKER}`);
    at.hooks = () => 3;
    const { error } = await carry(order(), at);
    expect(error).toMatchObject({ step: 'before_cut_over' });
    expectWholeOld(at, 'failed again');
  });

  it('go back when the end is asked for, in any second', async () => {
    for (let sleeps = 1; sleeps <= 45; sleeps++) {
      const at = host();
      const seen = watchExclusive(at);
      const interrupt = new Interrupt();
      let slept = 0;
      at.onSleep = () => {
        slept += 1;
        if (slept === sleeps) interrupt.request(141);
      };
      const { error } = await carry(order(), at, interrupt);
      expect(error, `sleep ${sleeps}`).toBeInstanceOf(Interrupted);
      expect(seen.both).toEqual([]);
      expectWholeOld(at, `sleep ${sleeps}`);
    }
  });

  it.each([
    ['at once, before the switch', NEW_WORKER],
    ['at once, after the switch', NEW_PAINTER],
  ])('fail the deploy where one ends %s, with its own last lines', async (_, unit) => {
    const at = host();
    at.onSleep = () => {
      const dying = at.units.get(unit);
      if (dying?.active === 'active') dying.restarts = 1;
    };
    const { error } = await carry(order(), at);
    const name = unit === NEW_WORKER ? 'worker' : 'painter';
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ step: 'processes', message: `${name} ended by itself (exit code 7)` });
    expect((error as Failure).output).toEqual([`${unit} said this`]);
    expectWholeOld(at, unit);
    expect(at.files.get(`/srv/shop/releases/${NEW}/state`)).toBe('failed\n');
  });

  it('fail the probation where one ends by itself', async () => {
    const at = host();
    at.onSleep = (ms) => {
      const mailer = at.units.get(NEW_MAILER);
      if (ms === 1000 && mailer) mailer.restarts = 1;
    };
    const { error } = await carry(order(), at);
    expect(error).toMatchObject({ step: 'probation', message: 'mailer ended by itself (exit code 7)' });
    expect((error as Failure).output).toEqual([`${NEW_MAILER} said this`]);
    expectWholeOld(at, 'probation');
  });

  it('get the time to finish, and it is told where one does not', async () => {
    const at = host();
    const stop = at.stop;
    at.stop = async (...units) => {
      if (units.includes(OLD_WORKER)) at.time += 31_000;
      await stop(...units);
    };
    const { events, error } = await carry(order(), at);
    expect(error).toBeUndefined();
    const detail = 'blue-worker did not end within 30 s, killed';
    expect(events).toContainEqual({ event: 'running', step: 'processes', detail });
  });

  it('go when the definition has them no more', async () => {
    const at = host();
    const none = { verb: 'take-over', takeOver: takeOver(), settle: settle() } as const;
    await carry(none, at);
    expect([...at.units].filter(([, { active: state }]) => state === 'active').map(([unit]) => unit)).toEqual(
      [GREEN],
    );
    const back = withBesides(placed(OLD, 'blue'), OLD_ONES);
    const manifest = JSON.stringify(back.manifest);
    at.files.set('/srv/shop/blue/release.json', manifest);
    const rollback: ReleaseOrder = {
      verb: 'take-over',
      takeOver: {
        ...newTakeOver({ placing: null, old: 'green', proven: true }),
        ...back,
        beforeCutOver: null,
      },
      settle: { ...settle({ afterDeploy: null, withdrawn: NEW }), ...back },
    };
    const { error } = await carry(rollback, at);
    expect(error).toBeUndefined();
    expect(at.green).toBe(0);
    expect(active(at, OLD_WORKER) && active(at, OLD_MAILER)).toBe(true);
  });

  it('are the old ones again after a revert for another host', async () => {
    const at = host();
    await carry({ verb: 'take-over', takeOver: newTakeOver(), settle: null }, at);
    expect(active(at, OLD_WORKER)).toBe(false);
    const { error } = await carry({ verb: 'revert', placed: newTakeOver(), old: 'blue', proven: false }, at);
    expect(error).toBeUndefined();
    expectWholeOld(at, 'reverted');
  });
});

describe('a guard', () => {
  it('goes back where a process ends again and again, and gives the old version its own', async () => {
    for (const standby of [false, true]) {
      const at = host();
      const seen = watchExclusive(at);
      const previous = withBesides(placed(OLD, 'blue'), OLD_ONES);
      const audit = { by: 'me@here', action: 'deploy', app: 'shop', release: NEW };
      const watching = { watch: 60_000, previous, standby, audit };
      const kept = newSettle({ guard: watching });
      await carry({ verb: 'take-over', takeOver: newTakeOver(), settle: kept }, at);
      expect(active(at, OLD_MAILER)).toBe(false);
      at.onSleep = () => {
        const worker = at.units.get(NEW_WORKER);
        if (worker?.active === 'active') worker.restarts += 1;
      };
      const printed: string[] = [];
      expect(
        await guard(
          'shop',
          at,
          (_, work) => work(),
          (line) => printed.push(line),
        ),
      ).toBe(true);
      expect(printed.at(-1)).toContain(`worker ended 4 times by itself (exit code 7); went back to ${OLD}`);
      expect(seen.both).toEqual([]);
      expectWholeOld(at, `standby ${standby}`);
      expect(active(at, TIMER)).toBe(false);
    }
  });
});

describe('a rollout', () => {
  const rollout = (phase: 'promoted' | 'taken back'): ReleaseOrder => ({
    verb: 'end-rollout',
    app: 'shop',
    status: { id: '0123456789abcdef', phase, events: [] } as unknown as RolloutStatus,
  });
  async function begun(at: FakeHost): Promise<void> {
    const { error } = await carry(
      {
        verb: 'let-in',
        takeOver: newTakeOver({ site: null }),
        rollout: {
          ...{ part: 'host', id: '0123456789abcdef', seed: 'f'.repeat(32), by: 'visitor', steps: [5, 100] },
          ...{ atMost: 60_000, otherwise: 'hold', alpha: 0.01, secrets: null },
          shared: { text: 'shared site', needs: null, certificate: null },
          after: { text: 'site', needs: null, certificate: null },
          baseline: withBesides(placed(OLD, 'blue'), OLD_ONES),
          settle: newSettle({ afterDeploy: null }),
          audit: { by: 'me@here', app: 'shop', release: NEW, previous: OLD },
        },
      },
      at,
    );
    expect(error).toBeUndefined();
  }

  it('leaves processes and jobs to the old version until the new one is promoted', async () => {
    const at = host();
    const seen = watchExclusive(at);
    await begun(at);
    expect(active(at, GREEN)).toBe(true);
    for (const unit of [OLD_WORKER, OLD_MAILER]) expect(active(at, unit) && enabled(at, unit)).toBe(true);
    for (const unit of [NEW_WORKER, NEW_MAILER, NEW_PAINTER, TIMER]) expect(active(at, unit)).toBe(false);
    for (const unit of [NEW_WORKER, NEW_MAILER, NEW_PAINTER]) expect(enabled(at, unit)).toBe(false);
    const { error } = await carry(rollout('promoted'), at);
    expect(error).toBeUndefined();
    expect(seen.both).toEqual([]);
    expectWholeNew(at, 'promoted');
    expect(active(at, TIMER)).toBe(true);
  });

  it('that is taken back never started those of the new one', async () => {
    const at = host();
    await begun(at);
    const { error } = await carry(rollout('taken back'), at);
    expect(error).toBeUndefined();
    expectWholeOld(at, 'taken back');
    expect(at.calls.filter((call) => /start .*green-/.test(call))).toEqual([]);
  });
});

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

  it('that the host went down with are kept, alert and are told no more than once, however often it goes down', async () => {
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
