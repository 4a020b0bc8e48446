/**
 * A live canary on a host: how it begins, what it does, and what stands after a failure or a kill at any
 * call.
 */
import { describe, expect, it } from 'vitest';
import type { ReleaseOrder, RolloutOrder } from '../../src/contract/release.ts';
import type { RolloutStatus } from '../../src/contract/rollout.ts';
import type { Host } from '../../src/onhost/host.ts';
import { runRollout } from '../../src/onhost/rollout/actor.ts';
import { reportOf } from '../../src/onhost/rollout/record.ts';
import { followRollout, newestStatus, tellRollout } from '../../src/onhost/rollout/talk.ts';
import { endWord, readEndWord } from '../../src/rollout/ended.ts';
import { judgeRollout, parseRolloutReport } from '../../src/rollout/report.ts';
import { broken, type FakeHost } from './fake-host.ts';
import { carry, NEW, OLD, placed, servingHost, settle, takeOver } from './orders.ts';

const BLUE = 'pipeline-shop@blue.service';
const GREEN = 'pipeline-shop@green.service';
const ROLLOUT = 'pipeline-rollout@shop.service';
const FOLDER = '/etc/pipeline/apps/shop/rollout';
const WANTED = '/etc/systemd/system/multi-user.target.wants';
const STATE = `/srv/shop/releases/${NEW}/state`;
const lock = <T>(_app: string, work: () => Promise<T>) => work();

function rolloutOrder(more: Partial<RolloutOrder> = {}): RolloutOrder {
  return {
    part: 'whole',
    id: '0123456789abcdef',
    seed: 'f'.repeat(32),
    by: 'visitor',
    steps: [5, 50, 100],
    atMost: 60_000,
    otherwise: 'hold',
    alpha: 0.01,
    shared: { text: 'shared site', needs: null, certificate: null },
    secrets: 'the secrets',
    after: { text: 'site', needs: null, certificate: null },
    baseline: placed(OLD, 'blue'),
    settle: settle({ afterDeploy: null }),
    audit: { by: 'me@here', app: 'shop', release: NEW, previous: OLD },
    ...more,
  };
}

function letIn(more: Partial<RolloutOrder> = {}): ReleaseOrder {
  return { verb: 'let-in', takeOver: takeOver({ site: null }), rollout: rolloutOrder(more) };
}

function active(host: FakeHost, unit: string): boolean {
  return host.units.get(unit)?.active === 'active';
}

/** A host with the site of before, on which a rollout has begun. */
async function begun(more: Partial<RolloutOrder> = {}): Promise<FakeHost> {
  const host = prepared();
  const { error } = await carry(letIn(more), host);
  expect(error).toBeUndefined();
  host.calls.length = 0;
  return host;
}

function prepared(): FakeHost {
  const host = servingHost();
  host.site = 'site of before';
  host.files.set('/etc/nginx/pipeline/sites/shop.conf', 'site of before');
  return host;
}

function run(host: Host, printed: string[] = []): Promise<boolean> {
  return runRollout('shop', host, lock, (line) => printed.push(line));
}

function statusOf(host: FakeHost): RolloutStatus {
  return JSON.parse(host.files.get('/run/pipeline/rollouts/shop.json') ?? '{}') as RolloutStatus;
}

function expectOldServes(host: FakeHost, where = ''): void {
  expect(host.green, where).toBe(0);
  expect(active(host, BLUE), where).toBe(true);
  expect(active(host, GREEN), where).toBe(false);
  expect(host.site, where).toBe('site of before');
  expect(host.links.has(`${WANTED}/${ROLLOUT}`), where).toBe(false);
  expect(
    [...host.files.keys()].filter((path) => path.startsWith(FOLDER)),
    where,
  ).toEqual([]);
}

function expectNewServes(host: FakeHost, where = ''): void {
  expect(host.green, where).toBe(100);
  expect(active(host, GREEN), where).toBe(true);
  expect(active(host, BLUE), where).toBe(false);
  expect(host.site, where).toBe('site');
  expect(host.files.get(STATE), where).toBe('live\n');
  expect(host.links.has(`${WANTED}/${ROLLOUT}`), where).toBe(false);
  expect(
    [...host.files.keys()].filter((path) => path.startsWith(FOLDER)),
    where,
  ).toEqual([]);
}

