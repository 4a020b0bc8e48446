import { describe, expect, it } from 'vitest';
import type { Collector, Findings } from '../../src/agent/collector.ts';
import { Sampler } from '../../src/agent/sampler.ts';
import { nextTick } from '../../src/agent/ticks.ts';

const load = (load1: number): Findings => ({ system: { load1 } });

function collector(collect: Collector['collect'], everySeconds = 0): Collector {
  return { name: 'probe', everySeconds, collect };
}

function sampler(...collectors: Collector[]) {
  const log: string[] = [];
  return { log, sampler: new Sampler(collectors, (line) => log.push(line)) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a sample', () => {
  it('combines what the collectors found into one row of the host', () => {
    const { sampler: all } = sampler(
      collector(() => load(1)),
      collector(() => ({ system: { uptime: 9 } })),
    );
    expect(all.sample(0).system).toMatchObject([{ load1: 1, uptime: 9, cpu: null }]);
  });

  it('adds what several collectors counted of log lines', () => {
    const lines = collector(() => ({ agent: { lines: 2, lines_unreadable: 1 } }));
    expect(sampler(lines, lines).sampler.sample(0).agent).toMatchObject([
      { lines: 4, lines_unreadable: 2, dropped: 0 },
    ]);
  });

  it('asks those that are due, and tells them how long it was', () => {
    const seconds: number[] = [];
    const slow = collector((since) => {
      seconds.push(since);
      return load(1);
    }, 15);
    const { sampler: all } = sampler(slow);
    for (let at = 0; at <= 31_000; at += 5000) all.sample(at);
    expect(seconds).toEqual([0, 15, 15]);
  });

  it('waits for none: what comes late is in the next, and until then it is left alone', async () => {
    const pending: ((found: Findings) => void)[] = [];
    const { sampler: all } = sampler(
      collector(() => new Promise<Findings>((resolve) => pending.push(resolve))),
    );
    expect(all.sample(0).system).toMatchObject([{ load1: null }]);
    all.sample(5000);
    expect(pending).toHaveLength(1);
    pending[0]?.(load(7));
    await settle();
    expect(all.sample(10_000).system).toMatchObject([{ load1: 7 }]);
    expect(pending).toHaveLength(2);
  });

  it('goes on where a collector fails, says so once, and again when it works', async () => {
    let broken = true;
    const failing = collector(() => {
      if (broken) throw new Error('no such file');
      return load(1);
    });
    const late = collector(async () => {
      if (broken) throw new Error('no answer');
      return {};
    });
    const { sampler: all, log } = sampler(
      failing,
      late,
      collector(() => load(3)),
    );
    expect(all.sample(0).system).toMatchObject([{ load1: 3 }]);
    await settle();
    expect(all.sample(5000).problems).toEqual([]); // at most once a minute
    expect(all.sample(61_000).problems).toEqual([
      { source: 'probe', message: 'no such file' },
      { source: 'probe', message: 'no answer' },
    ]);
    expect(log).toEqual([
      'probe could not be measured: no such file',
      'probe could not be measured: no answer',
    ]);
    broken = false;
    await settle();
    all.sample(70_000);
    await settle();
    expect(log.slice(2)).toEqual(['probe works again.', 'probe works again.']);
  });
});

describe('samples are taken', () => {
  it.each([
    [100.2, 5, 105],
    [105, 5, 110],
    [104.998, 5, 110], // the timer was early
    [100.3, 1, 101],
  ])('after %f every %f s at %f, so that all hosts do it at the same time', (now, interval, expected) => {
    expect(nextTick(now, interval)).toBe(expected);
  });
});
