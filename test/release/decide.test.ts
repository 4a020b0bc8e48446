import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { type AppFacts, type KeptRelease, parseAppFacts } from '../../src/release/look/facts.ts';
import { records } from '../../src/release/look/releases.ts';
import { parseStatus } from '../../src/release/look/status.ts';
import { chooseRelease } from '../../src/release/plan/choose.ts';
import { chooseSlot, decide, prunable, rollbackTarget } from '../../src/release/plan/decide.ts';
import { facts as anyFacts, kept } from './support.ts';

const BLUE = 'pipeline-app@blue.service';
const GREEN = 'pipeline-app@green.service';
function facts(more: Partial<AppFacts> = {}): AppFacts {
  const own = { colours: { blue: 'c1' }, active: new Set([BLUE]), releases: [kept('c1')], site: 'site' };
  return anyFacts({ ...own, ...more });
}
const wants = (release: string) => (one: KeptRelease) => one.digest === `digest of ${release}`;

describe('what is to be done on a host', () => {
  it.each([
    ['nothing, where it serves', facts(), 'c1', 'site', { kind: 'nothing', colour: 'blue' }],
    [
      'a first deploy in blue',
      facts({ live: undefined, colours: {}, active: new Set(), releases: [], slot: undefined }),
      'c1',
      undefined,
      { kind: 'deploy', colour: 'blue', old: null },
    ],
    [
      'nothing, where the guard keeps the old version for its way back',
      facts({ active: new Set([BLUE, GREEN]), standby: 'green' }),
      'c1',
      'site',
      { kind: 'nothing', colour: 'blue' },
    ],
    [
      'another version in the other colour',
      facts(),
      'c2',
      'site',
      { kind: 'deploy', colour: 'green', old: 'blue' },
    ],
    [
      'and back',
      facts({
        live: 'green',
        colours: { blue: 'c1', green: 'c2' },
        active: new Set([GREEN]),
        releases: [kept('c2'), kept('c1')],
      }),
      'c1',
      'site',
      { kind: 'deploy', colour: 'blue', old: 'green' },
    ],
    [
      'the same again, where its process is gone',
      facts({ active: new Set() }),
      'c1',
      'site',
      { kind: 'deploy', colour: 'green', old: 'blue' },
    ],
    [
      'the same again, where its process starts again and again',
      facts({ active: new Set(), unwell: new Set([BLUE]) }),
      'c1',
      'site',
      { kind: 'deploy', colour: 'green', old: 'blue' },
    ],
    [
      'the same again, where one of two processes is gone',
      facts({ releases: [kept('c1', 'live', { instances: 2 })] }),
      'c1',
      'site',
      { kind: 'deploy' },
    ],
    [
      'the end of a killed deploy',
      facts({ active: new Set([BLUE, GREEN]) }),
      'c1',
      'site',
      { kind: 'finish', colour: 'blue', site: false },
    ],
    [
      'the end of one killed before it was called live',
      facts({ releases: [kept('c1', 'unfinished')] }),
      'c1',
      'site',
      { kind: 'finish', colour: 'blue', site: false },
    ],
    ['the site alone', facts({ site: 'old' }), 'c1', 'site', { kind: 'finish', colour: 'blue', site: true }],
    [
      'a whole deploy, where the release behind the colour is gone',
      facts({ releases: [] }),
      'c1',
      undefined,
      { kind: 'deploy', colour: 'green', old: null },
    ],
  ])('%s', (_, found, wanted, site, expected) => {
    expect(decide(found, wants(wanted), site, true)).toMatchObject(expected);
  });

  it('takes the first slot of ports in which nobody listens', () => {
    expect(chooseSlot(facts({ slot: 7 }))).toBe(7);
    expect(chooseSlot(facts({ slot: undefined, takenSlots: new Set([0, 1, 3]) }))).toBe(2);
    expect(
      chooseSlot(facts({ slot: undefined, takenSlots: new Set(Array.from({ length: 280 }, (_, i) => i)) })),
    ).toBeUndefined();
  });
});

