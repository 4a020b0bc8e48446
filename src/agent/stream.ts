/**
 * `agent.js stream`: one JSON line a second on standard output, for the canary on the other end of an SSH
 * connection. Ends when that end closes. Formats: `src/metrics/live.ts`.
 */
import { once } from 'node:events';
import type { LiveLine } from '../metrics/live.ts';
import { parseNginxLine } from './logs/access-log.ts';
import { Tail } from './logs/tail.ts';
import { LoggedTraffic } from './logs/traffic.ts';
import { UnitWatch } from './system/unit-watch.ts';
import { nextTick, sleepUntil } from './ticks.ts';

/** Something that can say every second what happened since the last time. */
export interface LiveSource {
  /** `seconds` is the length of the interval that ends now. */
  take(at: number, seconds: number): Promise<LiveLine>;
  close(): void;
}

/** Requests of an nginx log, from now on. */
export function trafficSource(logPath: string): LiveSource {
  const tail = new Tail(logPath);
  const traffic = new LoggedTraffic();
  tail.read(() => {}); // so that the first interval begins here
  return {
    async take(at, seconds) {
      let unreadable = 0;
      const read = tail.read((line) => {
        const entry = parseNginxLine(line);
        if (entry === undefined) unreadable++;
        else traffic.record(entry);
      });
      return {
        kind: 'traffic',
        at,
        seconds,
        lines: read.lines + read.overlong,
        unreadable: unreadable + read.overlong,
        skippedBytes: read.skippedBytes,
        groups: traffic.take(),
      };
    },
    close: () => tail.close(),
  };
}

type UnitFigures = Awaited<ReturnType<UnitWatch['take']>>;

/** systemd units together: their processor time, memory, restarts and error lines. */
export async function unitSource(units: readonly string[]): Promise<LiveSource> {
  const watches = await Promise.all(units.map((unit) => UnitWatch.open(unit)));
  return {
    take: async (at, seconds) => {
      const taken = await Promise.all(watches.map((watch) => watch.take()));
      return { kind: 'unit', at, seconds, ...together(taken) };
    },
    close: () => {
      for (const watch of watches) watch.close();
    },
  };
}

/** Sums, and the state of the first unit that is not running: one that is away is what matters. */
export function together(units: readonly UnitFigures[]): UnitFigures {
  const shown = units.find(({ state, sub }) => state !== 'active' || sub !== 'running') ?? units[0];
  if (shown === undefined) throw new RangeError('no unit is watched');
  const sum = (figure: (unit: UnitFigures) => number | null) => {
    const known = units.map(figure).filter((one) => one !== null);
    return known.length === 0 ? null : known.reduce((all, one) => all + one, 0);
  };
  return {
    unit: shown.unit,
    state: shown.state,
    sub: shown.sub,
    restarts: sum(({ restarts }) => restarts) ?? 0,
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
    logLines: sum(({ logLines }) => logLines) ?? 0,
    errorLines: sum(({ errorLines }) => errorLines) ?? 0,
  };
}

export interface StreamOptions {
  readonly intervalSeconds: number;
  /**
   * End also with standard input. Not the default: a script that itself came on standard input leaves an
   * ended one.
   */
  readonly untilStdinEnds: boolean;
  readonly signal: AbortSignal;
}

/**
 * Prints a line at once, at which the first interval begins, and one at the end of each until the reader is
 * gone. A reader that is slow slows the printing, and the intervals grow.
 * @returns when standard output closed (or standard input ended, where that was asked for) or the signal
 * came.
 */
export async function runStream(source: LiveSource, options: StreamOptions): Promise<void> {
  const { intervalSeconds, untilStdinEnds, signal } = options;
  const stop = new AbortController();
  const end = (): void => stop.abort();
  signal.addEventListener('abort', end, { once: true });
  if (untilStdinEnds) process.stdin.on('end', end).on('error', end).resume();
  process.stdout.on('error', end).on('close', end);
  const began = Date.now() / 1000;
  let last = began;
  try {
    while (!stop.signal.aborted && !signal.aborted) {
      const at = Date.now() / 1000;
      const line = await source.take(at, Math.max(0, at - last));
      last = at;
      if (!process.stdout.write(`${JSON.stringify(line)}\n`)) {
        await once(process.stdout, 'drain', { signal: stop.signal }).catch(end);
      }
      await sleepUntil(began + nextTick(last - began, intervalSeconds), stop.signal);
    }
  } finally {
    source.close();
    if (untilStdinEnds) process.stdin.destroy();
  }
}
