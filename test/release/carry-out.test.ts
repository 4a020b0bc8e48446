import { execFileSync } from 'node:child_process';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { appSchema } from '../../src/config/schema.ts';
import { type Context, quietContext } from '../../src/context.ts';
import { EXIT_ORDER_FAILED, type ReleaseEvent, type ReleaseOrder } from '../../src/contract/release.ts';
import { Failure } from '../../src/errors.ts';
import { planRelease, type ReleasePlan } from '../../src/release/plan/plan.ts';
import { carryOut } from '../../src/release/send/carry-out.ts';
import type { SshTarget } from '../../src/ssh/connection.ts';
import { type Asked, facts, kept, recorded } from './support.ts';

type Answer = Parameters<typeof recorded>[2];

let asked: Asked[];
let answer: Answer;
/** Connections that are made after the first have ended, for the way back. */
vi.mock('../../src/ssh/openssh.ts', () => ({
  connect: ({ name }: SshTarget) => recorded(`${name} again`, asked, answer),
}));
beforeEach(() => {
  asked = [];
  answer = () => ({});
});

const TOKEN = `pass'word`;
const { release, at, by, ...manifest } = kept('two', 'live', { tree: 'another' }).manifest;

function planFor(names: readonly string[], aim: { readonly action: 'deploy' | 'rollback' }): ReleasePlan {
  const both = facts({
    colours: { blue: 'one', green: 'two' },
    live: 'green',
    releases: [kept('two'), kept('one')],
  });
  const hosts = names.map((name) => {
    const host = { name, connection: recorded(name, asked, (one) => answer(one)) };
    return { host, facts: aim.action === 'deploy' ? facts() : both, slot: 0 };
  });
  const definition = appSchema.parse({ source: 'x', hosts: names, watch: '0s' });
  const common = { app: 'app', by: 'me@here', definition };
  const wanted = { manifest, env: { TOKEN }, overlay: {}, dependencies: null, digest: 'digest of two' };
  const secrets = { values: { TOKEN }, kept: ['TOKEN'] };
  const seen = {
    hosts,
    front: { balancers: [], certificate: undefined, acme: [], edge: { balancers: [] } },
  };
  return aim.action === 'deploy'
    ? planRelease(
        { ...common, action: 'deploy', wanted, secrets, now: new Date('2026-11-28T20:00:00Z') },
        seen,
      )
    : planRelease({ ...common, action: 'rollback', release: undefined }, seen);
}

/** The order that a script hands to the program; undefined: it is another script. */
function orderOf(script: string): ReleaseOrder | undefined {
  if (!script.includes(' release < <(printf %s ')) return undefined;
  const printed = script.replace(/^exec \S+ \S+ release < <\((.*)\)$/s, '$1');
  return JSON.parse(execFileSync('bash', ['-c', printed], { encoding: 'utf8' })) as ReleaseOrder;
}

/** What was sent, a word for each order. */
function sent(): readonly string[] {
  return asked.map(({ host, script }) => {
    const order = orderOf(script);
    if (order === undefined) return `${host}: ${script.includes('audit.jsonl') ? 'audit' : script}`;
    return `${host}: ${order.verb}${order.verb === 'take-over' && order.settle !== null ? '+settle' : ''}`;
  });
}

async function failureOf(plan: ReleasePlan, context: Context = quietContext()): Promise<Failure> {
  const thrown = await carryOut(plan, context).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof Failure) return thrown;
  throw new Error(`a failure was expected, not ${String(thrown)}`);
}

/** Answers as a host on which an order fails. */
const failing =
  (host: string, verb: ReleaseOrder['verb'], events: readonly ReleaseEvent[]): Answer =>
  (one) =>
    one.host === host && orderOf(one.script)?.verb === verb
      ? { exitCode: EXIT_ORDER_FAILED, lines: ['motd', ...events.map((event) => JSON.stringify(event))] }
      : {};

