import { describe, expect, it } from 'vitest';
import { recoveries, recovery } from '../../../src/canary/judging/recovery.ts';
import type { Second, SideSecond } from '../../../src/judge/types.ts';
import { bucketIndex } from '../../../src/metrics/histogram.ts';

const FAULT = { kind: 'kill:process', at: 5, seconds: 10 } as const;

function second(failed: number, ms = 10): SideSecond {
  return {
    routes: {
      'GET /': {
        requests: 50,
        status: { '2xx': 50 - failed, '5xx': failed },
        latency: { counts: { [bucketIndex(ms)]: 50 - failed } },
      },
    },
  };
}

/** Seconds 0 to 29; each side as `at` says. */
function seconds(side: (at: number, name: 'baseline' | 'candidate') => SideSecond): Second[] {
  return Array.from({ length: 30 }, (_, at) => ({
    at,
    baseline: side(at, 'baseline'),
    candidate: side(at, 'candidate'),
  }));
}

describe('the time to recover from a fault', () => {
  it('counts from a kill to the first of three good seconds', () => {
    const down = { baseline: 7, candidate: 14 };
    const seen = seconds((at, name) => second(at >= 5 && at < down[name] ? 50 : 0));
    expect(recovery(seen, FAULT)).toEqual({ baseline: 2, candidate: 9 });
  });

  it('takes one good second among bad ones for no recovery, and none for null', () => {
    const seen = seconds((at, name) =>
      second(at >= 5 && (name === 'candidate' || at < 12) && at !== 7 ? 50 : 0),
    );
    expect(recovery(seen, FAULT)).toEqual({ baseline: 7, candidate: null });
  });

  it('counts from the end of a fault that lasts, and sees slowness', () => {
    const seen = seconds((at, name) =>
      second(0, at >= 5 && at < (name === 'candidate' ? 20 : 15) ? 200 : 10),
    );
    expect(recovery(seen, { ...FAULT, kind: 'slow:database' })).toEqual({ baseline: 0, candidate: 5 });
  });

  it('is a line of the report for each fault that was done, and for no other', () => {
    const run = {
      plan: { faults: ['kill:process@5s', 'cpu:50%@40s'] },
      experiment: { config: { intervalLevel: 0.95 }, seconds: seconds(() => second(0)) },
    };
    expect(recoveries(run as unknown as Parameters<typeof recoveries>[0])).toMatchObject([
      { name: 'recovery after kill:process@5s', kind: 'recovery', observed: { baseline: 0, candidate: 0 } },
    ]);
  });

  it('holds a version that failed before to what it did then', () => {
    const seen = seconds((at) => second(at >= 5 && at < 8 ? 50 : 10));
    expect(recovery(seen, FAULT)).toEqual({ baseline: 3, candidate: 3 });
    expect(recovery([], FAULT)).toEqual({ baseline: null, candidate: null });
  });
});
