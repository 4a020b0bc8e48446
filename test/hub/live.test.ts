import { describe, expect, it } from 'vitest';
import type { AlertState } from '../../src/alerts/types.ts';
import { livePoint } from '../../src/hub/charts/live.ts';
import { AppSparks } from '../../src/hub/charts/sparks.ts';
import { healthOf } from '../../src/hub/charts/view.ts';
import type { Row, Window } from '../../src/metrics/catalogue.ts';
import { window } from '../metrics/windows.ts';

const MINUTE = 60_000;
const none = { sum: 0, zero: 0, counts: {} };

function routes(requests: number, app = 'shop'): Row<'routes'>[] {
  return [
    {
      server: 'nginx',
      app,
      colour: 'blue',
      release: 'r1',
      method: '*',
      route: '*',
      requests,
      status_2xx: requests,
      status_3xx: 0,
      status_4xx: 0,
      status_5xx: 0,
      retries: 0,
      bytes: 0,
      latency: none,
      size: none,
    },
  ];
}
const of = (host: string, at: number, requests: number): Window =>
  window({ host, at, seconds: 2, routes: routes(requests) });

describe('a live point of an application has the rate of all its hosts', () => {
  const shop = { kind: 'app', name: 'shop', releases: [] } as const;
  const serving = new Set(['a', 'b']);
  const cases: [string, Window[], number | undefined][] = [
    ['one window of each', [of('a', 4000, 20), of('b', 4100, 20)], 20],
    ['one that comes late', [of('a', 4000, 20)], 20],
    ['two of one host', [of('a', 2000, 20), of('a', 4000, 20), of('b', 4100, 20)], 20],
    [
      'a host that does not serve it',
      [of('a', 4000, 20), of('b', 4100, 20), window({ host: 'c', at: 4200, seconds: 2 })],
      20,
    ],
    ['none yet', [window({ host: 'c', at: 4200, seconds: 2 })], undefined],
  ];
  it.each(cases)('%s', (_title, windows, rate) => {
    const point = livePoint(shop, windows, serving, 2);
    expect(point?.panels.find(({ id }) => id === 'rate')?.series[0]?.values[0]).toBe(rate);
  });
});

describe('the small line of an application', () => {
  it('adds its hosts up, and counts the minute that runs by what has passed of it', () => {
    const sparks = new AppSparks();
    const now = 100 * MINUTE + 30_000;
    for (const host of ['a', 'b']) {
      sparks.add(of(host, 98 * MINUTE + 5000, 60));
      sparks.add(of(host, 100 * MINUTE + 5000, 60));
    }
    expect(sparks.line('shop', now).slice(-4)).toEqual([null, 2, 0, 4]);
    expect(sparks.line('shop', now)).toHaveLength(60);
    expect(sparks.line('other', now).every((value) => value === null)).toBe(true);
  });

  it('forgets what is older than an hour', () => {
    const sparks = new AppSparks();
    sparks.add(of('a', MINUTE, 60));
    sparks.add(of('a', 90 * MINUTE, 60));
    expect(sparks.line('shop', 90 * MINUTE).filter((value) => value !== null)).toEqual([1]);
  });
});

it('a host and an application of the same name are well or not each for itself', () => {
  const firing: AlertState = {
    key: 'check itrust',
    rule: 'check',
    severity: 'critical',
    subject: 'itrust',
    kind: 'host',
    message: '',
    state: 'firing',
    since: 0,
    seenAt: 0,
    fires: 1,
    told: 'critical',
  };
  expect([healthOf('host', 'itrust', [firing]), healthOf('app', 'itrust', [firing])]).toEqual([
    'broken',
    'well',
  ]);
});
