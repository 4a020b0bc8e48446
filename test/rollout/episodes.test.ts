/** From requests to deals, and what befell them. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { UnitBlock, UnitEvent, UnitSecond } from '../../src/judge/units/types.ts';
import { Episodes, isFailed, type UnitRequest } from '../../src/rollout/episodes.ts';

const name = (n: number) => createHash('sha256').update(String(n)).digest('hex').slice(0, 16);

function ask(unit: number, more: Partial<UnitRequest> = {}): UnitRequest {
  const base = {
    side: 'baseline',
    how: 'new',
    status: 200,
    milliseconds: 10,
    upstreamStatus: '200',
  } as const;
  return { ...base, unit: name(unit), ...more };
}

const seconds = (events: readonly UnitEvent[]) =>
  events.filter((one): one is UnitSecond => one.kind === 'second');
const blocks = (events: readonly UnitEvent[]) =>
  events.filter((one): one is UnitBlock => one.kind === 'block');

/** Sum of one count over all seconds and deals. */
function sum(events: readonly UnitEvent[], what: 'failed' | 'refused' | 'alone' | 'returned') {
  const total = { baseline: 0, candidate: 0 };
  for (const { deals } of seconds(events)) {
    for (const deal of deals) {
      total.baseline += deal[what].baseline;
      total.candidate += deal[what].candidate;
    }
  }
  return total;
}

/** Deals that came into blocks. */
function dealt(events: readonly UnitEvent[]) {
  const strata = blocks(events).flatMap((block) => block.strata);
  const of = (side: 'baseline' | 'candidate') => strata.reduce((all, one) => all + one.dealt[side], 0);
  return { baseline: of('baseline'), candidate: of('candidate') };
}

/** Every second up to `to`. */
function run(episodes: Episodes, from: number, to: number): UnitEvent[] {
  const events: UnitEvent[] = [];
  for (let at = from; at <= to; at++) events.push(...episodes.until(at));
  return events;
}

describe('episodes', () => {
  it('count a visitor once, by the chance of his deal, however much he asks', () => {
    const episodes = new Episodes('visitor', 20);
    episodes.take(ask(1, { side: 'candidate', status: 500 }));
    episodes.take(ask(1, { side: 'candidate', how: 'known', status: 500 }));
    episodes.take(ask(2));
    const events = run(episodes, 1, 45);
    expect(blocks(events)[0]?.strata[0]?.chance).toBe(0.2);
    expect(dealt(events)).toEqual({ baseline: 1, candidate: 1 });
    expect(sum(events, 'failed')).toEqual({ baseline: 0, candidate: 1 });
    expect(sum(events, 'returned')).toEqual({ baseline: 0, candidate: 1 });
    expect(sum(events, 'alone')).toEqual({ baseline: 1, candidate: 0 });
    expect(blocks(events)).toHaveLength(1);
    expect(blocks(events)[0]?.strata[0]?.candidate).toEqual([{ requests: 2, failed: 2, ms: [] }]);
    expect(episodes.counted.candidate).toEqual({ visitors: 1, requests: 2, failed: 2 });
  });

  it('take no evidence from testers, from sessions of before, from who has no key, or from a forged cookie', () => {
    const episodes = new Episodes('visitor', 50);
    for (const how of ['tester', 'session', 'keyless', 'known'] as const) {
      episodes.take(ask(7, { how, side: 'candidate', status: 500 }));
    }
    expect(run(episodes, 1, 60)).toEqual([]);
    expect(episodes.counted.candidate.requests).toBe(4);
  });

  it('go on with a visitor who was dealt before he had a session', () => {
    const episodes = new Episodes('visitor', 50);
    episodes.take(ask(1, { side: 'candidate' }));
    episodes.take(ask(1, { side: 'candidate', how: 'session', status: 500 }));
    expect(sum(run(episodes, 1, 2), 'failed')).toEqual({ baseline: 0, candidate: 1 });
  });

  it("deal visitors of the baseline again when the share has grown, by the step's own chance", () => {
    const episodes = new Episodes('visitor', 20);
    for (const unit of [1, 2, 3]) episodes.take(ask(unit));
    episodes.take(ask(4, { side: 'candidate' }));
    run(episodes, 1, 2);
    episodes.share = 60;
    // What the share of before has sent is in the log by then.
    episodes.take(ask(3, { how: 'known', side: 'candidate' }));
    run(episodes, 3, 4);
    episodes.take(ask(1, { how: 'known', side: 'candidate' }));
    episodes.take(ask(2, { how: 'known' }));
    episodes.take(ask(2, { how: 'known' }));
    episodes.take(ask(4, { how: 'known', side: 'candidate' }));
    const events = run(episodes, 5, 60);
    const later = blocks(events).flatMap(({ strata }) => strata.filter(({ chance }) => chance > 0.2));
    expect(later.map((one) => one.dealt)).toEqual([{ baseline: 1, candidate: 1 }]);
    expect(later[0]?.chance).toBeCloseTo(0.4 / 0.8);
  });

  it('deal each key anew for clients without cookies, and each request for itself', () => {
    const address = new Episodes('address', 50);
    address.take(ask(1, { how: 'address' }));
    address.take(ask(1, { how: 'address' }));
    expect(dealt(run(address, 1, 60))).toEqual({ baseline: 1, candidate: 0 });
    const request = new Episodes('request', 50);
    for (const unit of [1, 2, 3]) request.take(ask(unit, { how: 'request', side: 'candidate' }));
    expect(dealt(run(request, 1, 60)).candidate).toBe(3);
  });

  it('come to nothing where nobody comes, and do not end early when the caller looks twice', () => {
    const episodes = new Episodes('visitor', 50);
    expect(run(episodes, 1, 100)).toEqual([]);
    episodes.take(ask(1));
    expect(episodes.until(100)).toEqual([]);
    expect(episodes.until(90)).toEqual([]);
    expect(sum(run(episodes, 101, 131), 'alone').baseline).toBe(1);
  });

  it('stay small under ten thousand new visitors a second, and follow a fair sample', () => {
    const episodes = new Episodes('visitor', 50);
    const before = process.memoryUsage().heapUsed;
    const events: UnitEvent[] = [];
    for (let second = 1; second <= 60; second++) {
      for (let index = 0; index < 10_000; index++) {
        const unit = second * 10_000 + index;
        episodes.take(ask(unit, { side: unit % 2 === 0 ? 'candidate' : 'baseline' }));
      }
      events.push(...episodes.until(second));
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(120e6);
    expect(episodes.counted.candidate.visitors).toBe(300_000);
    const { baseline, candidate } = dealt(events);
    expect(candidate / (baseline + candidate)).toBeGreaterThan(0.45);
    expect(candidate / (baseline + candidate)).toBeLessThan(0.55);
    for (const { strata } of blocks(events))
      for (const one of strata) expect(one.candidate.length).toBeLessThan(500);
  });
});

it.each([
  [200, '200', false],
  [500, '500', true],
  // The version could not be reached, and the other one answered.
  [200, '502, 200', true],
  [0, '', true],
  [499, '', false],
  [404, '404', false],
  [304, '', false],
])('status %d with %s of the processes: failed %s', (status, upstreamStatus, failed) => {
  expect(isFailed({ status, upstreamStatus })).toBe(failed);
});
