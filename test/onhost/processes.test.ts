/**
 * Processes beside the web one: they change over with the visitors, exclusive ones are never there twice, and
 * what serves has all of its own after a failure or a kill at any call.
 */
import { describe, expect, it } from 'vitest';
import type { ReleaseOrder } from '../../src/contract/release.ts';
import type { RolloutStatus } from '../../src/contract/rollout.ts';
import { Failure } from '../../src/errors.ts';
import { guard } from '../../src/onhost/guard.ts';
import { Interrupt, Interrupted } from '../../src/onhost/interrupt.ts';
import {
  active,
  enabled,
  host,
  newSettle,
  newTakeOver,
  OLD_ONES,
  order,
  TIMER,
  WANTED,
  withBesides,
} from './besides.ts';
import { broken, type FakeHost } from './fake-host.ts';
import { carry, NEW, OLD, placed, settle, takeOver } from './orders.ts';

const BLUE = 'pipeline-shop@blue.service';
const GREEN = 'pipeline-shop@green.service';
const OLD_WORKER = 'pipeline-shop@blue-worker.service';
const NEW_WORKER = 'pipeline-shop@green-worker.service';
const OLD_MAILER = 'pipeline-shop@blue-mailer.service';
const NEW_MAILER = 'pipeline-shop@green-mailer.service';
const NEW_PAINTER = 'pipeline-shop@green-painter.service';

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
