import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row, Window } from '../../src/metrics/catalogue.ts';
import { countOf, type HistogramData, quantile } from '../../src/metrics/histogram.ts';
import { greatest, mean, mergeWindows } from '../../src/metrics/merge.ts';
import { encodeWindow, parseWindow } from '../../src/metrics/wire.ts';
import { anyWindow, window } from './windows.ts';

const START = 1_700_000_000_000;

const histogram = (index: number, count: number): HistogramData => ({
  sum: count,
  zero: 0,
  counts: { [index]: count },
});

function route(changes: Partial<Row<'routes'>>): Row<'routes'> {
  return {
    server: 'nginx',
    app: 'checkbox',
    colour: 'blue',
    release: 'r1',
    method: 'GET',
    route: '/api/study/load/:id',
    requests: 1,
    status_2xx: 1,
    status_3xx: 0,
    status_4xx: 0,
    status_5xx: 0,
    retries: 0,
    bytes: 100,
    latency: histogram(100, 1),
    size: histogram(200, 1),
    ...changes,
  };
}

function unit(changes: Partial<Row<'units'>>): Row<'units'> {
  return {
    unit: 'nginx.service',
    state: 'active',
    sub: 'running',
    restarts: 0,
    cpu: 0,
    memory: 1e6,
    ...changes,
  };
}

/** Sums of floating numbers depend on their order in the last places. */
function rounded(merged: Window | undefined): unknown {
  const round = (value: unknown): unknown =>
    typeof value === 'number'
      ? Number(value.toPrecision(9))
      : Array.isArray(value)
        ? value.map(round)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, round(each)]))
          : value;
  return round(merged);
}

describe('windows merged', () => {
  it('count, and merge histograms, exactly', () => {
    const merged = mergeWindows([
      window({ at: START, routes: [route({ requests: 3, status_5xx: 1, latency: histogram(100, 2) })] }),
      window({ at: START + 5000, routes: [route({ requests: 4, latency: histogram(140, 4) })] }),
    ]);
    const [row] = merged?.routes ?? [];
    expect(row).toMatchObject({ requests: 7, status_5xx: 1, bytes: 200 });
    expect(row && countOf(row.latency)).toBe(6);
    expect(row && quantile(row.latency, 0.9)).toBeCloseTo(1.02 ** 140, 0);
    expect(merged).toMatchObject({ at: START + 5000, seconds: 10 });
  });

  it('keep versions and routes apart', () => {
    const rows = [route({}), route({ release: 'r2' }), route({ route: '/' }), route({ method: 'POST' })];
    expect(mergeWindows([window({ routes: rows }), window({ routes: rows })])?.routes).toHaveLength(4);
  });

  it('weigh gauges by time and keep the greatest', () => {
    const merged = mergeWindows([
      window({ at: START, seconds: 1, units: [unit({ cpu: 1 })] }),
      window({ at: START + 3000, seconds: 3, units: [unit({ cpu: 0.2 })] }),
    ]);
    const cpu = merged?.units[0]?.cpu ?? null;
    expect(mean(cpu)).toBeCloseTo(0.4);
    expect(greatest(cpu)).toBe(1);
  });

  it('weigh a row only by the windows that have it', () => {
    const merged = mergeWindows([
      window({ at: START, units: [unit({ cpu: 0.5 })] }),
      window({ at: START + 5000 }),
      window({ at: START + 10_000 }),
    ]);
    expect(mean(merged?.units[0]?.cpu ?? null)).toBe(0.5);
    expect(merged?.units[0]?.weight).toBe(5);
  });

  it('take the state of the latest, wherever it stands in the list', () => {
    const failed = window({ at: START + 5000, units: [unit({ state: 'failed', restarts: 2 })] });
    const before = window({ at: START, units: [unit({ restarts: 1 })] });
    expect(mergeWindows([failed, before])?.units[0]).toMatchObject({ state: 'failed', restarts: 3 });
  });

  it('leave unknown what none of them knows, and ignore it where another does', () => {
    const row = (cpu: number | null) => window({ units: [unit({ cpu })] });
    expect(mergeWindows([row(null), row(null)])?.units[0]?.cpu).toBeNull();
    expect(mean(mergeWindows([row(null), row(0.5)])?.units[0]?.cpu ?? null)).toBe(0.5);
  });

  it('stay within the bound of a table: what is seldom asked becomes `other`, and no request is lost', () => {
    const rows = (from: number) =>
      Array.from({ length: 400 }, (_, i) => route({ route: `/${from + i}`, requests: 10 + i }));
    const merged = mergeWindows([window({ routes: rows(0) }), window({ routes: rows(1000) })]);
    expect(merged?.routes).toHaveLength(500);
    const other = merged?.routes.find((row) => row.route === 'other');
    expect(other?.requests).toBeGreaterThan(1000);
    const total = merged?.routes.reduce((sum, row) => sum + row.requests, 0);
    expect(total).toBe(2 * rows(0).reduce((sum, row) => sum + row.requests, 0));
    expect(merged && parseWindow(encodeWindow(merged)).ok).toBe(true);
    const again = mergeWindows([merged ?? window(), window({ routes: rows(2000) })])?.routes ?? [];
    expect(again).toHaveLength(500);
    expect(again.filter((row) => row.route === 'other')).toHaveLength(1);
    expect(again.reduce((sum, row) => sum + row.requests, 0)).toBe((total ?? 0) * 1.5);
  });

  it('are the same in any order and any grouping', () => {
    const distinct = fc.uniqueArray(anyWindow, { minLength: 2, maxLength: 5, selector: (each) => each.at });
    fc.assert(
      fc.property(distinct, fc.nat(), (windows, cut) => {
        const ordered = windows.toSorted((a, b) => a.at - b.at);
        const at = 1 + (cut % (ordered.length - 1));
        const parts = [mergeWindows(ordered.slice(0, at)), mergeWindows(ordered.slice(at))];
        const whole = rounded(mergeWindows(ordered));
        expect(rounded(mergeWindows(windows))).toEqual(whole);
        expect(rounded(mergeWindows(parts.filter((part) => part !== undefined)))).toEqual(whole);
      }),
      { numRuns: 100 },
    );
  });

  it('of none are none', () => {
    expect(mergeWindows([])).toBeUndefined();
  });
});
