import { describe, expect, it } from 'vitest';
import { deployNotice } from '../../src/alerts/deploys.ts';
import { evaluate, resume } from '../../src/alerts/evaluate.ts';
import { findings, type MonitorView } from '../../src/alerts/findings.ts';
import { isQuiet } from '../../src/alerts/quiet.ts';
import { isSilenced, type Silence, silenceOf } from '../../src/alerts/silence.ts';
import type { Taken } from '../../src/alerts/taken.ts';
import type { AlertState, Finding, Notice } from '../../src/alerts/types.ts';
import { alertsSchema } from '../../src/config/schema.ts';
import { window } from '../metrics/windows.ts';

const config = alertsSchema.parse({});
const failing: Finding = {
  key: 'check|web|site',
  rule: 'check',
  severity: 'warning',
  subject: 'web',
  kind: 'host',
  message: 'check site from web fails',
};

interface Told {
  readonly quiet?: (typeof config)['quiet'];
  readonly repeat?: number;
  readonly taken?: (second: number) => readonly Taken[];
  readonly silences?: readonly Silence[] | ((second: number) => readonly Silence[]);
}

/** Looks once a second: `x` the trouble is there, `.` it is not. What people are told, with the second. */
function told(course: string, { quiet, repeat, silences = [], taken = () => [] }: Told = {}): string[] {
  let states: readonly AlertState[] = [];
  const all: Notice[] = [];
  [...course].forEach((look, second) => {
    const found = look === 'x' ? [failing] : [];
    const silent = typeof silences === 'function' ? silences(second) : silences;
    const step = evaluate(states, found, { ...config, quiet, repeat }, second * 1000, {
      silences: silent,
      taken: taken(second),
    });
    // As a hub that is restarted after every look.
    states = JSON.parse(JSON.stringify(step.states)) as AlertState[];
    all.push(...step.notices);
  });
  return all.map(({ state, at }) => `${state} ${at / 1000}`);
}

