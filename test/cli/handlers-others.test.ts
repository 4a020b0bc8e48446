/** canary, judge, monitor, doctor and init as whole commands. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CanaryListener, CanaryResult, runCanary } from '../../src/canary/experiment/run.ts';
import { conclude } from '../../src/canary/judging/conclude.ts';
import { mutable } from '../../src/canary/judging/mutable.ts';
import { AGENT_NODES } from '../../src/contract/places.ts';
import { Failure } from '../../src/errors.ts';
import type { Change } from '../../src/host/change.ts';
import { defaultSequentialConfig } from '../../src/judge/index.ts';
import type { CanaryReport } from '../../src/report/document.ts';
import type { HubStatus } from '../../src/watching/place.ts';
import { type Behaviour, report, simulate, verdict } from '../report/sample.ts';
import { World } from './world.ts';

let world: World;
/** What an experiment comes to; undefined: it is really begun. */
let experiment: ((listener: CanaryListener) => Promise<CanaryResult>) | undefined;
/** What converging a host changes. */
let changes: readonly Change[];
vi.mock('../../src/ssh/openssh.ts', () => ({
  connect: (...args: Parameters<World['connect']>) => world.connect(...args),
}));
vi.mock('../../src/environment/provider.ts', async (original) => ({
  ...(await original<object>()),
  openProvider: async () => world.provider,
}));
vi.mock('../../src/canary/experiment/run.ts', async (original) => {
  const real = await original<{ runCanary: typeof runCanary }>();
  const run: typeof runCanary = (...args) => experiment?.(args[3] ?? {}) ?? real.runCanary(...args);
  return { ...real, runCanary: run };
});
vi.mock('../../src/host/converge.ts', async (original) => ({
  ...(await original<object>()),
  converge: async () => ({ changes, seconds: 1 }),
}));
vi.mock('../../src/watching/programs.ts', async (original) => ({
  ...(await original<object>()),
  findPrograms: async () => ({
    node: '20.19.0',
    agent: { from: '', to: `${AGENT_NODES}/agent-1.cjs` },
    hub: { from: '', to: `${AGENT_NODES}/hub-1.mjs` },
  }),
}));

beforeEach(() => {
  world = new World();
  experiment = undefined;
  changes = [];
});
afterEach(() => world.remove());

/** A report as a run writes it. */
function madeReport(candidate: Behaviour): CanaryReport {
  const seconds = simulate(12, {}, candidate);
  const { verdict: _, ...run } = report(seconds, verdict([]), {
    experiment: { config: mutable(defaultSequentialConfig), seconds: mutable(seconds), ended: true },
  });
  return { ...run, verdict: conclude(run, 'sequential') };
}

