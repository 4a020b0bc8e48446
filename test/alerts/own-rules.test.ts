/** Rules of one's own: what they find in a minute, and what a preview says they would have told. */
import { describe, expect, it } from 'vitest';
import type { Minute } from '../../src/alerts/own-rules/compute.ts';
import { ownFindings } from '../../src/alerts/own-rules/judge.ts';
import { Preview } from '../../src/alerts/own-rules/preview.ts';
import { alertsSchema } from '../../src/config/schema.ts';
import type { Row, Window } from '../../src/metrics/catalogue.ts';
import { Histogram } from '../../src/metrics/histogram.ts';
import { window } from '../metrics/windows.ts';

const rules = (own: Readonly<Record<string, unknown>>) => alertsSchema.parse({ own }).own;
const system = (row: Partial<Row<'system'>>) => ({ system: [row as Row<'system'>] });

interface Served {
  readonly app?: string;
  readonly route?: string;
  readonly method?: string;
  readonly requests: number;
  readonly failed?: number;
  readonly ms?: number;
}
function served({ app = 'shop', route = '/', method = 'GET', requests, failed = 0, ms = 10 }: Served) {
  const latency = new Histogram();
  for (let i = 0; i < requests - failed; i++) latency.record(ms);
  const row: Row<'routes'> = {
    server: 'nginx',
    app,
    colour: 'blue',
    release: 'r1',
    method,
    route,
    requests,
    status_2xx: requests - failed,
    status_3xx: 0,
    status_4xx: 0,
    status_5xx: failed,
    retries: 0,
    bytes: 100 * requests,
    latency: latency.data(),
    size: latency.data(),
  };
  return row;
}

const minute = (
  hosts: Readonly<Record<string, readonly Partial<Window>[]>>,
  apps: Readonly<Record<string, readonly string[]>> = {},
): Minute => ({
  hosts: new Map(
    Object.entries(hosts).map(([host, windows]) => [
      host,
      windows.map((one) => window({ host, seconds: 60, ...one })),
    ]),
  ),
  apps: new Map(Object.entries(apps)),
});

/** The subjects and messages that one rule finds. */
const found = (when: string, of: Minute) =>
  ownFindings(rules({ mine: when }), of).map(({ message }) => message);

describe('a rule about hosts', () => {
  it('is about the mean of the minute, of each host by itself', () => {
    const of = minute({
      web: [system({ cpu: 0.95 }), system({ cpu: 0.89 })],
      db: [system({ cpu: 0.99 }), system({ cpu: 0.7 })],
    });
    expect(found('cpu > 90%', of)).toEqual(['CPU on web is 92 %, above 90 %']);
    expect(found('cpu on db > 90%', of)).toEqual([]);
    expect(found('cpu on db < 90%', of)).toEqual(['CPU on db is 84.5 %, below 90 %']);
  });

  it('takes shares of memory and of each disk, and says nothing of what was not measured', () => {
    const disk = { mount: '/', used: 85, size: 100 } as Row<'disks'>;
    const of = minute({
      web: [
        { ...system({ memory_used: 50, memory_total: 100, swap_total: 0, swap_used: 0 }), disks: [disk] },
      ],
      silent: [],
    });
    expect(found('memory >= 50%', of)).toEqual(['memory on web is 50 %, above 50 %']);
    expect(found('disk > 80%', of)).toEqual(['disk of / on web is 85 %, above 80 %']);
    expect(found('disk of /var > 80%', of)).toEqual([]);
    expect(found('swap >= 0%', of)).toEqual([]);
    expect(found('load < 100', of)).toEqual([]);
  });

  it('knows units by name, by application and by pattern, and counts restarts', () => {
    const unit = (name: string, memory: number, restarts = 0) =>
      ({ unit: name, memory, restarts, cpu: null }) as Row<'units'>;
    const units = [
      unit('nginx.service', 9e6),
      unit('pipeline-shop@blue.service', 2e9, 2),
      unit('pipeline-shopper@blue.service', 3e9),
    ];
    const of = minute({ web: [{ units }, { units }] });
    const shop = ['unit memory of pipeline-shop@blue.service on web is 2 GB, above 1 GB'];
    expect(found('unit memory of shop > 1GB', of)).toEqual(shop);
    expect(found('unit memory of "pipeline-shop@*" > 1GB', of)).toEqual(shop);
    expect(found('unit memory of nginx > 5MB', of)).toHaveLength(1);
    expect(found('unit restarts of shop > 3', of)).toEqual([
      'unit restarts of pipeline-shop@blue.service on web is 4, above 3',
    ]);
    expect(found('unit cpu > 0', of)).toEqual([]);
  });
});

