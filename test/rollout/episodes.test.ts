/** Who counts as dealt by chance, and what of it is evidence. */
import { describe, expect, test } from 'vitest';
import { seededUniform } from '../../src/judge/random.ts';
import type { DealCounts, UnitBlock, UnitEvent, UnitSecond } from '../../src/judge/units/types.ts';
import { Episodes, isFailed, type KeptEpisodes, type UnitRequest } from '../../src/rollout/episodes.ts';

const name = (index: number) => (Math.imul(index + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');

function ask(index: number, rest: Partial<UnitRequest> = {}): UnitRequest {
  const plain = {
    side: 'baseline',
    how: 'new',
    status: 200,
    milliseconds: 10,
    upstreamStatus: '200',
  } as const;
  return { unit: name(index), ...plain, ...rest };
}

/** All of its events until everything has ended. */
function rest(episodes: Episodes, from = 0): UnitEvent[] {
  return Array.from({ length: 120 }, (_, i) => episodes.until(from + i / 2)).flat();
}

const blocksOf = (events: readonly UnitEvent[]) =>
  events.filter((one): one is UnitBlock => one.kind === 'block');
const secondsOf = (events: readonly UnitEvent[]) =>
  events.filter((one): one is UnitSecond => one.kind === 'second');
/** Sums over seconds and chances. */
function total(events: readonly UnitEvent[], what: 'failed' | 'refused' | 'alone' | 'returned') {
  const sum = { baseline: 0, candidate: 0 };
  for (const deal of secondsOf(events).flatMap(({ deals }) => deals)) {
    sum.baseline += deal[what].baseline;
    sum.candidate += deal[what].candidate;
  }
  return sum;
}
/** Deals by their chance, as blocks tell them. */
function dealt(events: readonly UnitEvent[]): [number, number, number][] {
  return blocksOf(events).flatMap(({ strata }) =>
    strata.map(({ chance, dealt: sides }): [number, number, number] => [
      chance,
      sides.baseline,
      sides.candidate,
    ]),
  );
}

describe('what fails', () => {
  test.each([
    [200, '200', false],
    [404, '404', false],
    [503, '503', true],
    [0, '', true],
    // Another process of the same side helped out, or the other side did.
    [200, '502, 200', true],
    [200, '500 : 200', true],
    [200, '', false],
  ])('%i with %s: %s', (status, upstreamStatus, failed) => {
    expect(isFailed({ status, upstreamStatus })).toBe(failed);
  });
});

describe('a visitor', () => {
  test('counts once: what he does first, however much he does', () => {
    const episodes = new Episodes('visitor', 50);
    episodes.take(ask(1, { side: 'candidate' }));
    for (let i = 0; i < 500; i++) episodes.take(ask(1, { side: 'candidate', how: 'known', status: 500 }));
    episodes.take(ask(2));
    const events = rest(episodes);
    expect(total(events, 'failed')).toEqual({ baseline: 0, candidate: 1 });
    expect(dealt(events)).toEqual([[0.5, 1, 1]]);
    expect(episodes.counted.candidate).toEqual({ visitors: 1, requests: 501, failed: 500 });
  });

  test('comes back, or leaves', () => {
    const episodes = new Episodes('visitor', 50);
    episodes.take(ask(1, { side: 'candidate' }));
    episodes.take(ask(2));
    episodes.until(5);
    episodes.take(ask(2, { how: 'known' }));
    const events = rest(episodes, 5);
    expect(total(events, 'alone')).toEqual({ baseline: 0, candidate: 1 });
    expect(total(events, 'returned')).toEqual({ baseline: 1, candidate: 0 });
  });

  test('his second episode is no evidence', () => {
    const episodes = new Episodes('visitor', 50);
    episodes.take(ask(1, { side: 'candidate' }));
    rest(episodes);
    episodes.take(ask(1, { side: 'candidate', how: 'known', status: 500 }));
    expect(total(rest(episodes, 60), 'failed').candidate).toBe(0);
    expect(episodes.counted.candidate.failed).toBe(1);
  });

  test.each<[string, Partial<UnitRequest>]>([
    ['a cookie that was given to somebody else, or forged', { how: 'known' }],
    ['a tester', { how: 'tester' }],
    ['a session', { how: 'session' }],
    ['a request without a key', { how: 'keyless' }],
  ])('%s is counted, but no evidence', (_, request) => {
    const episodes = new Episodes('visitor', 50);
    episodes.take(ask(1, { side: 'candidate', status: 500, ...request }));
    expect(rest(episodes)).toEqual([]);
    expect(episodes.counted.candidate.requests).toBe(1);
  });

  test('who was dealt before he had a session goes on', () => {
    const episodes = new Episodes('visitor', 50);
    episodes.take(ask(1, { side: 'candidate' }));
    episodes.take(ask(1, { side: 'candidate', how: 'session', status: 500 }));
    expect(total(rest(episodes), 'failed').candidate).toBe(1);
  });

  test('who refuses cookies is dealt anew with each request', () => {
    const episodes = new Episodes('visitor', 50);
    for (let i = 0; i < 6; i++) episodes.take(ask(i, { side: i % 2 === 0 ? 'baseline' : 'candidate' }));
    expect(dealt(rest(episodes))).toEqual([[0.5, 3, 3]]);
  });

  test('refusals and latency belong to his first half minute', () => {
    const episodes = new Episodes('visitor', 50);
    episodes.take(ask(1, { side: 'candidate', status: 404 }));
    episodes.take(ask(2, { milliseconds: 33 }));
    const first = episodes.until(10);
    episodes.take(ask(2, { how: 'known', status: 502, milliseconds: 1 }));
    const events = [...first, ...rest(episodes, 10)];
    expect(total(events, 'refused')).toEqual({ baseline: 0, candidate: 1 });
    const [stratum] = blocksOf(events).flatMap(({ strata }) => strata);
    expect(stratum?.baseline).toEqual([{ requests: 2, failed: 1, ms: [33] }]);
  });

  test('at 0 and at 100 % nothing is dealt', () => {
    for (const share of [0, 100]) {
      const episodes = new Episodes('visitor', share);
      episodes.take(ask(1, { side: share === 0 ? 'baseline' : 'candidate', status: 500 }));
      expect(rest(episodes)).toEqual([]);
    }
  });
});

describe('a step', () => {
  /** Two hundred visitors at 10 %, a tenth of them with the candidate. */
  function atTen(by = 'visitor'): Episodes {
    const how = by === 'visitor' ? 'new' : 'address';
    const episodes = new Episodes(by, 10);
    for (let i = 0; i < 200; i++) episodes.take(ask(i, { how, side: i < 20 ? 'candidate' : 'baseline' }));
    episodes.until(2);
    episodes.share = 40;
    episodes.until(4);
    return episodes;
  }
  /** All come again; those below `candidates` have the candidate now. */
  function again(
    episodes: Episodes,
    how: UnitRequest['how'],
    candidates: number,
    rest: Partial<UnitRequest> = {},
  ) {
    for (let i = 0; i < 200; i++) {
      episodes.take(ask(i, { how, side: i < candidates ? 'candidate' : 'baseline', ...rest }));
    }
  }

  test.each(['visitor', 'address'])(
    'by %s: those of the baseline are dealt again, whichever side they come to',
    (by) => {
      const episodes = atTen(by);
      again(episodes, by === 'visitor' ? 'known' : 'address', 80);
      // 60 of 180 have been let in: (0.4 − 0.1) / (1 − 0.1).
      expect(dealt(rest(episodes, 4))).toEqual([
        [0.1, 180, 20],
        [expect.closeTo(1 / 3, 12), 120, 60],
      ]);
    },
  );

  test('a failure counts for the new deal alone', () => {
    const episodes = atTen();
    again(episodes, 'known', 80, { status: 500 });
    const failed = secondsOf(rest(episodes, 4)).flatMap(({ deals }) => deals);
    expect(
      failed.map(({ chance, failed: sides }): [number, DealCounts['failed']] => [chance, sides]),
    ).toEqual([
      [expect.closeTo(1 / 3, 12), { baseline: 120, candidate: 60 }],
      // Half a minute later, when each has ended alone.
      [expect.closeTo(1 / 3, 12), { baseline: 0, candidate: 0 }],
    ]);
  });

  test('who did not come back before it counts as neither left nor returned', () => {
    expect(total(rest(atTen(), 4), 'alone')).toEqual({ baseline: 0, candidate: 0 });
  });

  test('what was under way is no evidence: the share before sent it', () => {
    const episodes = new Episodes('visitor', 10);
    episodes.until(100);
    episodes.share = 40;
    episodes.until(102);
    episodes.take(ask(1, { side: 'candidate', status: 500, milliseconds: 3000 }));
    episodes.take(ask(2, { side: 'candidate', status: 500, milliseconds: 20 }));
    expect(total(rest(episodes, 102), 'failed').candidate).toBe(1);
  });

  test('the same share once more is none', () => {
    const episodes = new Episodes('visitor', 50);
    episodes.take(ask(1));
    episodes.until(1);
    episodes.share = 50;
    expect(total(rest(episodes, 1), 'alone').baseline).toBe(1);
  });
});

describe('by address', () => {
  test('neither side’s clients are dealt again when they come back', () => {
    const episodes = new Episodes('address', 50);
    const both = () => {
      episodes.take(ask(1, { how: 'address', side: 'candidate', status: 500 }));
      episodes.take(ask(2, { how: 'address', side: 'baseline' }));
    };
    both();
    const first = rest(episodes);
    both();
    const second = rest(episodes, 60);
    expect(total(first, 'failed').candidate).toBe(1);
    expect(second).toEqual([]);
    expect(episodes.counted.candidate.visitors).toBe(1);
  });

  test('nor after a restart of the rollout’s process', () => {
    const before = new Episodes('address', 50);
    before.take(ask(1, { how: 'address', side: 'candidate', status: 500 }));
    before.take(ask(2, { how: 'address' }));
    before.until(1);
    const kept = JSON.parse(JSON.stringify(before.kept)) as KeptEpisodes;
    const after = new Episodes('address', 50, kept, 1);
    after.until(5);
    for (const unit of [1, 2, 3]) after.take(ask(unit, { how: 'address', side: 'candidate', status: 500 }));
    expect(total(rest(after, 5), 'failed').candidate).toBe(1);
    expect(after.counted.candidate).toEqual({ visitors: 2, requests: 4, failed: 4 });
  });
});

describe('a restart', () => {
  test('what had gathered in the log meanwhile is counted, but no evidence', () => {
    const before = new Episodes('visitor', 50);
    before.until(1000);
    const after = new Episodes('visitor', 50, before.kept, 1000);
    for (let i = 0; i < 100; i++) after.take(ask(i, { side: 'candidate', status: 500 }));
    expect(rest(after, 1000)).toEqual([]);
    expect(after.counted.candidate.failed).toBe(100);
  });
});

describe('latency', () => {
  const warmth = (episodes: Episodes, from: number) => {
    episodes.until(from);
    episodes.take(ask(1000));
    return blocksOf(rest(episodes, from)).map(({ warm }) => warm);
  };

  test('does not count before a hundred answers or a minute', () => {
    expect(warmth(new Episodes('visitor', 50), 20)).toEqual([false]);
    expect(warmth(new Episodes('visitor', 50), 60)).toEqual([true]);
    const busy = new Episodes('visitor', 50);
    for (let i = 0; i < 100; i++) busy.take(ask(i, { side: 'candidate' }));
    expect(warmth(busy, 20)).toEqual([false, true]);
  });

  test('a request belongs to the time when it began, however long it took', () => {
    const episodes = new Episodes('visitor', 50);
    episodes.until(12);
    episodes.take(ask(1, { side: 'candidate', milliseconds: 5000 }));
    episodes.take(ask(2, { milliseconds: 10 }));
    // They are not compared: one began at 7, the other at 12.
    expect(dealt(rest(episodes, 12))).toEqual([
      [0.5, 0, 1],
      [0.5, 1, 0],
    ]);
  });

  test('how long a web socket was open is none', () => {
    const episodes = new Episodes('visitor', 50);
    episodes.until(20);
    episodes.take(ask(1, { status: 101, milliseconds: 9000 }));
    episodes.take(ask(2, { side: 'candidate' }));
    const strata = blocksOf(rest(episodes, 20)).flatMap((block) => block.strata);
    expect(strata.flatMap(({ baseline }) => baseline).flatMap(({ ms }) => ms)).toEqual([]);
  });

  test('by request: one that takes ten seconds counts as much as others', () => {
    const episodes = new Episodes('request', 50);
    episodes.until(8);
    episodes.take(ask(1, { how: 'request' }));
    episodes.until(18);
    episodes.take(ask(2, { how: 'request', side: 'candidate', milliseconds: 10_000 }));
    expect(dealt(rest(episodes, 18))).toEqual([[0.5, 1, 1]]);
  });

  test('the order of units has nothing to do with when they came', () => {
    const episodes = new Episodes('visitor', 50);
    for (let i = 0; i < 600; i++) {
      episodes.take(ask(i, { side: i % 2 === 0 ? 'baseline' : 'candidate', milliseconds: i }));
    }
    const [stratum] = blocksOf(rest(episodes)).flatMap(({ strata }) => strata);
    const came = (stratum?.candidate ?? []).map(({ ms }) => ms[0] ?? 0);
    expect(came).toHaveLength(300);
    expect(came).not.toEqual([...came].sort((a, b) => a - b));
  });
});

describe('ten thousand new visitors a second', () => {
  test.each(['visitor', 'address', 'request'])(
    'by %s: a sample is followed, the same on both sides',
    (by) => {
      const random = seededUniform(5);
      const episodes = new Episodes(by, 25);
      const events: UnitEvent[] = [];
      let index = 0;
      for (let second = 0; second < 60; second++) {
        for (let i = 0; i < 10_000; i++, index++) {
          const how = by === 'visitor' ? 'new' : (by as 'address' | 'request');
          episodes.take(ask(index, { how, side: random() < 0.25 ? 'candidate' : 'baseline' }));
        }
        events.push(...episodes.until(second + 1));
      }
      const whole = { baseline: 0, candidate: 0 };
      for (const [, baseline, candidate] of dealt(events)) {
        whole.baseline += baseline;
        whole.candidate += candidate;
      }
      const count = whole.baseline + whole.candidate;
      expect(count).toBeGreaterThan(5000);
      expect(count).toBeLessThan(100_000);
      expect(Math.abs(whole.candidate / count - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / count));
      expect(JSON.stringify(episodes.kept).length).toBeLessThan(250_000);
      expect(episodes.kept.sampling).toBeGreaterThan(2);
      expect(Math.max(...blocksOf(events).map((block) => JSON.stringify(block).length))).toBeLessThan(
        100_000,
      );
    },
  );
});