describe('canary', () => {
  const config = (apps: string) =>
    `project: shop\nhosts: { web: { roles: [nginx] }, other: { roles: [nginx] } }\napps:\n${apps}`;
  const shop = '  shop: { source: ., hosts: [web], start: node a, canary: { requests: [{ path: / }] } }\n';
  const notes = shop.replace('shop', 'notes').replace('web', 'other');

  test.each([
    ['one ref', ['good'], 'candidate'],
    ['an application that is none', ['a', 'b', '--app', 'shopp'], 'Did you mean "shop"?'],
    ['several applications', ['a', 'b'], 'Several applications have a canary: shop, notes.'],
    [
      'a split of everything',
      ['a', 'b', '--app', 'shop', '--split', '100'],
      '--split must be a whole number from 1',
    ],
    ['no rate', ['a', 'b', '--app', 'shop', '--rate', '0'], '--rate must be above 0'],
    ['no time', ['a', 'b', '--app', 'shop', '--duration', '1s'], '--duration must be between 5s and 24h'],
    [
      'too much',
      ['a', 'b', '--app', 'shop', '--rate', '5000', '--duration', '1h'],
      'at most 2000000 requests',
    ],
    ['a judge that is none', ['a', 'b', '--judge', 'netflix'], 'Allowed choices are'],
  ])('of %s is refused before any host is made', async (_what, args, words) => {
    world.write('pipeline.yml', config(shop + notes));
    const { exitCode, stdout } = await world.run(['canary', ...args]);
    expect(stdout).toContain(words);
    expect(exitCode).toBe(2);
    expect(world.provider.calls).toEqual([]);
  });

  test('without a canary in the configuration is refused, with the line to write', async () => {
    world.write('pipeline.yml', config('  shop: { source: ., hosts: [web], start: node a }\n'));
    const { exitCode, stdout } = await world.run(['canary', 'a', 'b']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('Add apps.<name>.canary.requests there.');
  });

  test.each([
    ['passed', 'done', 0, {}],
    ['failed', 'rejected', 5, { errors: 0.5 }],
    ['inconclusive', 'inconclusive', 6, {}],
  ] as const)(
    'that is %s exits with its code, and the report is written',
    async (word, exitKind, code, candidate) => {
      world.write('pipeline.yml', config(shop));
      const made = madeReport(candidate);
      const done = { ...made, verdict: { ...made.verdict, verdict: word } };
      experiment = async (listener) => {
        const result = { report: done, exitKind };
        await listener.onResult?.(result);
        return result;
      };
      const { exitCode, json, stderr } = await world.run([
        'canary',
        'a',
        'b',
        '--json',
        '--markdown',
        'out.md',
      ]);
      expect(exitCode).toBe(code);
      expect(json).toMatchObject({ verdict: word });
      expect(stderr.toLowerCase()).toContain(word);
      expect(readFileSync(join(world.folder, 'out.md'), 'utf8')).toContain('### Canary of');
    },
  );

  test('stopped by Ctrl-C says what a second one would leave, and exits 130', async () => {
    world.write('pipeline.yml', config(shop));
    experiment = async (listener) => {
      listener.onHosts?.('the local hosts proxy, blue, green');
      world.interrupted.abort();
      throw new Error('aborted');
    };
    const { exitCode, stdout } = await world.run(['canary', 'a', 'b']);
    expect(exitCode).toBe(130);
    expect(stdout).toContain('Press Ctrl-C again to quit now and leave the local hosts proxy, blue, green.');
    expect(stdout).toContain('error: stopped');
  });
});

describe('judge', () => {
  test.each([
    ['nothing', [], 'There is nothing to judge.'],
    ['a file that is missing', ['none.json'], 'none.json cannot be read'],
    ['a file of something else', ['pipeline.yml'], 'pipeline.yml'],
    ['a window without Prometheus', ['x.json', '--last', '1h'], '--prometheus is missing'],
    ['the monitor and a file', ['x.json', '--app', 'shop'], 'takes neither a file nor --prometheus'],
    ['the monitor without releases', ['--app', 'shop'], '--app needs --baseline and --candidate'],
    [
      'the monitor without a time',
      ['--app', 'shop', '--baseline', 'a', '--candidate', 'b'],
      'needs the time',
    ],
    ['the monitor by the live judge', ['--app', 'shop', '--judge', 'sequential'], 'divided at random'],
  ])('of %s exits 2 and says why', async (_what, args, words) => {
    world.write('pipeline.yml', 'project: shop\nhosts: {}\napps: {}\n');
    world.write('x.json', '{}');
    const { exitCode, stdout } = await world.run(['judge', ...args]);
    expect(stdout).toContain(words);
    expect(exitCode).toBe(2);
  });

  test('computes the verdict of a report again, and says whether it is the one in the file', async () => {
    const made = madeReport({ errors: 0.5 });
    world.write('report.json', JSON.stringify(made));
    const { exitCode, json, stderr } = await world.run(['judge', 'report.json', '--json']);
    expect(exitCode).toBe(5);
    expect(json).toMatchObject({ verdict: 'failed', agrees: true });
    expect(stderr).toContain('The file holds the same verdict.');
    const other = { ...made, verdict: { ...made.verdict, verdict: 'passed' } };
    world.write('report.json', JSON.stringify(other));
    expect((await world.run(['judge', 'report.json'])).stdout).toContain(
      'The file holds a different verdict',
    );
  });
});

describe('monitor', () => {
  const names = ['monitor', 'web'];
  const status = (more: Partial<HubStatus> = {}): HubStatus => ({
    now: 100_000,
    working: true,
    answers: true,
    hosts: { monitor: { at: 99_000, aheadMs: 0 }, web: { at: 99_000, aheadMs: 0 } },
    alerts: [],
    ...more,
  });
  const says = (value: unknown) => () => ({ stdout: JSON.stringify(value) });

  beforeEach(() => {
    world.write(
      'pipeline.yml',
      'project: shop\nhosts: { monitor: {}, web: {} }\nmonitor: { host: monitor }\napps: {}\n',
    );
    const line = (name: string, i: number) =>
      `[${name}]\n${name} ansible_host=192.0.2.${i + 1} ansible_port=22 ansible_user=root\n`;
    world.write('inventory.ini', names.map(line).join(''));
    const certificate = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----';
    world.answers['secrets of the monitor'] = () => ({ stdout: `no\n${'s'.repeat(44)}\n${certificate}\n` });
    world.answers['memory of the monitor'] = () => ({ stdout: '1000000\nmax\n' });
    world.answers['address towards the monitor'] = () => ({ stdout: '10.0.0.2\n' });
    const programs = ['agent-1.cjs', 'hub-1.mjs', 'node-20.19.0/bin/node'].map(
      (name) => `${AGENT_NODES}/${name}`,
    );
    world.answers['programs of the monitor'] = () => ({ lines: ['x86_64', ...programs] });
    world.answers['write the audit log'] = () => ({});
    world.answers['hub: first'] = says(status());
    world.answers['hub: status'] = says(status());
  });

  test('setup of what is set up changes nothing', async () => {
    const { exitCode, json, stderr } = await world.run(['monitor', 'setup', '--json']);
    expect(stderr).toContain('Nothing to change on 2 hosts');
    expect(exitCode).toBe(0);
    expect(json).toEqual({
      dashboard: 'http://192.0.2.1/dashboard',
      changes: [],
      changed: 0,
      hosts: names,
    });
    expect(world.said()).not.toContain('web: write the audit log');
  });

  test('setup shows the first password once, and says what was changed where', async () => {
    changes = [{ id: 'service agent', action: 'start', diff: [], because: [], doing: '' }];
    const made = [{ user: 'admin', password: 'pass-1234' }];
    world.answers['hub: first'] = () => says({ ...status(), ...made.pop() })();
    const { exitCode, stdout } = await world.run(['monitor', 'setup']);
    expect(exitCode).toBe(0);
    expect(stdout.match(/pass-1234/g)).toHaveLength(1);
    expect(stdout).toContain('Dashboard: http://192.0.2.1/dashboard');
    expect(world.said().filter((one) => one.endsWith('write the audit log'))).toHaveLength(2);
  });

  test('setup where one host cannot be reached exits 3, and the others are watched', async () => {
    world.answers['web: address towards the monitor'] = () =>
      new Failure('host', 'does not answer', { next: 'Look.' });
    const { exitCode, json } = await world.run(['monitor', 'setup', '--json']);
    expect(exitCode).toBe(3);
    expect(json).toMatchObject({
      error: { kind: 'host', message: 'web could not be set up; the other 1 host is watched', next: 'Look.' },
    });
  });

  test('setup where the monitor itself cannot be reached exits 3 before anything is changed', async () => {
    world.answers['monitor: address towards the monitor'] = () => new Failure('host', 'does not answer');
    const { exitCode } = await world.run(['monitor', 'setup']);
    expect(exitCode).toBe(3);
    expect(world.said()).not.toContain('web: programs of the monitor');
  });

  test('status tells who is heard, and what a silent agent says', async () => {
    world.answers['hub: status'] = says(
      status({
        hosts: { monitor: { at: 99_000, aheadMs: 0 }, web: { at: 10_000, aheadMs: 0 } },
        alerts: [
          {
            key: 'host_silent|web|',
            since: 5,
            subject: 'web',
            state: 'firing',
            severity: 'critical',
            message: 'web is silent',
          },
        ],
        taken: [{ key: 'host_silent|web|', since: 5, by: 'bob@desk' }],
      }),
    );
    world.answers['what the agent says'] = () => ({ stdout: 'WRONGPASS\n' });
    const { exitCode, stdout } = await world.run(['monitor', 'status']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/monitor\s+1 s ago/);
    expect(stdout).toMatch(/web\s+90 s ago\s+WRONGPASS/);
    expect(stdout).toContain('  critical: web is silent (taken by bob@desk)');
  });

  test('status of a monitor that was never set up exits 3 and says how to', async () => {
    world.answers['hub: status'] = () => ({ exitCode: 4, stderr: 'There is no hub here.\n' });
    const { exitCode, json } = await world.run(['monitor', 'status', '--json']);
    expect(exitCode).toBe(3);
    expect(json).toMatchObject({ error: { next: 'Make the monitor: pipeline monitor setup' } });
  });

  test('users set shows the password; wrong words are refused', async () => {
    world.answers['hub: users set bob viewer'] = says({ password: 'pass-5678' });
    expect((await world.run(['monitor', 'users', 'set', 'bob'])).stdout).toContain('pass-5678');
    world.answers['hub: users remove bob'] = says({ removed: false });
    for (const words of [['add', 'bob'], ['set'], ['remove', 'bob']])
      expect((await world.run(['monitor', 'users', ...words])).exitCode).toBe(2);
  });

  test.each([
    [{ targets: 0, failures: [] }, 2, 'alerts go nowhere yet'],
    [{ targets: 2, failures: ['hook: 500'] }, 3, '1 of 2 places did not take the message'],
    [{ targets: 1, failures: [] }, 0, 'A test message went to 1 place.'],
  ])('test-alert with %j exits %i', async (answer, code, words) => {
    world.answers['hub: test-alert'] = says(answer);
    const { exitCode, stdout } = await world.run(['monitor', 'test-alert']);
    expect(exitCode).toBe(code);
    expect(stdout).toContain(words);
  });

  test('acknowledge takes what fires, says what, and writes the audit log', async () => {
    const alert = { key: 'check|web|shop', since: 5, subject: 'web', state: 'firing', severity: 'critical' };
    const alerts = [{ ...alert, message: 'check shop from web fails: 502' }];
    world.answers['hub: acknowledge web ann'] = says({ alerts });
    world.answers['hub: unacknowledge web'] = says({ alerts: [] });
    world.answers['write the audit log'] = () => ({});
    const taken = await world.run(['monitor', 'acknowledge', 'web']);
    expect(taken.exitCode).toBe(0);
    expect(taken.stdout).toContain('You take care of this:\n  check shop from web fails: 502');
    expect(world.said().at(-1)).toContain('write the audit log');
    const back = await world.run(['monitor', 'acknowledge', 'web', '--end']);
    expect([back.exitCode, back.stdout]).toEqual([2, expect.stringContaining('nothing about web is taken')]);
    const wrong = await world.run(['monitor', 'acknowledge', 'wbe']);
    expect([wrong.exitCode, wrong.stdout]).toEqual([2, expect.stringContaining('Did you mean web?')]);
  });

  test('preview asks the hub for a rule in words, and says how often it would have fired', async () => {
    const firing = { rule: 'preview', subject: 'web', part: '', from: 60_000, message: 'CPU on web is 95 %' };
    const rule = { name: 'preview', text: 'cpu > 90%', count: 3, firings: [{ ...firing, until: 120_000 }] };
    world.answers['hub: preview 604800000'] = says({ since: 0, until: 604_800_000, rules: [rule] });
    const { exitCode, stdout } = await world.run(['monitor', 'preview', 'cpu > 90%']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('would have fired 3 times in the last 7 days');
    expect(stdout).toMatch(/1970-01-01 \d\d:01\s+1 min\s+CPU on web is 95 %/);
  });

  test('a hub of an earlier version is to be brought up to date', async () => {
    const usage = 'There is no command "preview".\nUsage: hub.js COMMAND\n';
    world.answers['hub: preview 604800000'] = () => ({ exitCode: 2, stderr: usage });
    const { exitCode, json } = await world.run(['monitor', 'preview', 'cpu > 90%', '--json']);
    expect(exitCode).toBe(2);
    expect(json).toMatchObject({
      error: { message: expect.stringContaining('earlier version'), next: expect.stringContaining('setup') },
    });
  });

  test.each([
    [['cpu 90%'], 'expected >, >=, < or <=, found "90%"\n  cpu 90%\n      ^'],
    [['cpu on wbe > 90%'], 'there is no host "wbe"'],
    [['slow'], 'alerts: own: has no rule "slow"'],
    [[], 'has no rules of your own'],
    [['cpu > 90%', '--last', '200h'], 'the monitor keeps minutes for 7 days'],
  ])('preview %j exits 2', async (words, message) => {
    const { exitCode, stdout } = await world.run(['monitor', 'preview', ...words]);
    expect(exitCode).toBe(2);
    expect(stdout).toContain(message);
  });

  test('silence tells the hub for how long and why, and the audit log', async () => {
    const silence = { subject: 'web', from: 0, until: 7_200_000, why: 'new disk', by: 'ann@desk' };
    world.answers['hub: silence web 7200000 ann@desk new disk'] = says(silence);
    world.answers['write the audit log'] = () => ({});
    const words = ['monitor', 'silence', 'web', '2h', 'new disk', '--json'];
    const { exitCode, json } = await world.run(words, { PIPELINE_USER: 'ann@desk' });
    expect([exitCode, json]).toEqual([0, silence]);
  });

  test.each<[string, string[], string]>([
    ['no time', ['web'], 'for how long is web silenced'],
    ['no reason', ['web', '2h'], 'for how long is web silenced, and why?'],
    ['a time that is none', ['web', 'long', 'x'], '"long" is no time to be silent'],
    ['more than 30 days', ['web', '31d', 'x'], '"31d" is no time to be silent'],
    ['a subject that is none', ['wbe', '2h', 'x'], 'no alert is about "wbe"'],
  ])('silence with %s exits 2', async (_, words, message) => {
    const { exitCode, stdout } = await world.run(['monitor', 'silence', ...words]);
    expect([exitCode, stdout]).toEqual([2, expect.stringContaining(message)]);
  });

  test('silence without words lists those that go on', async () => {
    world.answers['hub: silences'] = says({ silences: [] });
    expect((await world.run(['monitor', 'silence'])).stdout).toContain('Nothing is silenced.');
  });

  test('without a host for it is refused with what to write', async () => {
    world.write('inventory.ini', '[web]\nweb ansible_host=192.0.2.2 ansible_port=22 ansible_user=root\n');
    const { exitCode, stdout } = await world.run(['monitor', 'setup']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('has no host in the group [monitor]');
    expect(stdout).toContain('Add monitor to hosts:');
  });
});

describe('doctor', () => {
  const facts = (os: string) => () => ({ stdout: `@@host\nos\t${os}\nsystemd\n@@end\n` });
  beforeEach(() => {
    world.write('pipeline.yml', 'project: shop\nprovider: digitalocean\nhosts: { web: {} }\napps: {}\n');
    world.write('inventory.ini', '[web]\nweb ansible_host=192.0.2.2 ansible_port=22 ansible_user=root\n');
  });

  test('that finds nothing exits 0', async () => {
    world.answers['gather facts'] = facts('debian\t12\tbookworm');
    const { exitCode, json } = await world.run(['doctor', '--json']);
    expect((json as { findings: object[] }).findings).toContainEqual({
      subject: 'web',
      state: 'good',
      message: 'debian 12 at 192.0.2.2',
    });
    expect(json).toMatchObject({ ok: true });
    expect(exitCode).toBe(0);
  });

  test('that finds something exits 2, shows all of it, and how to mend it', async () => {
    world.answers['gather facts'] = facts('debian\t11\tbullseye');
    const { exitCode, stdout } = await world.run(['doctor'], { PATH: world.folder });
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/✗ git\s+is not installed \(it fetches sources\)\n\s+apt-get install git/);
    expect(stdout).toMatch(/✗ web\s+web runs debian 11, which is not supported/);
    expect(stdout).toMatch(/\d things to mend\./);
  });

  test('of a wrong configuration goes no further', async () => {
    world.write('pipeline.yml', 'project: Shop!\n');
    const { exitCode, json } = await world.run(['doctor', '--json']);
    expect(exitCode).toBe(2);
    const { findings } = json as { findings: { subject: string; state: string }[] };
    expect(findings.at(-1)).toMatchObject({ subject: 'pipeline.yml', state: 'bad' });
  });
});

describe('init', () => {
  test('writes a configuration that the other commands take, and says what it found', async () => {
    world.write('package.json', '{"name":"shop","scripts":{"start":"node a.js"}}');
    const { exitCode, json, stderr } = await world.run(['init', '--json']);
    expect(exitCode).toBe(0);
    expect(json).toEqual({ path: join(world.folder, 'pipeline.yml'), runtime: 'node' });
    expect(stderr).toContain('Wrote pipeline.yml: found a node application here.');
    expect((await world.run(['prod', 'plan', '--provider', 'local'])).exitCode).toBe(0);
  });

  test('never overwrites one', async () => {
    const path = world.write('pipeline.yml', 'mine\n');
    const { exitCode, stdout } = await world.run(['init']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain(`${basename(path)} exists already, and is left as it is`);
    expect(readFileSync(path, 'utf8')).toBe('mine\n');
  });

  test('of a folder whose package.json is broken says so', async () => {
    world.write('package.json', '{');
    const { exitCode, stdout } = await world.run(['init']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('package.json is not JSON');
  });
});