/** What has not ended starts again with the host. */
function expectToGoOn(host: FakeHost, where: string): void {
  if (host.files.has(`${FOLDER}/order.json`))
    expect(host.links.has(`${WANTED}/${ROLLOUT}`), where).toBe(true);
}

/** Visitors come at every look: `failing` of the candidate's. */
function visit(host: FakeHost, failing: number): void {
  let visitor = 0;
  host.onSleep = () => {
    for (let index = 0; index < 20; index++) {
      visitor += 1;
      const side = index < 4 ? 'candidate' : 'baseline';
      const status = side === 'candidate' && index < failing ? 500 : 200;
      const key = visitor.toString(16).padStart(16, '0');
      host.lines.push(
        JSON.stringify({
          ...{ msec: 1, side, how: 'new', status, time: 0.02, upstream_time: '0.02' },
          ...{ upstream_status: String(status), key },
        }),
      );
    }
  };
}

describe('a rollout begins', () => {
  it('with both versions running, nobody let in but testers, and a unit that goes on', async () => {
    const host = prepared();
    const { events, error } = await carry(letIn(), host);
    expect(error).toBeUndefined();
    expect(host.calls.filter((call) => /^(start|stop pipeline-shop|share|begin|weights)/.test(call))).toEqual(
      [`start ${GREEN}`, 'begin split', 'share w0-0123456789abcdef', `start ${ROLLOUT}`],
    );
    expect(host.site).toBe('shared site');
    expect(active(host, BLUE) && active(host, GREEN)).toBe(true);
    expect(host.links.has(`${WANTED}/${GREEN}`) && host.links.has(`${WANTED}/${ROLLOUT}`)).toBe(true);
    expect(events.at(-1)).toMatchObject({ event: 'done', step: 'rollout' });
    expect(host.files.get(`${FOLDER}/secrets`)).toBe('the secrets');
  });

  it('or not at all, after a failure at any call', async () => {
    const whole = broken(prepared(), 0, 'fail');
    await carry(letIn(), whole.host);
    let undone = 0;
    for (let at = 1; at <= whole.count.calls; at++) {
      const host = prepared();
      const { host: failing, count } = broken(host, at, 'fail');
      const { error } = await carry(letIn(), failing);
      if (error === undefined) continue;
      undone += 1;
      expectOldServes(host, `call ${at}: ${count.at}`);
    }
    expect(undone).toBeGreaterThan(40);
  });

  it('anew, after a kill at any call', async () => {
    const whole = broken(prepared(), Number.POSITIVE_INFINITY, 'kill');
    await carry(letIn(), whole.host);
    for (let at = 1; at <= whole.count.calls; at++) {
      const host = prepared();
      const dying = broken(host, at, 'kill');
      await carry(letIn(), dying.host);
      const where = `call ${at}: ${dying.count.at}`;
      expect(active(host, BLUE), where).toBe(true);
      expect(host.green, where).toBe(0);
      if (host.files.has(`${FOLDER}/order.json`)) continue;
      const { error } = await carry(letIn(), host);
      expect(error, where).toBeUndefined();
      expect(host.site, where).toBe('shared site');
    }
  });

  it('alone: nothing else changes the application meanwhile', async () => {
    const host = await begun();
    for (const order of [letIn(), { verb: 'settle', settle: settle() } as const]) {
      const { error } = await carry(order, host);
      expect(error).toMatchObject({ step: 'lock', message: 'a rollout is under way' });
    }
    expect(host.calls).toEqual([]);
  });
});