describe('a rule with for: 30s tells', () => {
  it.each<[string, string, string[]]>([
    ['nothing of what lasts less', `${'x'.repeat(29)}${'.'.repeat(60)}`, []],
    [
      'of what lasts, once, and when it is over',
      `${'x'.repeat(40)}${'.'.repeat(60)}`,
      ['firing 30', 'resolved 59'],
    ],
    ['nothing of a single good look in between', `${'x'.repeat(35)}.${'x'.repeat(30)}`, ['firing 30']],
    [
      'of a second time only after it was really over, and then waits twice as long to call it over',
      `${'x'.repeat(40)}${'.'.repeat(30)}${'x'.repeat(40)}${'.'.repeat(45)}`,
      ['firing 30', 'resolved 59', 'firing 100', 'resolved 149'],
    ],
  ])('%s', (_title, course, notices) => expect(told(course)).toEqual(notices));

  const quiet = (from: string, to: string) => ({ from, to, zone: 'UTC' });
  it.each<[string, string, ReturnType<typeof quiet>, string[]]>([
    ['a warning in quiet hours when they end', 'x'.repeat(70), quiet('00:00', '00:01'), ['firing 60']],
    [
      'nothing where it was over when they end',
      `${'x'.repeat(35)}${'.'.repeat(90)}`,
      quiet('00:00', '00:01'),
      [],
    ],
    [
      'that a warning is over when they end',
      `${'x'.repeat(65)}${'.'.repeat(90)}`,
      quiet('00:01', '00:02'),
      ['firing 30', 'resolved 120'],
    ],
    [
      'nothing of what began again before it was told to be over',
      `${'x'.repeat(65)}${'.'.repeat(22)}${'x'.repeat(90)}`,
      quiet('00:01', '00:02'),
      ['firing 30'],
    ],
  ])('%s', (_title, course, hours, notices) => expect(told(course, { quiet: hours })).toEqual(notices));

  const silence = (subject: string, from: number, until: number): Silence => ({
    subject,
    from: from * 1000,
    until: until * 1000,
    why: 'new disk',
    by: 'ann@desk',
  });
  it.each<[string, string, string, number, string[]]>([
    ['nothing of a silenced host until the silence ends', 'x'.repeat(90), 'web', 60, ['firing 60']],
    ['nothing of a silenced rule', 'x'.repeat(90), 'check', 60, ['firing 60']],
    ['nothing at all while all is silenced', 'x'.repeat(90), 'all', 60, ['firing 60']],
    ['of other hosts meanwhile', 'x'.repeat(90), 'db', 60, ['firing 30']],
    ['nothing of what was over when the silence ends', `${'x'.repeat(40)}${'.'.repeat(90)}`, 'web', 70, []],
  ])('%s', (_title, course, subject, until, notices) =>
    expect(told(course, { silences: [silence(subject, 0, until)] })).toEqual(notices),
  );

  it('that it is over when the silence ends, where it was told before', () => {
    const silences = [silence('web', 0, 110)];
    const begins = (second: number) => (second < 35 ? [] : silences);
    expect(told(`${'x'.repeat(40)}${'.'.repeat(90)}`, { silences: begins })).toEqual([
      'firing 30',
      'resolved 110',
    ]);
  });

  it('again and again while it lasts, where that is wanted, and that it is over', () => {
    const course = `${'x'.repeat(100)}${'.'.repeat(30)}`;
    expect(told(course, { repeat: 25_000 })).toEqual([
      'firing 30',
      'firing 55',
      'firing 80',
      'firing 105',
      'resolved 119',
    ]);
  });

  it('nothing again of what somebody has taken, but that it is over', () => {
    const course = `${'x'.repeat(100)}${'.'.repeat(30)}`;
    const mine: Taken = { key: failing.key, since: 0, by: 'ann', at: 40_000 };
    const takes = (second: number) => (second < 40 ? [] : [mine]);
    expect(told(course, { repeat: 25_000, taken: takes })).toEqual(['firing 30', 'resolved 119']);
    // Another trouble of the same name, later, is told.
    const again = `${course}${'x'.repeat(40)}`;
    expect(told(again, { repeat: 25_000, taken: takes })).toEqual([
      'firing 30',
      'resolved 119',
      'firing 160',
    ]);
    // Given back, it is told again.
    const back = (second: number) => (second < 40 || second > 90 ? [] : [mine]);
    expect(told(course, { repeat: 25_000, taken: back })).toEqual([
      'firing 30',
      'firing 91',
      'firing 116',
      'resolved 119',
    ]);
  });

  it("nothing of an application's checks and units while it is silenced", () => {
    const about = (rule: string, part: string) => ({ key: `${rule}|web|${part}`, subject: 'web', rule });
    const shop = [{ ...silence('shop', 0, 60) }];
    const silenced = (rule: string, part: string) => isSilenced(shop, about(rule, part), 1000);
    expect(silenced('check', 'shop')).toBe(true);
    expect(silenced('unit_failed', 'pipeline-shop@blue.service')).toBe(true);
    expect(silenced('check', 'shop-front')).toBe(false);
    expect(silenced('unit_failed', 'pipeline-shopper@blue.service')).toBe(false);
    expect(silenced('memory', '')).toBe(false);
  });

  it('of a deploy that failed, also in the silence that it begins', () => {
    const event = { id: '1', at: 1000, kind: 'deploy', app: 'shop', result: 'failed', text: 'went back' };
    const begun = silenceOf(event, 60_000, 2000);
    expect(begun).toMatchObject({ subject: 'shop', until: 61_000, automatic: true });
    const silences = begun === undefined ? [] : [begun];
    const notice = deployNotice(event, 2000);
    expect(notice && isSilenced(silences, notice.alert, 2000)).toBe(false);
    expect(isSilenced(silences, { key: 'errors|shop|', rule: 'errors', subject: 'shop' }, 2000)).toBe(true);
    expect(isSilenced(silences, { key: 'errors|shop|', rule: 'errors', subject: 'shop' }, 61_001)).toBe(
      false,
    );
    expect(silenceOf({ ...event, kind: 'canary' }, 60_000, 2000)).toBeUndefined();
    expect(silenceOf(event, 60_000, 62_000)).toBeUndefined();
  });

  it('of what became critical again, also in quiet hours, and not when it becomes a warning', () => {
    const hours = quiet('00:01', '00:02');
    const severity = (second: number) => (second > 65 && second < 80 ? 'critical' : 'warning');
    let states: readonly AlertState[] = [];
    const all = Array.from({ length: 100 }, (_, second) => {
      const found = { ...failing, severity: severity(second) } as const;
      const step = evaluate(states, [found], { ...config, quiet: hours }, second * 1000);
      states = step.states;
      return step.notices.map(({ alert }) => `${alert.severity} ${second}`);
    });
    expect(all.flat()).toEqual(['warning 30', 'critical 66']);
  });
});

