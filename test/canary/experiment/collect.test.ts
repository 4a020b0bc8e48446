import { describe, expect, it } from 'vitest';
import { RecordCollector } from '../../../src/canary/experiment/collect.ts';
import type { TrafficGroup, TrafficLine, UnitLine } from '../../../src/metrics/live.ts';

const T = 1_700_000_000;

function group(colour: string, requests: number, over: Partial<TrafficGroup> = {}): TrafficGroup {
  const latency = { sum: requests * 4, zero: 0, counts: { 71: requests } };
  return {
    app: 'preview',
    colour,
    release: '',
    method: 'POST',
    route: '/preview',
    requests,
    status: { 200: requests },
    retries: 0,
    bytes: 0,
    latency,
    upstream: latency,
    size: latency,
    ...over,
  };
}

const traffic = (at: number, ...groups: TrafficGroup[]): TrafficLine => ({
  kind: 'traffic',
  at,
  seconds: 1,
  lines: 0,
  unreadable: 0,
  skippedBytes: 0,
  groups,
});

const unit = (at: number, over: Partial<UnitLine> = {}): UnitLine => ({
  kind: 'unit',
  at,
  seconds: 1,
  unit: 'pipeline-canary.service',
  state: 'active',
  sub: 'running',
  restarts: 0,
  cpuSeconds: 0.1,
  memoryBytes: 1e6,
  logLines: 0,
  errorLines: 0,
  ...over,
});

const collector = () => new RecordCollector('preview', { blue: 'candidate', green: 'baseline' });

describe('collecting', () => {
  it('starts with the first request of this application, and maps colours to sides', () => {
    const it = collector();
    it.traffic(traffic(T + 1, group('', 3), { ...group('blue', 9), app: 'other' }), T + 1);
    expect(it.begun).toBe(false);
    it.traffic(traffic(T + 2, group('blue', 3), group('green', 5)), T + 2);
    expect(it.begun).toBe(true);
    for (const side of ['baseline', 'candidate'] as const) it.unit(side, unit(T + 2), T + 2);
    expect(it.take(T + 2)).toEqual([
      {
        at: 0,
        baseline: expect.objectContaining({
          routes: {
            'POST /preview': {
              requests: 5,
              status: { '2xx': 5 },
              latency: { counts: { 71: 5 } },
              size: { counts: { 71: 5 } },
            },
          },
          cpuSeconds: 0.1,
          memoryBytes: 1e6,
          restarts: 0,
          errorLines: 0,
        }),
        candidate: expect.objectContaining({
          routes: { 'POST /preview': expect.objectContaining({ requests: 3 }) },
        }),
      },
    ]);
  });

  it('does not wait for clocks that differ, only for what is late', () => {
    const it = collector();
    const ahead = 3_600;
    for (let second = 1; second <= 3; second++) {
      it.traffic(traffic(T + second, group('blue', second)), T + second);
      it.unit('baseline', unit(T + second + ahead, { cpuSeconds: second }), T + second);
      it.unit('candidate', unit(T + second - ahead, { cpuSeconds: 10 * second }), T + second);
    }
    const seconds = it.take(T + 3);
    expect(seconds.map(({ at }) => at)).toEqual([0, 1, 2]);
    expect(seconds.map(({ baseline }) => baseline.cpuSeconds)).toEqual([1, 2, 3]);
    expect(seconds.map(({ candidate }) => candidate.cpuSeconds)).toEqual([10, 20, 30]);
  });

  it('goes on without a host that says nothing', () => {
    const it = collector();
    it.traffic(traffic(T + 1, group('blue', 1)), T + 1);
    expect(it.take(T + 1.5)).toEqual([]);
    const [first] = it.take(T + 3.1);
    expect(first?.at).toBe(0);
    expect(first?.baseline).toEqual({ routes: {} });
  });

  it('counts what got no answer as requests without a status', () => {
    const it = collector();
    it.traffic(
      traffic(T + 1, group('blue', 10, { status: { 200: 4, 404: 1, 499: 2, 504: 1, 0: 1, 502: 1 } })),
      T + 1,
    );
    const [first] = it.take(T + 9, true);
    expect(first?.candidate.routes['POST /preview']).toMatchObject({
      requests: 10,
      status: { '2xx': 4, '4xx': 1, '5xx': 1 },
    });
  });

  it('counts restarts from where they were before', () => {
    const it = collector();
    it.unit('candidate', unit(T, { restarts: 4 }), T);
    it.traffic(traffic(T + 1, group('blue', 1)), T + 1);
    it.unit('candidate', unit(T + 1, { restarts: 4 }), T + 1);
    it.unit('candidate', unit(T + 2, { restarts: 6 }), T + 2);
    expect(it.take(T + 9).map(({ candidate }) => candidate.restarts)).toEqual([0, 2]);
  });

  it('puts comparisons of bodies into the second that is open', () => {
    const it = collector();
    it.traffic(traffic(T + 1, group('blue', 1)), T + 1);
    const comparisons = { baseline: { compared: 5, disagreed: 0 }, candidate: { compared: 4, disagreed: 1 } };
    it.bodies(comparisons, T + 0.9);
    it.bodies(comparisons, T + 1.9);
    const seconds = it.take(T + 9);
    expect(seconds.map(({ candidate }) => candidate.bodies)).toEqual([
      comparisons.candidate,
      comparisons.candidate,
    ]);
  });

  it('hands over everything at the end, in order and once', () => {
    const it = collector();
    for (const second of [1, 2, 3, 5]) it.traffic(traffic(T + second, group('blue', 1)), T + second);
    expect(it.take(T + 5, true).map(({ at }) => at)).toEqual([0, 1, 2, 4]);
    expect(it.take(T + 60, true)).toEqual([]);
  });

  it('adds routes apart', () => {
    const it = collector();
    it.traffic(
      traffic(
        T + 1,
        group('blue', 2),
        group('blue', 1, { method: 'GET', route: '/s/:id' }),
        group('blue', 3),
      ),
      T + 1,
    );
    const routes = it.take(T + 1, true)[0]?.candidate.routes ?? {};
    expect(Object.entries(routes).map(([name, { requests }]) => [name, requests])).toEqual([
      ['POST /preview', 5],
      ['GET /s/:id', 1],
    ]);
  });
});
