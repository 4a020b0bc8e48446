import { describe, expect, it } from 'vitest';
import type { History, HubEvent } from '../../../src/hub/api-types.ts';
import {
  append,
  bridge,
  latest,
  lonely,
  measured,
  stack,
  top,
  withEvent,
} from '../../../src/hub/web/state/series.ts';

describe('points of a chart', () => {
  const history = (values: (number | null)[], stepSeconds = 10): History => ({
    tier: 'raw',
    stepSeconds,
    times: values.map((_, index) => (index + 1) * stepSeconds),
    panels: [{ id: 'cpu', title: 'Processor', unit: 'ratio', series: [{ name: 'user', values }] }],
    events: [],
  });
  const point = (seconds: number, value: number | null) => ({
    at: seconds * 1000,
    panels: [{ id: 'cpu', title: '', unit: 'ratio', series: [{ name: 'user', values: [value] }] }],
  });
  const of = ({ times, panels }: History) => [times, panels[0]?.series[0]?.values];

  it('live ones of one step become its mean', () => {
    const counts = new Map<number, number>();
    let shown = history([1, 2]);
    for (const [at, value] of [
      [22, 4],
      [24, 6],
      [26, 8],
    ] as const)
      shown = append(shown, point(at, value), 3600, counts);
    expect(of(shown)).toEqual([
      [10, 20, 30],
      [1, 2, 6],
    ]);
  });

  it('that came before are not taken again, and a missing step is a gap', () => {
    const shown = history([1, 2]);
    expect(append(shown, point(15, 9), 3600, new Map())).toBe(shown);
    expect(append(shown, point(20, 9), 3600, new Map())).toBe(shown);
    expect(of(append(shown, point(55, 9), 3600, new Map()))).toEqual([
      [10, 20, 50, 60],
      [1, 2, null, 9],
    ]);
  });

  it('older than the range go', () => {
    expect(of(append(history([1, 2, 3]), point(35, 4), 20, new Map()))).toEqual([
      [20, 30, 40],
      [2, 3, 4],
    ]);
  });

  it('stack, without the lines that are hidden', () => {
    const series = [
      { name: 'a', values: [1, null], stacked: true },
      { name: 'b', values: [2, 2], stacked: true },
      { name: 'total', values: [9, 9] },
    ];
    expect(stack(series, new Set())).toEqual([
      [1, null],
      [3, 2],
      [9, 9],
    ]);
    expect(stack(series, new Set(['a']))[1]).toEqual([2, 2]);
  });

  it('have events in order, a changed one once', () => {
    const event = (id: string, at: number, result = ''): HubEvent => ({
      id,
      at,
      kind: 'canary',
      action: 'canary',
      app: 'shop',
      hosts: [],
      result,
      text: '',
    });
    const events = withEvent([event('a', 1), event('b', 3, 'running')], event('b', 3, 'passed'));
    expect(withEvent(events, event('c', 2)).map(({ id, result }) => id + result)).toEqual([
      'a',
      'c',
      'bpassed',
    ]);
  });

  it('bridge one late sample and no real gap', () => {
    expect(bridge([1, null, 3, null, null, 6])).toEqual([1, 2, 3, null, null, 6]);
    expect(lonely([null, 1, null, 2, 3])).toEqual([1]);
    expect(latest([5, null, null, null, null])).toBeNull();
    expect(latest([5, null, null])).toBe(5);
  });

  it.each([
    ['ratio', [['user', 0.5]], 0.54],
    ['ratio', [['user', 1]], 1],
    [
      'number',
      [
        ['1 min', 0.2],
        ['cores', 8],
      ],
      1,
    ],
    [
      'number',
      [
        ['1 min', 6],
        ['cores', 8],
      ],
      8.64,
    ],
    [
      'bytes',
      [
        ['used', 1e9],
        ['total', 4e9],
      ],
      4.32e9,
    ],
  ] as const)('the axis of %s reaches far enough: %j', (unit, lines, end) => {
    const series = lines.map(([name, value]) => ({ name, values: [value] }));
    const panel = { id: 'x', title: '', unit, series };
    expect(
      top(
        panel,
        series.map(({ values }) => values),
        new Set(),
      ),
    ).toBeCloseTo(end, 5);
  });
});

describe('a chart of what was measured', () => {
  const panel = (...series: { name: string; values: (number | null)[] }[]) => ({
    id: 'memory',
    title: 'Memory',
    unit: 'bytes',
    none: 'The host was silent.',
    series,
  });
  const used = { name: 'used', values: [null, 3] };

  it('has no line that was never measured', () => {
    const cached = { name: 'cached', values: [null, null] };
    expect(measured(panel(used, cached)).series).toEqual([used]);
    const whole = panel(used, { name: 'cached', values: [0, null] });
    expect(measured(whole)).toBe(whole);
  });

  it('has none at all where only its bound is known, and keeps why', () => {
    const total = { name: 'total', values: [9, 9] };
    expect(measured(panel({ name: 'used', values: [null, null] }, total))).toEqual(panel());
  });
});
