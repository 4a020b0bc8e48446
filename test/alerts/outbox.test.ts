import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Target } from '../../src/alerts/deliver.ts';
import { Outbox } from '../../src/alerts/outbox.ts';
import type { Notice } from '../../src/alerts/types.ts';

const notice = (message: string, at = 1000): Notice => ({
  state: 'firing',
  at,
  alert: { key: message, rule: 'check', severity: 'warning', subject: 'web', message, since: 1 },
});

/** A world of places, of which each takes, refuses or hangs. */
function world(answers: Readonly<Record<string, () => Promise<void>>>, now = () => 1000) {
  const taken: string[] = [];
  const lines: string[] = [];
  const kept: Record<string, string> = {};
  const stop = new AbortController();
  const targets = Object.keys(answers).map((webhook): Target => ({ webhook: `http://${webhook}/s3cret` }));
  const make = () =>
    new Outbox({
      targets,
      dashboard: undefined,
      signal: stop.signal,
      now,
      log: (line) => lines.push(line),
      delays: { first: 1, longest: 4 },
      keep: (id, text) => {
        if (text === undefined) delete kept[id];
        else kept[id] = text;
      },
      async deliver(target, notices) {
        const { host } = new URL('webhook' in target ? target.webhook : '');
        await answers[host]?.();
        for (const { alert } of notices) taken.push(`${host} ${alert.message}`);
      },
    });
  return { make, taken, lines, kept, stop };
}

const takes = async () => {};
const hangs = () => new Promise<void>(() => {});
const refusing = (times: number) => {
  let left = times;
  return async () => {
    if (left-- > 0) throw new Error('it answered 500');
  };
};

it('a place that hangs keeps no other from its messages', async () => {
  const { make, taken } = world({ hangs, takes });
  const outbox = make();
  for (const word of ['a', 'b', 'c']) outbox.add(notice(word));
  await expect.poll(() => taken).toEqual(['takes a', 'takes b', 'takes c']);
});

it('a place that refuses is tried again, in order; that is said once, without its address', async () => {
  const { make, taken, lines, kept } = world({ place: refusing(5) });
  const outbox = make();
  for (const word of ['a', 'b']) outbox.add(notice(word));
  await expect.poll(() => taken).toEqual(['place a', 'place b']);
  expect(lines).toEqual([
    'webhook at place did not take a message and is tried again: it answered 500.',
    'webhook at place takes messages again.',
  ]);
  expect(kept).toEqual({});
});

it('what waits survives a restart, without an address in what is kept', async () => {
  const first = world({ hangs });
  first.make().add(notice('a', 5));
  first.stop.abort();
  expect(JSON.stringify(first.kept)).not.toContain('s3cret');
  const second = world({ hangs: takes });
  second.make().restore(first.kept);
  await expect.poll(() => second.taken).toEqual(['hangs a']);
});

it('what waits for a place that is configured no more is forgotten', () => {
  const first = world({ hangs });
  first.make().add(notice('a'));
  const second = world({ other: takes });
  Object.assign(second.kept, first.kept);
  second.make().restore(first.kept);
  expect(second.kept).toEqual({});
});

it('news of an hour ago are given up, and this is said', async () => {
  const { make, taken, lines, kept } = world({ place: refusing(1) }, () => 4_000_000);
  make().add(notice('a', 1000));
  await expect.poll(() => kept).toEqual({});
  expect(lines.join()).toContain('1 are given up');
  expect(taken).toEqual([]);
});

it('memory is bounded while a place hangs', async () => {
  const { make, kept } = world({ hangs });
  const outbox = make();
  for (let i = 0; i < 2000; i++) outbox.add(notice(String(i)));
  await sleep(0);
  expect(Object.keys(kept)).toHaveLength(500);
});