describe('which releases may go', () => {
  const list = [
    kept('c9'),
    kept('c8', 'failed'),
    kept('c7', 'withdrawn'),
    kept('c6'),
    kept('c5', 'failed'),
    kept('c4', 'withdrawn'),
    kept('c3'),
    kept('c2', 'unfinished'),
    kept('c1'),
  ];
  it.each([
    [2, 'c9', 'c7', ['c5', 'c4', 'c3', 'c2', 'c1']],
    [3, 'c9', 'c6', ['c5', 'c4', 'c3', 'c2', 'c1']],
    [50, 'c9', undefined, ['c5', 'c2']],
    // Gone back far: the one before that is where the next rollback goes.
    [2, 'c3', 'c9', ['c6', 'c5', 'c4', 'c2']],
  ])('keep %i, live %s, before %s: %j', (keep, live, before, expected) => {
    expect(prunable(list, keep, live, before)).toEqual(expected);
  });

  it('goes back to what served, not to what failed or was left', () => {
    expect(rollbackTarget(list, 'c9')?.manifest.release).toBe('c6');
    expect(rollbackTarget(list, 'c6')?.manifest.release).toBe('c3');
    expect(rollbackTarget(list, 'c1')).toBeUndefined();
  });
});

describe('which release a rollback means', () => {
  const host = (name: string, ...releases: KeptRelease[]) => ({
    host: { name, connection: undefined as never },
    facts: facts({ colours: { blue: 'c3' }, releases }),
  });
  const found = [
    host('a', kept('c3'), kept('c2', 'withdrawn'), kept('c1')),
    host('b', kept('c3'), kept('c1')),
  ];
  it('takes one that every host has', () => {
    expect(chooseRelease('app', undefined, found).manifest.release).toBe('c1');
    expect(chooseRelease('app', 'c1', found).manifest.release).toBe('c1');
    expect(chooseRelease('app', 'c100', found).manifest.release).toBe('c1');
  });
  it('says where it is missing, and what there is', () => {
    try {
      chooseRelease('app', 'c2', found);
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
      expect(error).toMatchObject({ kind: 'usage', message: 'app: release "c2" is not on b' });
      expect((error as Failure).next).toContain('On the hosts are: c3, c1.');
      return;
    }
    throw new Error('it worked');
  });
});

describe('facts of a host', () => {
  const release = JSON.stringify(kept('c1').manifest);
  const text = `architecture aarch64
missing curl
prepared abc
slot app 3
slot other 0
listen 22
listen 21032
listen 21100
green 100
colour blue c0
colour green c1
unit ${GREEN} active
unit ${BLUE} activating
timer pipeline-app@job-nightly.timer
release live d1 ${release}
release broken d2 ${release}
release live d3 {"cut off
program onhost-1.cjs
program-node 22.1.0
node 20.11.1
agent-node 24.0.0
incoming abc
site def
standby blue c0
complete
`;
  it('say that it stands still for a restore', () => {
    expect(parseAppFacts('web', 'app', `standstill\n${text}`).standsStill).toBe(true);
  });
  it('are read from lines', () => {
    expect(parseAppFacts('web', 'app', text)).toEqual({
      auth: [],
      closed: undefined,
      standsStill: false,
      architecture: 'arm64',
      program: 'onhost-1.cjs',
      rollout: false,
      programNode: '22.1.0',
      agentNodes: new Set(['24.0.0']),
      prepared: 'abc',
      missing: ['curl'],
      noIpv6: false,
      slot: 3,
      takenSlots: new Set([0, 1]),
      live: 'green',
      colours: { blue: 'c0', green: 'c1' },
      standby: 'blue',
      active: new Set([GREEN]),
      unwell: new Set([BLUE]),
      timers: new Set(['pipeline-app@job-nightly.timer']),
      releases: [{ manifest: kept('c1').manifest, state: 'live', digest: 'd1' }],
      nodes: new Set(['20.11.1']),
      incoming: new Set(['abc']),
      site: 'def',
    });
  });
  it.each([
    ['20000 c0 c1', { left: 20_000, previous: 'c0' }],
    // An older pipeline did not write whose it is.
    ['20000 c0', { left: 20_000, previous: 'c0' }],
    ['-1 c0 c1', undefined],
    // Suspended, while the command died that let another release take over.
    ['20000 c9 c0', undefined],
  ])('say what is left of the first minute of what serves: %s', (line, wanted) => {
    expect(parseAppFacts('web', 'app', `watched ${line}\n${text}`).watched).toEqual(wanted);
  });
  it('say where the kernel has no IPv6', () => {
    expect(parseAppFacts('web', 'app', `lacks ipv6\n${text}`).noIpv6).toBe(true);
  });
  it('must be complete', () => {
    expect(() => parseAppFacts('web', 'app', 'architecture x86_64\n')).toThrow(/incomplete/);
    expect(() => parseAppFacts('web', 'app', 'architecture riscv64\ncomplete\n')).toThrow(/riscv64/);
  });
});