describe.each(['deploy', 'rollback'] as const)('a %s that goes well', (action) => {
  it('is one round trip on a single host', async () => {
    await carryOut(planFor(['web-1'], { action }), quietContext());
    expect(sent()).toEqual(['web-1: take-over+settle']);
  });

  it('changes hosts one after the other, and settles only once all have changed', async () => {
    await carryOut(planFor(['web-1', 'web-2'], { action }), quietContext());
    expect(sent()).toEqual(['web-1: take-over', 'web-2: take-over', 'web-1: settle', 'web-2: settle']);
  });
});

describe('jobs that ran on another host', () => {
  it('end there once the new version has taken over, and before they begin here', async () => {
    const plan = planFor(['web-1'], { action: 'deploy' });
    const old = { name: 'old', connection: recorded('old', asked, (one) => answer(one)) };
    await carryOut({ ...plan, formerJobs: [old] }, quietContext());
    const [first, between, last] = sent();
    expect([first, last]).toEqual(['web-1: take-over', 'web-1: settle']);
    expect(between).toMatch(/^old: app=app\n/);
    expect(between).toContain('systemctl stop "$timer"');
  });

  it('go on there where the new version fails', async () => {
    answer = failing('web-1', 'take-over', [{ event: 'failed', step: 'health', detail: 'not healthy' }]);
    const plan = planFor(['web-1'], { action: 'deploy' });
    const old = { name: 'old', connection: recorded('old', asked, (one) => answer(one)) };
    await failureOf({ ...plan, formerJobs: [old] });
    expect(sent()).toEqual(['web-1: take-over', 'web-1: audit']);
  });
});

describe('where a host fails', () => {
  const failedEvent = { event: 'failed', step: 'health', detail: 'not healthy after 30 s' } as const;
  const events: readonly ReleaseEvent[] = [{ event: 'log', line: 'no database' }, failedEvent];

  it('says where a service may write, if that was why', async () => {
    const line = "OSError: [Errno 30] Read-only file system: 'logs'";
    answer = failing('web-1', 'take-over', [
      { event: 'log', line },
      { ...failedEvent, detail: 'it ended' },
    ]);
    const failure = await failureOf(planFor(['web-1'], { action: 'deploy' }));
    expect(failure.next).toMatch(/^It wrote into its own folder: .*\$STATE_DIRECTORY.*persist:/);
  });

  it('those that have changed go back, later ones are left alone, and all are told', async () => {
    answer = failing('web-2', 'take-over', events);
    const failure = await failureOf(planFor(['web-1', 'web-2', 'web-3'], { action: 'deploy' }));
    expect(failure).toMatchObject({
      kind: 'host',
      host: 'web-2',
      step: 'health',
      output: ['no database'],
      next: expect.stringContaining('The version of before serves on every host.'),
    });
    expect(failure.message).toContain('did not become healthy: not healthy after 30 s');
    expect(sent()).toEqual([
      'web-1: take-over',
      'web-2: take-over',
      'web-1 again: revert',
      'web-1: audit',
      'web-2: audit',
      'web-3: audit',
    ]);
  });

  it('and another cannot go back, both are named, with the way out', async () => {
    answer = (one) =>
      one.host === 'web-1 again'
        ? new Failure('host', 'web-1 does not answer')
        : failing('web-2', 'take-over', events)(one);
    const failure = await failureOf(planFor(['web-1', 'web-2'], { action: 'deploy' }));
    expect(failure.output).toContain('web-1 could not go back: web-1 does not answer');
    expect(failure.next).toBe(
      'web-1 may still serve the new version: run pipeline rollback app once reachable.',
    );
  });

  it('because it cannot be reached, the failure is the connection’s own', async () => {
    const lost = new Failure('host', 'web-2 does not answer', { host: 'web-2' });
    answer = ({ host }) => (host === 'web-2' ? lost : {});
    expect(await failureOf(planFor(['web-1', 'web-2'], { action: 'deploy' }))).toBe(lost);
    expect(sent()).toContain('web-1 again: revert');
  });

  it('after Ctrl-C, hosts go back over other connections, and no audit log calls it a failure', async () => {
    const stop = new AbortController();
    answer = ({ host }) => {
      if (host !== 'web-2') return {};
      stop.abort();
      return new Failure('host', 'interrupted');
    };
    await failureOf(planFor(['web-1', 'web-2'], { action: 'deploy' }), quietContext({ signal: stop.signal }));
    expect(sent()).toEqual(['web-1: take-over', 'web-2: take-over', 'web-1 again: revert']);
    expect(asked.at(-1)?.options.signal?.aborted).toBe(false);
  });

  it('in after_deploy, the new version stays everywhere', async () => {
    answer = failing('web-1', 'settle', [
      { event: 'failed', step: 'after_deploy', detail: 'the command ended with exit code 1' },
    ]);
    const failure = await failureOf(planFor(['web-1', 'web-2'], { action: 'deploy' }));
    expect(failure.message).toContain('is live, but after_deploy failed');
    expect(failure.next).toContain('The new version serves.');
    expect(sent()).toEqual(['web-1: take-over', 'web-2: take-over', 'web-1: settle', 'web-2: settle']);
  });
});