it('time without a hub is no calm, and what a host left behind that is watched no more is forgotten', () => {
  const fired = evaluate([], Array(1).fill(failing), config, 0).states.map(
    (state): AlertState => ({ ...state, state: 'firing', told: 'warning' }),
  );
  const hour = 3_600_000;
  const states = resume(fired, ['web'], hour);
  expect(evaluate(states, [failing], config, hour + 1000).notices).toEqual([]);
  expect(evaluate(states, [], config, hour + 1000).notices).toEqual([]);
  expect(evaluate(states, [], config, hour + 21_000).notices).toHaveLength(1);
  expect(resume(fired, ['db'], hour)).toEqual([]);
});

it.each([
  ['22:00', '07:00', '2026-11-23T23:00:00Z', true],
  ['22:00', '07:00', '2026-11-23T06:59:00Z', true],
  ['22:00', '07:00', '2026-11-23T07:00:00Z', false],
  ['12:00', '13:00', '2026-11-23T12:30:00Z', true],
  ['22:00', '07:00', '2026-11-23T21:30:00Z', true, 'Europe/Berlin'],
  ['22:00', '07:00', '2026-11-23T06:30:00Z', false, 'Europe/Berlin'],
  ['22:00', '07:00', '2026-07-23T20:30:00Z', true, 'Europe/Berlin'],
  ['22:00', '07:00', '2026-11-23T23:30:00Z', false, 'America/New_York'],
  ['22:00', '07:00', '2026-11-23T16:45:00Z', true, 'Asia/Kolkata'],
])('quiet from %s to %s at %s: %s %s', (from, to, at, quiet, zone = 'UTC') =>
  expect(isQuiet({ from, to, zone }, Date.parse(at))).toBe(quiet),
);

it('a time zone that there is none of is a mistake of the configuration', () => {
  const quiet = { from: '22:00', to: '07:00', zone: 'Europe/Berln' };
  expect(alertsSchema.safeParse({ quiet }).error?.issues[0]?.message).toContain('time zone');
});

it('silence is told as soon as it is found: it has lasted then', () => {
  const silent: Finding = { ...failing, key: 'host_silent|web|', rule: 'host_silent', severity: 'critical' };
  expect(evaluate([], [silent], config, 0).notices).toHaveLength(1);
});

