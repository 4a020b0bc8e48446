import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { LogLine } from '../../src/logs/line.ts';
import { mergeInOrder } from '../../src/logs/merge.ts';
import { LineQueue } from '../../src/logs/remote/lines.ts';
import { everything, following, latest, type Troubles } from '../../src/logs/remote/read.ts';
import program from '../../src/logs/remote/requests.sh' with { type: 'text' };
import type { LogSource } from '../../src/logs/remote/source.ts';
import { ConnectionFailure } from '../../src/ssh/failures.ts';
import { withValues } from '../../src/ssh/script.ts';

async function* of<T>(...values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

const line = (at: number, host = 'a'): LogLine => ({
  ...{ at, host, source: 'blue', isRequest: false, level: 'info', release: '', message: `${host}${at}` },
  ...{ fields: {}, isCut: false },
});

describe('merging', () => {
  it('gives one order of many, and equals in the order of their sources', async () => {
    const merged = await all(mergeInOrder([of(1, 4, 9), of(2, 4, 5), of<number>(), of(3)], (a, b) => a - b));
    expect(merged).toEqual([1, 2, 3, 4, 4, 5, 9]);
  });
  it('holds one element of each, and ends all where it is left', async () => {
    const state = { taken: 0, ended: 0 };
    async function* endless() {
      try {
        for (;;) yield state.taken++;
      } finally {
        state.ended++;
      }
    }
    for await (const _ of mergeInOrder([endless(), endless()], (a, b) => a - b)) if (state.taken > 10) break;
    expect(state.taken).toBeLessThan(13);
    expect(state.ended).toBe(2);
  });
});

describe('lines of a stream', () => {
  it('are whole, whatever the pieces, and too long ones are cut', async () => {
    const queue = new LineQueue();
    for (const piece of ['a', 'b\nc\n', '\n', 'é'.repeat(3)]) queue.push(Buffer.from(piece));
    queue.push(Buffer.from(`\n${'x'.repeat(3_000_000)}`));
    queue.push(Buffer.from(`${'x'.repeat(3_000_000)}\nlast`));
    queue.end();
    const lines = await all(queue);
    expect(lines.map(({ text, isCut }) => [text.slice(0, 4), isCut])).toEqual([
      ...[
        ['ab', false],
        ['c', false],
        ['ééé', false],
        ['xxxx', true],
        ['last', false],
      ],
    ]);
    expect(lines[3]?.text).toHaveLength(64 * 1024);
  });
  it('hold their giver back until they are taken', async () => {
    const queue = new LineQueue();
    const held = queue.push(Buffer.from(`${'y'.repeat(99)}\n`.repeat(6_000)));
    let isFree = false;
    held?.then(() => {
      isFree = true;
    });
    const lines = queue[Symbol.asyncIterator]();
    await lines.next();
    expect(isFree).toBe(false);
    for (let i = 0; i < 4_000; i++) await lines.next();
    expect(isFree).toBe(true);
  });
});

class FakeSource implements LogSource {
  readonly host: string;
  readonly past: readonly number[];
  /** What each attempt to follow gives; an error ends it. */
  readonly attempts: (readonly (number | Error)[])[];

  constructor(host: string, past: readonly number[], attempts: (readonly (number | Error)[])[] = []) {
    this.host = host;
    this.past = past;
    this.attempts = attempts;
  }

  newest() {
    return of(...this.past.toReversed().map((at) => line(at, this.host)));
  }

  oldest() {
    return of(...this.past.map((at) => line(at, this.host)));
  }

  async *follow(signal: AbortSignal, onBegun: () => void) {
    for (const one of this.attempts.shift() ?? []) {
      if (typeof one !== 'number') throw one;
      onBegun();
      yield line(one, this.host);
    }
    if (this.attempts.length === 0)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
}

class Told implements Troubles {
  readonly said: string[] = [];
  failed(host: string, failure: Failure): void {
    this.said.push(`${host}: ${failure.message}`);
  }
  isBack(host: string): void {
    this.said.push(`${host} is back`);
  }
}

describe('several hosts', () => {
  const messages = (lines: readonly LogLine[]) => lines.map(({ message }) => message);
  const failing = (failure: Error): LogSource => {
    // biome-ignore lint/correctness/useYield: it fails before it gives anything.
    async function* fail(): AsyncGenerator<LogLine> {
      throw failure;
    }
    return { host: 'c', newest: fail, oldest: fail, follow: fail };
  };
  const gone = new Failure('host', 'no route');

  it('show the latest of all, oldest first', async () => {
    const sources = [new FakeSource('a', [1, 4, 6]), new FakeSource('b', [2, 5])];
    expect(messages(await latest(sources, 3, new Told()))).toEqual(['a4', 'b5', 'a6']);
    expect(messages(await latest(sources, 99, new Told()))).toEqual(['a1', 'b2', 'a4', 'b5', 'a6']);
  });
  it('are shown without one that is away, which is told; another mistake is thrown', async () => {
    const told = new Told();
    const sources = [new FakeSource('a', [1, 3]), failing(gone), new FakeSource('b', [2])];
    expect(messages(await all(everything(sources, told)))).toEqual(['a1', 'b2', 'a3']);
    expect(told.said).toEqual(['c: no route']);
    await expect(all(everything([failing(new TypeError('bug'))], told))).rejects.toThrow('bug');
  });
  it('are followed in order, over a connection that is lost; one that is refused is given up', async () => {
    const told = new Told();
    const lost = new ConnectionFailure('lost', 'the connection ended', {});
    const sources = [
      new FakeSource('a', [], [[1, 4]]),
      new FakeSource('b', [], [[3, 2, lost], [5]]),
      failing(new ConnectionFailure('permission', 'no key', {})),
    ];
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const { message } of following(sources, told, stop.signal)) {
      seen.push(message);
      if (message === 'b5') stop.abort();
    }
    expect(seen).toEqual(['a1', 'b2', 'b3', 'a4', 'b5']);
    expect(told.said).toEqual(['c: no key', 'b: the connection ended', 'b is back']);
  });
});

describe("nginx's log on a host", () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-requests-'));
  const file = join(folder, 'shop.json.log');
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const request = (at: number, status = 200) =>
    `{"msec":${at}.250,"app":"shop","uri":"/${at}?\\"status\\":500",` +
    `"status":${String(status).padStart(3, '0')}}\n`;
  const read = (values: Readonly<Record<string, string>>) => {
    const usual = { mode: 'oldest', file, since: '', until: '', statuses: '', word: '', fold: '' };
    const script = withValues(program, { ...usual, ...values });
    return execFileSync('bash', { input: script, encoding: 'utf8' })
      .split('\n')
      .flatMap((text) => (text.startsWith('{') ? [Number(/"msec":(\d+)/.exec(text)?.[1])] : []));
  };

  it('is read over rotated files, both ways, by time, status and word', () => {
    writeFileSync(`${file}.2.gz`, gzipSync(request(100) + request(110, 500)));
    writeFileSync(`${file}.1`, request(200) + request(210, 502));
    writeFileSync(file, request(300));
    appendFileSync(file, request(310, 0));
    for (const [name, at] of [
      ['.2.gz', 110],
      ['.1', 210],
      ['', 310],
    ] as const)
      utimesSync(`${file}${name}`, at, at);
    expect(read({})).toEqual([100, 110, 200, 210, 300, 310]);
    expect(read({ mode: 'newest' })).toEqual([310, 300, 210, 200, 110, 100]);
    expect(read({ statuses: '500-599' })).toEqual([110, 210]);
    expect(read({ statuses: '0-0 500-500' })).toEqual([110, 310]);
    expect(read({ since: '200.500000', until: '300.500000' })).toEqual([210, 300]);
    expect(read({ mode: 'newest', since: '210.000000' })).toEqual([310, 300, 210]);
    expect(read({ word: '/210' })).toEqual([210]);
    expect(read({ file: `${file}.none` })).toEqual([]);
  });
});
