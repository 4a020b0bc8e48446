/**
 * From what three hosts say every second to the seconds that the judge takes. Pure.
 *
 * Each host stamps its lines with its own clock. Clocks are brought together by when the lines arrive here:
 * lines take about equally long, so the least difference between arrival and stamp is the clock's offset.
 * What a line says is counted in the second in which the middle of its interval lies; what comes later than
 * the rest of its second counts in the next one. Traffic of both sides comes from one host, the proxy, so
 * their comparison does not depend on clocks at all.
 */

import type { SideName } from '../../judge/sides.ts';
import type { PerSide, RouteSecond, Second, SideSecond, StatusCounts } from '../../judge/types.ts';
import { type HistogramData, mergeHistograms } from '../../metrics/histogram.ts';
import type { NumbersLine, TrafficGroup, TrafficLine, UnitLine } from '../../metrics/live.ts';

type Source = 'proxy' | SideName;

/** Seconds that a host may be behind the others before its part of a second is given up. */
const PATIENCE = 2;

interface Part {
  readonly routes: Map<string, RouteSum>;
  bodies: { compared: number; disagreed: number } | undefined;
  restarts: number | undefined;
  errorLines: number | undefined;
  cpuSeconds: number | undefined;
  memoryBytes: number | undefined;
  readonly own: Map<string, OwnReading>;
}

type OwnReading = NonNullable<SideSecond['own']>[string];

interface RouteSum {
  requests: number;
  readonly status: { '2xx': number; '3xx': number; '4xx': number; '5xx': number };
  readonly latency: HistogramData[];
  readonly size: HistogramData[];
}

/** Puts lines together. */
export class RecordCollector {
  readonly #app: string;
  /** Which side a value of the log's `colour` stands for. */
  readonly #sides: Readonly<Record<string, SideName>>;
  readonly #offsets = new Map<Source, number>();
  readonly #reached = new Map<Source, number>();
  readonly #open = new Map<number, PerSide<Part>>();
  readonly #restarts = new Map<SideName, number>();
  /** Local time, in seconds, at which second 0 begins; set by the first request that the proxy saw. */
  #zero: number | undefined;
  #next = 0;

  constructor(app: string, sides: Readonly<Record<string, SideName>>) {
    this.#app = app;
    this.#sides = sides;
  }

  /** Has the proxy seen a request? */
  get begun(): boolean {
    return this.#zero !== undefined;
  }

  /** Seconds since the first request at local time `now` (seconds since 1970); null before it. */
  elapsed(now: number): number | null {
    return this.#zero === undefined ? null : now - this.#zero;
  }

  /** A line of the proxy. `now`: when it arrived here, seconds since 1970. */
  traffic(line: TrafficLine, now: number): void {
    const middle = this.#locally('proxy', line.at, now) - line.seconds / 2;
    const groups = line.groups.filter(
      (group) => group.app === this.#app && this.#sides[group.colour] !== undefined,
    );
    if (this.#zero === undefined) {
      if (groups.every((group) => group.requests === 0)) return;
      this.#zero = middle - line.seconds / 2;
    }
    const part = this.#at(middle, 'proxy');
    for (const group of groups) {
      const side = this.#sides[group.colour];
      if (side !== undefined) addGroup(part[side].routes, group);
    }
  }

