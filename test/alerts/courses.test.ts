/**
 * Every rule over time: it fires, once, however the figure wavers; it is over; a hub that begins anew in
 * between changes nothing of that.
 */
import { describe, expect, it } from 'vitest';
import { evaluate, resume } from '../../src/alerts/evaluate.ts';
import { findings, type HostView, type MonitorView } from '../../src/alerts/findings.ts';
import type { AlertState, LastingRule } from '../../src/alerts/types.ts';
import { alertsSchema } from '../../src/config/schema.ts';
import type { Row } from '../../src/metrics/catalogue.ts';
import { window } from '../metrics/windows.ts';

const { rules } = alertsSchema.parse({});
const NOW = 1_800_000_000_000;
const DAY = 86_400;

const well: HostView = {
  name: 'web',
  heardAt: NOW,
  aheadMs: 0,
  latest: window(),
  restarts: new Map(),
  growth: new Map(),
};
const disk = (used: number): Row<'disks'> => ({
  mount: '/',
  device: 'vda',
  size: 100,
  used,
  inodes_used: 0,
  read: 0,
  written: 0,
  reads: 0,
  writes: 0,
  busy: 0,
});
const app = { name: 'shop', requests: 100, errors: 0, p90: 30, usualP90: 28 };
type System = Row<'system'>;

/** The world with more (`bad`) or less of a trouble. */
type World = (bad: boolean, now: number) => Partial<MonitorView>;
const host =
  (of: (bad: boolean, now: number) => Partial<HostView>): World =>
  (bad, now) => ({ hosts: [{ ...well, heardAt: now, ...of(bad, now) }] });
const tables = (of: (bad: boolean, now: number) => Parameters<typeof window>[0]): World =>
  host((bad, now) => ({ latest: window(of(bad, now)) }));

const WORLDS: Readonly<Record<LastingRule, World>> = {
  host_silent: host((bad, now) => ({ heardAt: bad ? NOW : now })),
  disk: tables((bad) => ({ disks: [disk(bad ? 91 : 89)] })),
  memory: tables((bad) => ({
    system: [{ memory_used: bad ? 96 : 94, memory_total: 100 } as System],
  })),
  unit_failed: tables((bad) => ({
    units: [
      {
        unit: 'x.service',
        state: bad ? 'failed' : 'active',
        sub: '',
        restarts: 0,
        cpu: null,
        memory: null,
      },
    ],
  })),
  unit_restarts: host((bad) => ({ restarts: new Map([['x.service', bad ? 4 : 3]]) })),
  check: tables((bad) => ({
    checks: [{ check: 'site', target: 'http://x', up: bad ? 0 : 1, duration: 1, error: bad ? 'no' : '' }],
  })),
  store: tables((bad) => ({
    stores: [
      {
        store: 'main',
        kind: 'redis',
        up: bad ? 0 : 1,
        duration: 1,
        connections: 1,
        size: 1,
        error: bad ? 'no' : '',
      },
    ],
  })),
  errors: (bad) => ({ apps: [{ ...app, errors: bad ? 6 : 5 }] }),
  latency: (bad) => ({ apps: [{ ...app, p90: bad ? 57 : 55 }] }),
  certificate: tables((bad, now) => ({
    certificates: [
      { endpoint: 'shop:443', expires: now / 1000 + (bad ? 13 : 90) * DAY, subject: '', error: '' },
    ],
  })),
  backup: tables((bad, now) => ({
    backups: [
      {
        item: 'shop/orders',
        at: now / 1000 - (bad ? 2.1 : 1.9) * DAY,
        since: 0,
        every: DAY,
        bytes: 1,
        error: bad ? 'no room' : '',
        verified: null,
        verify_error: '',
      },
    ],
  })),
  clock: host((bad) => ({ aheadMs: bad ? 11_000 : 9000 })),
  storage: (bad) => ({ storage: bad ? 0.81 : 0.79 }),
};

/**
 * Looks once a second at a world that is well for a minute, troubled until `until`, and well again until the
 * end.
 */
function course(world: World, troubled: (second: number) => boolean, until: number, restartEvery?: number) {
  let states: readonly AlertState[] = [];
  const told: string[] = [];
  let listeningSince = 0;
  for (let second = 0; second < until; second++) {
    const now = NOW + second * 1000;
    if (restartEvery !== undefined && second % restartEvery === 0) {
      states = resume(JSON.parse(JSON.stringify(states)) as AlertState[], ['web'], now);
      listeningSince = now;
    }
    const silent = states.filter(({ rule, state }) => rule === 'host_silent' && state === 'firing');
    const view: MonitorView = {
      now,
      listeningSince,
      silentBefore: new Set(silent.map(({ subject }) => subject)),
      hosts: [],
      apps: [],
      storage: 0.1,
      trouble: '',
      ...world(troubled(second), now),
    };
    const step = evaluate(states, findings(view, rules), { rules }, now);
    states = step.states;
    for (const notice of step.notices) told.push(notice.state);
  }
  return told;
}

describe.each(Object.entries(WORLDS))('%s', (_name, world) => {
  const HOUR = 3600;
  it('is not told while all is well', () => expect(course(world, () => false, 600)).toEqual([]));
  it('is told once, and once that it is over', () =>
    expect(course(world, (second) => second > 60 && second < 1200, HOUR)).toEqual(['firing', 'resolved']));
  it('is told once while it wavers', () =>
    expect(
      course(world, (second) => second > 60 && second < 1800 && (second < 600 || second % 40 > 15), HOUR),
    ).toEqual(['firing', 'resolved']));
  it('survives restarts of the hub without a word', () =>
    expect(course(world, (second) => second > 60 && second < 1200, HOUR, 400)).toEqual([
      'firing',
      'resolved',
    ]));
});