describe('a version that stands by', () => {
  const units = ['pipeline-app@blue.service', 'pipeline-app@green.service'];
  it.each([
    ['was left by a killed run: where another host fails, its host goes back', undefined, true],
    ['is kept by the guard: its host stays as it is', 'blue' as const, false],
  ])('%s', async (_, standby, back) => {
    const plan = planFor(['web-1', 'web-2'], { action: 'deploy' });
    const [first, second] = plan.hosts;
    if (first === undefined || second?.settle === undefined) throw new Error('two hosts were planned');
    const there = facts({ ...first.facts, live: 'green', active: new Set(units), standby });
    const settled = { host: first.host, facts: there, settle: second.settle };
    answer = failing('web-2', 'take-over', [{ event: 'failed', step: 'start', detail: 'no' }]);
    await failureOf({ ...plan, hosts: [settled, second] });
    expect(sent().includes('web-1 again: revert')).toBe(back);
  });
});

describe('the order', () => {
  it('holds everything, whatever the values are', async () => {
    await carryOut(planFor(['web-1'], { action: 'deploy' }), quietContext());
    const order = orderOf(asked[0]?.script ?? '');
    if (order?.verb !== 'take-over') throw new Error('a take-over was expected');
    const { placing, keepSecrets, instances } = order.takeOver;
    expect(keepSecrets).toEqual({ TOKEN });
    expect(placing?.files.map(({ path, mode }) => `${path} ${mode}`)).toEqual([
      'env 0600',
      'digest 0600',
      'check 0700',
      'release.json 0644',
      'start 0755',
    ]);
    expect(placing?.files[0]?.text).toContain(TOKEN);
    expect(instances).toMatchObject([{ name: 'green', port: 21016, network: null }]);
    expect(order.settle).toMatchObject({ colour: 'green', guard: null, audit: { result: 'live' } });
  });
});

describe('secrets', () => {
  it('are named to the connection, and the trace gets none of the order', async () => {
    await carryOut(planFor(['web-1'], { action: 'deploy' }), quietContext());
    expect(asked[0]?.options.secrets).toContain(TOKEN);
    expect(asked[0]?.options.shown).toMatch(
      /^exec \S+node \S+onhost-\w+\.cjs release \(take-over, \d+ characters\)$/,
    );
  });

  it('stand neither in progress nor in a failure', async () => {
    const shown: string[] = [];
    answer = failing('web-1', 'take-over', [
      { event: 'log', line: `it said ${TOKEN}` },
      { event: 'running', step: 'health', detail: `it said ${TOKEN}` },
      { event: 'failed', step: 'start', detail: `it said ${TOKEN}` },
    ]);
    const context = quietContext({ progress: (event) => shown.push(JSON.stringify(event)) });
    const failure = await failureOf(planFor(['web-1'], { action: 'deploy' }), context);
    expect(shown.some((event) => event.includes('it said'))).toBe(true);
    expect([...shown, failure.message, ...failure.output].filter((text) => text.includes(TOKEN))).toEqual([]);
  });
});