describe('a rollout under way', () => {
  it('has a status before its process has told one, though an earlier one is still there', async () => {
    const host = await begun();
    const printed: string[] = [];
    host.files.set('/run/pipeline/rollouts/shop.json', JSON.stringify({ id: 'f', phase: 'promoted' }));
    const first = JSON.parse((await newestStatus('shop', host)) ?? '{}') as RolloutStatus;
    expect(first).toMatchObject({ id: '0123456789abcdef', phase: 'running', percent: 0, events: [] });
    expect(first.next).toMatchObject({ percent: 50 });
    // Who looks sees it once.
    let looks = 0;
    host.onSleep = () => {
      looks += 1;
      if (looks === 5) host.files.delete(`${FOLDER}/order.json`);
    };
    await followRollout('shop', host, (line) => printed.push(line));
    expect(printed).toEqual([JSON.stringify(first), expect.stringContaining('"promoted"')]);
  });

  it('is aborted before its process has told anything', async () => {
    const host = await begun();
    let ran: Promise<boolean> | undefined;
    host.onSleep = () => {
      host.onSleep = () => {};
      ran = run(host);
    };
    expect(await tellRollout('shop', host, 'abort', 'me@here')).toBe('heard');
    await ran;
    expectOldServes(host);
    expect(statusOf(host).events.map(({ kind }) => kind)).toEqual(['began', 'taken back']);
  });

  it('takes a version back that fails its visitors', async () => {
    const host = await begun();
    visit(host, 4);
    expect(await run(host)).toBe(true);
    expectOldServes(host);
    expect(host.files.get(STATE)).toBe('failed\n');
    const status = statusOf(host);
    expect(status.phase).toBe('taken back');
    expect(status.events.map(({ kind, percent }) => `${kind} ${percent}`)).toEqual([
      'began 5',
      'taken back 0',
    ]);
    expect(host.files.get('/var/lib/pipeline/rollouts/shop/0123456789abcdef.json')).toBe(
      JSON.stringify(status),
    );
    expect(host.files.get('/var/log/pipeline/audit.jsonl')).toMatch(
      /"result":"failed","message":"taken back: errors/,
    );
  });

  it('holds where nobody comes, and does what a person says', async () => {
    const host = await begun();
    let seconds = 0;
    host.onSleep = (ms) => {
      seconds += ms / 1000;
      if (seconds > 80 && seconds < 81) host.files.set(`${FOLDER}/word`, 'promote me@here\n');
    };
    expect(await run(host)).toBe(true);
    expectNewServes(host);
    expect(statusOf(host).events.map(({ kind, why }) => `${kind}: ${why}`)).toEqual([
      'began: ',
      'held: the evidence did not suffice in time',
      'promoted: me@here said so',
    ]);
    expect(host.files.get('/var/log/pipeline/audit.jsonl')).toMatch(/"result":"live"/);
  });

  it('takes a version back whose process ends, or fails its checks, with no visitor at all', async () => {
    const dead = await begun();
    let looks = 0;
    dead.onSleep = () => {
      looks += 1;
      if (looks === 20) dead.units.set(GREEN, { active: 'active', restarts: 4 });
    };
    await run(dead);
    expectOldServes(dead);
    expect(statusOf(dead).events.at(-1)?.why).toContain('ended 4 times');

    const sick = await begun();
    sick.checks = (address) => {
      const healthy = !address.endsWith(':21016');
      return { healthy, silent: false, said: healthy ? 'GET / → 200' : 'GET / → 500' };
    };
    await run(sick);
    expectOldServes(sick);
    expect(statusOf(sick).events.at(-1)?.why).toContain('GET / → 500');
  });

  it('blames no version for starting later than the other one after a reboot', async () => {
    const host = await begun();
    await run(broken(host, 60, 'kill').host).catch(() => {});
    const before = statusOf(host);
    expect(before.phase).toBe('running');
    let seconds = 0;
    // Less than it may take.
    const starts = () => seconds < 4.5;
    host.checks = (address) => {
      const healthy = !(starts() && address.endsWith(':21016'));
      return { healthy, silent: !healthy, said: healthy ? 'GET / → 200' : 'nothing listens' };
    };
    visit(host, 0);
    const { onSleep: well } = host;
    visit(host, 4);
    const { onSleep: failing } = host;
    host.onSleep = (ms) => {
      seconds += ms / 1000;
      (starts() ? failing : well)?.(ms);
      if (seconds > 30) host.files.set(`${FOLDER}/word`, 'abort me@here\n');
    };
    await run(host);
    expect(statusOf(host).events.at(-1)?.why).toBe('me@here said so');
    expect(statusOf(host).sides.candidate.failed).toBeGreaterThan(40);
    // Once it has started, its failures count again.
    const later = await begun();
    await run(broken(later, 60, 'kill').host).catch(() => {});
    visit(later, 4);
    await run(later);
    expect(statusOf(later).events.at(-1)?.why).toContain('errors (5xx)');
  });

  it('goes on after a kill at any call, and ends in one version', { timeout: 90_000 }, async () => {
    const first = await begun();
    visit(first, 4);
    const counted = broken(first, Number.POSITIVE_INFINITY, 'kill');
    await run(counted.host);
    for (let at = 1; at <= counted.count.calls; at++) {
      const host = await begun();
      visit(host, 4);
      const dying = broken(host, at, 'kill');
      await run(dying.host).catch(() => {});
      expectToGoOn(host, `call ${at}: ${dying.count.at}`);
      // systemd starts it again.
      await run(host);
      expectOldServes(host, `call ${at}: ${dying.count.at}`);
      expect(statusOf(host).phase).toBe('taken back');
      // What the killed process had seen and not decided on is no part of the verdict.
      const report = parseRolloutReport(JSON.parse(await reportOf(host, JSON.stringify(statusOf(host)))));
      if ('mistake' in report) throw new Error(report.mistake);
      expect(judgeRollout(report.report), dying.count.at).toMatchObject({ harmful: true, agrees: true });
    }
  });

  it('ends in the new version after a kill at any call of the promotion', { timeout: 90_000 }, async () => {
    const told = async () => {
      const host = await begun();
      host.files.set(`${FOLDER}/word`, 'promote me@here\n');
      return host;
    };
    const counted = broken(await told(), Number.POSITIVE_INFINITY, 'kill');
    await run(counted.host);
    for (let at = 1; at <= counted.count.calls; at++) {
      const host = await told();
      const dying = broken(host, at, 'kill');
      await run(dying.host).catch(() => {});
      expectToGoOn(host, `call ${at}: ${dying.count.at}`);
      await run(host);
      expectNewServes(host, `call ${at}: ${dying.count.at}`);
    }
  });

  it('goes on although nothing can be written', async () => {
    const host = await begun();
    visit(host, 4);
    const { write, append } = host;
    let full = true;
    const checked = (path: string) => {
      // What lies in memory has room.
      if (full && !path.startsWith('/run/')) throw new Error('ENOSPC: no space left on device');
    };
    host.write = async (path, text) => {
      checked(path);
      await write(path, text);
    };
    host.append = async (path, text) => {
      checked(path);
      await append(path, text);
    };
    const printed: string[] = [];
    await expect(run(host, printed)).rejects.toThrow('ENOSPC');
    expect(printed.join('\n')).toContain('cannot keep its state: ENOSPC');
    expect(host.calls).toContain('share w5-0123456789abcdef');
    expect(statusOf(host)).toMatchObject({ phase: 'taken back', percent: 0 });
    expect(host.green).toBe(0);
    // systemd starts it again and again; nobody is let in meanwhile.
    host.calls.length = 0;
    await expect(run(host, printed)).rejects.toThrow('ENOSPC');
    expect(host.calls.filter((call) => call.startsWith('share'))).toEqual([]);
    full = false;
    await run(host);
    expect(statusOf(host).events.map(({ kind }) => kind)).toEqual(['began', 'taken back']);
    expectOldServes(host);
  });

  it('hears nothing where none is under way', async () => {
    expect(await tellRollout('shop', servingHost(), 'pause', 'me')).toBe('none');
  });

  it('says whether it is heard: not where its process hangs, but where it takes the word', async () => {
    const host = await begun();
    host.files.set(
      '/run/pipeline/rollouts/shop.json',
      JSON.stringify({ id: '0123456789abcdef', phase: 'running' }),
    );
    expect(await tellRollout('shop', host, 'pause', 'me')).toBe('silent');
    host.onSleep = () => host.files.delete(`${FOLDER}/word`);
    expect(await tellRollout('shop', host, 'pause', 'me')).toBe('heard');
  });
});