describe('findings', () => {
  const now = 1_800_000_000_000;
  const host = {
    name: 'web',
    heardAt: now,
    aheadMs: 0,
    restarts: new Map(),
    growth: new Map(),
    latest: window(),
  };
  const view: MonitorView = {
    now,
    listeningSince: 0,
    silentBefore: new Set(),
    hosts: [host],
    apps: [],
    storage: 0.1,
    trouble: '',
  };
  const disk = {
    mount: '/',
    device: 'vda',
    size: 100,
    used: 60,
    inodes_used: 0,
    read: 0,
    written: 0,
    reads: 0,
    writes: 0,
    busy: 0,
  };
  const unit = { unit: 'x.service', state: 'failed', sub: 'failed', restarts: 0, cpu: null, memory: null };
  const app = { name: 'shop', requests: 100, errors: 0, p90: 30, usualP90: 28 };
  it.each<[string, MonitorView, string[]]>([
    ['nothing of what is well', view, []],
    ['silence', { ...view, hosts: [{ ...host, heardAt: now - 12_001 }] }, ['host_silent|web|']],
    [
      'no silence where the hub itself has just begun',
      { ...view, listeningSince: now - 5000, hosts: [{ ...host, heardAt: now - 60_000 }] },
      [],
    ],
    [
      'silence of a host that was silent before the hub began',
      {
        ...view,
        listeningSince: now - 5000,
        silentBefore: new Set(['web']),
        hosts: [{ ...host, heardAt: now - 60_000 }],
      },
      ['host_silent|web|'],
    ],
    [
      'no silence of one that was heard since',
      { ...view, listeningSince: now - 5000, silentBefore: new Set(['web']) },
      [],
    ],
    [
      'a disk that is full',
      { ...view, hosts: [{ ...host, latest: window({ disks: [{ ...disk, used: 95 }] }) }] },
      ['disk|web|/'],
    ],
    [
      'a disk that is half empty and will be full tomorrow',
      { ...view, hosts: [{ ...host, growth: new Map([['/', 0.001]]), latest: window({ disks: [disk] }) }] },
      ['disk|web|/'],
    ],
    [
      'no disk that grows slowly',
      { ...view, hosts: [{ ...host, growth: new Map([['/', 0.0001]]), latest: window({ disks: [disk] }) }] },
      [],
    ],
    [
      'a failed unit',
      { ...view, hosts: [{ ...host, latest: window({ units: [unit] }) }] },
      ['unit_failed|web|x.service'],
    ],
    [
      'restarts',
      { ...view, hosts: [{ ...host, restarts: new Map([['x.service', 4]]) }] },
      ['unit_restarts|web|x.service'],
    ],
    ['a clock', { ...view, hosts: [{ ...host, aheadMs: -11_000 }] }, ['clock|web|']],
    ['errors', { ...view, apps: [{ ...app, errors: 6 }] }, ['errors|shop|']],
    ['no errors of five requests', { ...view, apps: [{ ...app, requests: 5, errors: 5 }] }, []],
    ['latency against last week', { ...view, apps: [{ ...app, p90: 61 }] }, ['latency|shop|']],
    ['no latency without a last week', { ...view, apps: [{ ...app, p90: 61, usualP90: undefined }] }, []],
    ['a full Redis', { ...view, storage: 0.81 }, ['storage|monitor|']],
    ['that nothing is taken in', { ...view, trouble: 'OOM' }, ['storage|monitor|ingest']],
  ])('say %s', (_title, given, keys) =>
    expect(findings(given, config.rules).map(({ key }) => key)).toEqual(keys),
  );

  it('say nothing of a rule that is off', () => {
    const off = alertsSchema.parse({ rules: { host_silent: 'off' } }).rules;
    expect(findings({ ...view, hosts: [{ ...host, heardAt: now - 99_000 }] }, off)).toEqual([]);
  });
});

it.each([
  [['x.service'], []],
  [['x'], []],
  [['x*'], []],
  [['*.timer', 'y'], ['unit_failed|web|x.service']],
])('unit_failed except %j leaves %j', (except, left) => {
  const { rules } = alertsSchema.parse({ rules: { unit_failed: { except } } });
  const latest = window({
    units: [{ unit: 'x.service', state: 'failed', sub: '', restarts: 0, cpu: null, memory: null }],
  });
  const host = { name: 'web', heardAt: 1, aheadMs: 0, latest, restarts: new Map(), growth: new Map() };
  const calm = { now: 1, listeningSince: 0, apps: [], silentBefore: new Set<string>(), storage: undefined };
  expect(findings({ ...calm, hosts: [host], trouble: '' }, rules).map(({ key }) => key)).toEqual(left);
});