describe('the list of releases', () => {
  const entry = (release: string, result: string) => ({
    at: `2026-11-23T00:00:0${release.slice(1)}Z`,
    by: 'her',
    action: 'deploy',
    result,
    app: 'app',
    release,
    ref: 'main',
    commit: 'c',
    subject: 'said',
  });
  it('has those that are there and those that only the log remembers', () => {
    const list = records([
      {
        host: 'web-1',
        facts: facts({
          colours: { blue: 'c3' },
          releases: [kept('c4', 'failed'), kept('c3'), kept('c2', 'withdrawn')],
        }),
        audit: [
          entry('c1', 'live'),
          entry('c0', 'failed'),
          entry('c3', 'live'),
          { ...entry('c2', 'live'), action: 'rollback' },
        ],
      },
      { host: 'web-2', facts: facts({ colours: { blue: 'c3' }, releases: [kept('c3')] }), audit: [] },
    ]);
    expect(list.map(({ release, result, live, kept: there }) => [release, result, live, there])).toEqual([
      ['c4', 'failed', false, false],
      ['c3', 'live', true, true],
      ['c2', 'withdrawn', false, false],
      ['c1', 'live', false, false],
      ['c0', 'failed', false, false],
    ]);
    expect(list[3]).toMatchObject({ by: 'her', subject: 'said', ref: 'main' });
  });
  it('tells how a rollout let a release in, step by step', () => {
    const step = (at: string, result: string, message: string) => ({
      ...entry('c4', result),
      ...{ at, action: 'rollout', message },
    });
    const [newest, before] = records([
      {
        host: 'web-1',
        facts: facts({ colours: { blue: 'c3', green: 'c4' }, releases: [kept('c4', 'failed'), kept('c3')] }),
        audit: [
          step('2026-11-29T07:02:00.000Z', 'step', '5 % of the visitors: harm is excluded'),
          step('2026-11-29T07:00:00.000Z', 'began', '1 % of the visitors'),
          { ...entry('c4', 'failed'), message: 'taken back: errors' },
        ],
      },
    ]);
    expect(newest).toMatchObject({ release: 'c4', result: 'failed', reason: 'taken back: errors' });
    expect(newest?.steps.map(({ kind }) => kind)).toEqual(['began', 'step']);
    expect(before?.steps).toEqual([]);
  });
  it('says which hosts serve a release where they differ, and why one has left it', () => {
    const left = { ...entry('c4', 'failed'), message: 'it sours; went back to c3' };
    const list = records([
      {
        host: 'web-1',
        facts: facts({ colours: { blue: 'c4' }, releases: [kept('c4'), kept('c3', 'withdrawn')] }),
        audit: [entry('c4', 'live')],
      },
      {
        host: 'web-2',
        facts: facts({ colours: { blue: 'c3' }, releases: [kept('c4', 'failed'), kept('c3')] }),
        audit: [entry('c4', 'live'), left],
      },
    ]);
    expect(list).toMatchObject([
      { release: 'c4', result: 'live', reason: left.message, live: false, liveOn: ['web-1'], kept: false },
      { release: 'c3', result: 'withdrawn', live: false, liveOn: ['web-2'], kept: true },
    ]);
  });
});

describe('the status of applications', () => {
  it('is well where every process is', () => {
    const line = (release: string) => `app ${JSON.stringify(kept(release).manifest)}`;
    expect(
      parseStatus(
        `${line('c1')}\nprocess 0 GET / → 200\nprocess 1 GET / → 500, wanted 200\n` +
          `${line('c2')}\nprocess 0 GET / → 200\n`,
      ),
    ).toMatchObject([
      { release: 'c1', healthy: false, reason: 'GET / → 500, wanted 200' },
      { release: 'c2', healthy: true },
    ]);
    expect(parseStatus('')).toEqual([]);
  });
});