describe('one of several hosts', () => {
  const SEED = 'f'.repeat(32);
  const ID = '0123456789abcdef';
  const AT = '2026-11-28T00:01:00.000Z';
  const follows = { addresses: ['10.0.0.8', '10.0.0.9'], port: 80, tls: false, name: 'shop.test' };
  const behind = { part: 'host', follows, secrets: null } as const;
  /** Its balancer has decided after some seconds. */
  async function decided(phase: 'promoted' | 'taken back'): Promise<FakeHost> {
    const host = await begun(behind);
    const from = host.time + 20_000;
    host.answers = (address, path) =>
      path === '/.well-known/pipeline-rollout' && address === '10.0.0.9' && host.time > from
        ? endWord(SEED, ID, { phase, at: AT })
        : undefined;
    return host;
  }

  it('runs both versions until its balancer says which of them stays', async () => {
    const back = await decided('taken back');
    expect(active(back, BLUE) && active(back, GREEN)).toBe(true);
    await run(back);
    expectOldServes(back);
    expect(back.files.get(STATE)).toBe('failed\n');
    expect(back.files.get('/var/log/pipeline/audit.jsonl')).toContain('taken back: its balancer decided');
    const promoted = await decided('promoted');
    await run(promoted);
    expectNewServes(promoted);
  });

  it('ends in the same version after a kill at any call', { timeout: 90_000 }, async () => {
    for (const phase of ['promoted', 'taken back'] as const) {
      const whole = broken(await decided(phase), Number.POSITIVE_INFINITY, 'kill');
      await run(whole.host);
      for (let at = 1; at <= whole.count.calls; at++) {
        const host = await decided(phase);
        const dying = broken(host, at, 'kill');
        await run(dying.host).catch(() => {});
        const where = `${phase}, call ${at}: ${dying.count.at}`;
        expectToGoOn(host, where);
        await run(host);
        if (phase === 'promoted') expectNewServes(host, where);
        else expectOldServes(host, where);
      }
    }
  });

  it('believes nobody else, and goes when it was told', async () => {
    const host = await begun(behind);
    const word = endWord(SEED, ID, { phase: 'promoted', at: AT });
    const forged = [
      endWord('0'.repeat(32), ID, { phase: 'promoted', at: AT }),
      endWord(SEED, 'fedcba9876543210', { phase: 'promoted', at: AT }),
      endWord(SEED, ID, { phase: 'held', at: AT }),
      word.replace('promoted', 'taken back'),
      '<html>not found</html>',
      '',
    ];
    let asked = 0;
    host.answers = () => forged[asked++];
    host.onSleep = () => {
      if (asked >= forged.length) host.files.delete(`${FOLDER}/order.json`);
    };
    expect(await run(host)).toBe(true);
    expect(asked).toBeGreaterThanOrEqual(forged.length);
    expect(active(host, BLUE) && active(host, GREEN)).toBe(true);
  });

  it('waits to be told where an older order names no balancer', async () => {
    const host = await begun({ part: 'host', secrets: null });
    expect(host.links.has(`${WANTED}/${ROLLOUT}`)).toBe(false);
  });

  it('hears of its balancer what that decided', async () => {
    const host = await begun({ part: 'balancer', settle: settle({ afterDeploy: null, site: null }) });
    host.files.set(`${FOLDER}/word`, 'promote me@here\n');
    await run(host);
    const text = host.files.get(`/var/lib/pipeline/rollouts/shop/${ID}.end`) ?? '';
    expect(readEndWord(SEED, ID, text)).toMatchObject({ phase: 'promoted' });
    expect(text).not.toContain('me@here');
  });

  it('finds its balancer free for the next rollout once what is left there was cleared up', async () => {
    const more = { part: 'balancer', settle: settle({ afterDeploy: null, site: null }) } as const;
    const host = await begun(more);
    host.files.set(`${FOLDER}/word`, 'abort me@here\n');
    await run(host);
    expect(host.files.has(`${FOLDER}/order.json`)).toBe(true);
    const divide = { verb: 'divide', rollout: rolloutOrder({ ...more, id: 'fedcba9876543210' }) } as const;
    expect((await carry(divide, host)).error).toMatchObject({ message: 'a rollout is under way' });
    const status = statusOf(host);
    expect((await carry({ verb: 'end-rollout', app: 'shop', status }, host)).error).toBeUndefined();
    expect(host.site).toBe('site of before');
    expect((await carry(divide, host)).error).toBeUndefined();
    expect(host.site).toBe('shared site');
  });
});