  /** A line of a side's service. */
  unit(side: SideName, line: UnitLine, now: number): void {
    const middle = this.#locally(side, line.at, now) - line.seconds / 2;
    const before = this.#restarts.get(side) ?? line.restarts;
    this.#restarts.set(side, line.restarts);
    if (this.#zero === undefined || middle < this.#zero) return;
    const part = this.#at(middle, side)[side];
    part.restarts = (part.restarts ?? 0) + Math.max(0, line.restarts - before);
    part.errorLines = (part.errorLines ?? 0) + line.errorLines;
    if (line.cpuSeconds !== null) part.cpuSeconds = (part.cpuSeconds ?? 0) + line.cpuSeconds;
    if (line.memoryBytes !== null) part.memoryBytes = line.memoryBytes;
  }

  /** A line of a side's own numbers. */
  numbers(side: SideName, line: NumbersLine, types: Readonly<Record<string, string>>, now: number): void {
    const middle = this.#locally(side, line.at, now) - line.seconds / 2;
    if (this.#zero === undefined || middle < this.#zero) return;
    const second = Math.max(this.#next, Math.floor(middle - this.#zero));
    const { own } = this.#parts(second)[side];
    for (const [name, value] of Object.entries(line.values)) {
      const before = own.get(name);
      own.set(name, before === undefined || types[name] === 'gauge' ? value : added(before, value));
    }
  }

  /** What was compared since the last call, counted in the second that is open at `now`. */
  bodies(comparisons: PerSide<{ readonly compared: number; readonly disagreed: number }>, now: number): void {
    if (this.#zero === undefined) return;
    const second = Math.max(this.#next, Math.floor(now - this.#zero));
    const parts = this.#parts(second);
    for (const side of ['baseline', 'candidate'] as const) {
      const sum = parts[side].bodies ?? { compared: 0, disagreed: 0 };
      sum.compared += comparisons[side].compared;
      sum.disagreed += comparisons[side].disagreed;
      parts[side].bodies = sum;
    }
  }

  /**
   * The seconds that are complete, or whose missing parts are no longer waited for, in order. `all`: also
   * what is still open.
   */
  take(now: number, all = false): Second[] {
    if (this.#zero === undefined) return [];
    const elapsed = now - this.#zero;
    const done: Second[] = [];
    const sources: readonly Source[] = ['proxy', 'baseline', 'candidate'];
    for (;;) {
      const second = this.#next;
      const complete = sources.every((source) => (this.#reached.get(source) ?? -1) >= second);
      const waited = elapsed > second + 1 + PATIENCE;
      const rest = all && [...this.#open.keys()].some((open) => open >= second);
      if (!complete && !waited && !rest) return done;
      const parts = this.#open.get(second);
      this.#open.delete(second);
      this.#next++;
      if (parts !== undefined) {
        done.push({ at: second, baseline: finish(parts.baseline), candidate: finish(parts.candidate) });
      }
    }
  }

  #locally(source: Source, at: number, now: number): number {
    const offset = Math.min(this.#offsets.get(source) ?? Number.POSITIVE_INFINITY, now - at);
    this.#offsets.set(source, offset);
    return at + offset;
  }

  #at(middle: number, source: Source): PerSide<Part> {
    const second = Math.max(this.#next, Math.floor(middle - (this.#zero ?? middle)));
    this.#reached.set(source, Math.max(second, this.#reached.get(source) ?? 0));
    return this.#parts(second);
  }

  #parts(second: number): PerSide<Part> {
    const known = this.#open.get(second);
    if (known !== undefined) return known;
    const made = { baseline: emptyPart(), candidate: emptyPart() };
    this.#open.set(second, made);
    return made;
  }
}

function emptyPart(): Part {
  return {
    routes: new Map(),
    bodies: undefined,
    restarts: undefined,
    errorLines: undefined,
    cpuSeconds: undefined,
    memoryBytes: undefined,
    own: new Map(),
  };
}

/** Two intervals that fell into one second. */
function added(a: OwnReading, b: OwnReading): OwnReading {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) + Number(b);
  const counts: Record<string, number> = { ...a.counts };
  for (const [bucket, count] of Object.entries(b.counts)) counts[bucket] = (counts[bucket] ?? 0) + count;
  return { counts };
}

function addGroup(routes: Map<string, RouteSum>, group: TrafficGroup): void {
  const name = `${group.method} ${group.route}`;
  let sum = routes.get(name);
  if (sum === undefined) {
    sum = {
      requests: 0,
      status: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
      latency: [],
      size: [],
    };
    routes.set(name, sum);
  }
  sum.requests += group.requests;
  for (const [code, count] of Object.entries(group.status)) {
    const status = statusClass(Number(code));
    if (status !== null) sum.status[status] += count;
  }
  sum.latency.push(group.latency);
  sum.size.push(group.size);
}

/**
 * null: no answer. nginx's marks: 499 a visitor who gave up waiting, 504 a service that did not answer in
 * time, 0 a connection that was cut.
 */
function statusClass(code: number): keyof StatusCounts | null {
  if (code < 200 || code === 499 || code === 504 || code >= 600) return null;
  return (['2xx', '3xx', '4xx', '5xx'] as const)[Math.floor(code / 100) - 2] ?? null;
}

function finish(part: Part): SideSecond {
  const routes = [...part.routes].map(([name, sum]): [string, RouteSecond] => [
    name,
    {
      requests: sum.requests,
      status: Object.fromEntries(Object.entries(sum.status).filter(([, count]) => count > 0)),
      latency: plain(sum.latency),
      size: plain(sum.size),
    },
  ]);
  const measured = {
    bodies: part.bodies,
    restarts: part.restarts,
    errorLines: part.errorLines,
    cpuSeconds: part.cpuSeconds,
    memoryBytes: part.memoryBytes,
    own: part.own.size === 0 ? undefined : Object.fromEntries(part.own),
  };
  return {
    routes: Object.fromEntries(routes),
    ...(Object.fromEntries(Object.entries(measured).filter(([, value]) => value !== undefined)) as Omit<
      SideSecond,
      'routes'
    >),
  };
}

function plain(parts: readonly HistogramData[]): RouteSecond['latency'] {
  const { zero, counts } = mergeHistograms(parts);
  return zero > 0 ? { zero, counts } : { counts };
}
