/** Logs of several hosts as one: the latest lines, all since a time, or what comes from now on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../errors.ts';
import { ConnectionFailure } from '../../ssh/failures.ts';
import type { LogLine } from '../line.ts';
import { mergeInOrder } from '../merge.ts';
import type { LogSource } from './source.ts';

/** Told of a host that cannot be read (each time), and of one that is back. */
export interface Troubles {
  failed(host: string, failure: Failure): void;
  isBack(host: string): void;
}

/** The latest lines of all, oldest first. A host that cannot be read is told of and left out. */
export async function latest(
  sources: readonly LogSource[],
  count: number,
  troubles: Troubles,
): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  if (count === 0) return lines;
  const streams = sources.map((source) => telling(source, source.newest(count), troubles));
  for await (const line of mergeInOrder(streams, (a, b) => b.at - a.at)) {
    lines.push(line);
    if (lines.length >= count) break;
  }
  return lines.reverse();
}

/** All lines since the question's beginning, in order. A host that cannot be read is told of and left out. */
export function everything(sources: readonly LogSource[], troubles: Troubles): AsyncGenerator<LogLine> {
  const streams = sources.map((source) => telling(source, source.oldest(), troubles));
  return mergeInOrder(streams, (a, b) => a.at - b.at);
}

async function* telling(
  source: LogSource,
  lines: AsyncGenerator<LogLine>,
  troubles: Troubles,
): AsyncGenerator<LogLine> {
  try {
    yield* lines;
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'host') throw error;
    troubles.failed(source.host, error);
  }
}

/** Lines wait that long for those of other sources that are older. */
const HOLD_MS = 150;
/** Lines that wait to be shown; beyond, hosts are held back. */
const MOST_HELD = 5_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/** Lines that came and were not shown yet. */
class Held {
  #lines: LogLine[] = [];
  #onSome: () => void = () => {};

  get size(): number {
    return this.#lines.length;
  }

  push(line: LogLine): void {
    this.#lines.push(line);
    this.wake();
  }

  /** Oldest first; empty afterwards. */
  take(): LogLine[] {
    const lines = this.#lines.sort((a, b) => a.at - b.at);
    this.#lines = [];
    return lines;
  }

  /** Until there is a line, or `wake`. */
  async some(): Promise<void> {
    if (this.size > 0) return;
    await new Promise<void>((resolve) => {
      this.#onSome = resolve;
    });
  }

  wake(): void {
    this.#onSome();
  }
}

/**
 * What is logged from now on, until the signal; in order as far as the hosts are that quick. A connection
 * that ends is made again, and nothing is lost or shown twice.
 */
export async function* following(
  sources: readonly LogSource[],
  troubles: Troubles,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const held = new Held();
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  ended.addEventListener('abort', () => held.wake(), { once: true });
  const followers = sources.map((source) => followAlways(source, held, troubles, ended));
  let isOver = false;
  const all = Promise.all(followers).finally(() => {
    isOver = true;
    held.wake();
  });
  all.catch(() => {});
  try {
    while (!ended.aborted && !(isOver && held.size === 0)) {
      if (!isOver) await held.some();
      // One source alone is in order by itself.
      if (sources.length > 1) await sleep(HOLD_MS, undefined, { signal: ended }).catch(() => undefined);
      yield* held.take();
    }
    if (!signal.aborted) await all;
  } finally {
    stop.abort(new Error('enough was read'));
    await Promise.allSettled(followers);
  }
}

async function followAlways(
  source: LogSource,
  held: Held,
  troubles: Troubles,
  signal: AbortSignal,
): Promise<void> {
  let wait = FIRST_WAIT_MS;
  let isAway = false;
  while (!signal.aborted) {
    try {
      const onBegun = () => {
        if (isAway) troubles.isBack(source.host);
        isAway = false;
        wait = FIRST_WAIT_MS;
      };
      for await (const line of source.follow(signal, onBegun)) {
        held.push(line);
        while (held.size > MOST_HELD && !signal.aborted) await sleep(HOLD_MS);
        if (signal.aborted) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failure) || error.kind !== 'host') throw error;
      if (!isAway) troubles.failed(source.host, error);
      isAway = true;
      if (!mayPass(error)) return;
    }
    await sleep(wait, undefined, { signal }).catch(() => undefined);
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
  }
}

const PASSING = new Set(['unreachable', 'refused', 'timeout', 'closed', 'lost']);

/** Whether trying again can help: a host that boots, a network that is away; not a key that is refused. */
function mayPass(failure: Failure): boolean {
  return failure instanceof ConnectionFailure && PASSING.has(failure.reason);
}