describe('a rule about applications', () => {
  const both = { shop: ['web-1', 'web-2'] };

  it('sums the hosts up: rates, shares and exact quantiles', () => {
    const of = minute(
      {
        'web-1': [{ routes: [served({ requests: 60, ms: 10 })] }],
        'web-2': [{ routes: [served({ requests: 60, failed: 12, ms: 1000 })] }],
      },
      both,
    );
    expect(found('requests > 1.9/s', of)).toEqual(['requests on shop is 2/s, above 1.9/s']);
    expect(found('errors > 9%', of)).toEqual(['errors on shop is 10 %, above 9 %']);
    expect(found('latency p50 > 9ms', of)[0]).toMatch(/^latency p50 on shop is (9.9|10|10.\d) ms/);
    expect(found('latency p99 > 900ms', of)[0]).toMatch(/^latency p99 on shop is (990 ms|1(\.\d+)? s)/);
    expect(found('errors > 9% and requests > 10/s', of)).toEqual([]);
    expect(found('errors > 9% and requests > 1/s', of)).toHaveLength(1);
  });

  it('takes one route of any method or of one, or each route', () => {
    const routes = [
      served({ route: '/api/pay', method: 'POST', requests: 10, ms: 900 }),
      served({ route: '/api/pay', method: 'GET', requests: 990, ms: 5 }),
      served({ route: '/', requests: 10, ms: 2000 }),
    ];
    const of = minute({ 'web-1': [{ routes }] }, both);
    expect(found('route latency p50 of POST /api/pay > 800ms', of)[0]).toMatch(/of POST \/api\/pay on shop/);
    expect(found('route latency p50 of /api/pay > 800ms', of)).toEqual([]);
    expect(found('route requests of /api/pay > 16/s', of)).toEqual([
      'route requests of /api/pay on shop is 16.7/s, above 16/s',
    ]);
    expect(found('route latency p50 > 800ms', of).map((text) => text.split(' ')[4])).toEqual(['GET', 'POST']);
    expect(found('route latency p50 of "/api/*" > 1ms', of)).toHaveLength(2);
  });

  it('knows that nobody asks, and does not take silence of the hosts for it', () => {
    expect(found('requests < 1/s', minute({ 'web-1': [{}] }, both))).toEqual([
      'requests on shop is 0/s, below 1/s',
    ]);
    expect(found('route requests of /api/pay < 1/s', minute({ 'web-1': [{}] }, both))).toHaveLength(1);
    expect(found('requests < 1/s', minute({ 'web-1': [] }, both))).toEqual([]);
    expect(found('errors < 1%', minute({ 'web-1': [{}] }, both))).toEqual([]);
  });

  it('tells of the ten worst routes', () => {
    const routes = Array.from({ length: 30 }, (_, i) =>
      served({ route: `/${i}`, requests: 5, ms: 100 * (i + 1) }),
    );
    const texts = found('route latency p50 > 1ms', minute({ 'web-1': [{ routes }] }, both));
    expect(texts).toHaveLength(10);
    expect(texts[0]).toContain('/29');
  });
});

describe('a preview', () => {
  /** A minute a letter: `x` cpu is 95 %, `X` 99 %, `.` it is 10 %, ` ` nothing was measured. */
  function preview(course: string, when: string) {
    const one = new Preview(rules({ mine: when }));
    [...course].forEach((letter, i) => {
      if (letter === ' ') return;
      const cpu = { x: 0.95, X: 0.99 }[letter] ?? 0.1;
      one.add((i + 1) * 60_000, minute({ web: [system({ cpu })] }));
    });
    const shown = one
      .firings()
      .map(({ from, until, message }) => [from / 60_000, until && until / 60_000, message.slice(14, 18)]);
    return { count: one.counts.get('mine') ?? 0, shown };
  }

  it.each([
    ['....', 'cpu > 90%', 0, []],
    ['..xxXx....xx', 'cpu > 90% for 2m', 1, [[5, 7, '99 %']]],
    [
      '..xxXx....xxx',
      'cpu > 90% for 2m',
      2,
      [
        [5, 7, '99 %'],
        [13, undefined, '95 %'],
      ],
    ],
    ['x.x.x.', 'cpu > 90% for 2m', 0, []],
    [
      'x x.xxx   xxx',
      'cpu > 90% for 2m',
      2,
      [
        [7, 8, '95 %'],
        [13, undefined, '95 %'],
      ],
    ],
  ])('of %j with %s says how often', (course, when, count, shown) => {
    expect(preview(course, when)).toEqual({ count, shown });
  });
});
