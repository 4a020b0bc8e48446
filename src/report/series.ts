/** An experiment's seconds for charts: whole distributions, and values over time. */
import { SIDES, type SideName } from '../judge/sides.ts';
import type { LogHistogram, Second, SideSecond } from '../judge/types.ts';
import { type HistogramData, mergeHistograms, quantile } from '../metrics/histogram.ts';

/** A value for each window; null if it has none. */
export interface Series {
  readonly baseline: readonly (number | null)[];
  readonly candidate: readonly (number | null)[];
}

/** Everything over time, in windows of equal length. */
interface Timeline {
  /** Middle of each window, seconds since the first request. */
  readonly at: readonly number[];
  /** Seconds in a window. */
  readonly window: number;
  /** Requests a second. */
  readonly rate: Series;
  /** Share of requests answered with 5xx, or not at all. */
  readonly errors: Series;
  /** Share of requests answered with 4xx. */
  readonly clientErrors: Series;
  /** Milliseconds, answers below 500. */
  readonly p50: Series;
  readonly p99: Series;
  /** Share of compared bodies that the baseline would not answer. */
  readonly wrongBodies: Series;
  /** Processor milliseconds a request. */
  readonly cpu: Series;
  /** Bytes at the end of the window. */
  readonly memory: Series;
}

/** The judge's histogram for the metrics library. Its sum is unknown, and not needed here. */
export function asHistogram(data: LogHistogram): HistogramData {
  return { sum: 0, zero: data.zero ?? 0, counts: data.counts };
}

/** Names of all routes, busiest first. */
export function routesOf(seconds: readonly Second[]): string[] {
  const totals = new Map<string, number>();
  for (const second of seconds) {
    for (const side of SIDES) {
      for (const [route, data] of Object.entries(second[side].routes)) {
        totals.set(route, (totals.get(route) ?? 0) + data.requests);
      }
    }
  }
  return [...totals].sort((a, b) => b[1] - a[1]).map(([route]) => route);
}

/** One side's latency over the whole experiment, warm-up included, for one route or all. */
export function latencyOf(seconds: readonly Second[], side: SideName, route?: string): HistogramData {
  return mergeHistograms(
    seconds.flatMap((second) =>
      Object.entries(second[side].routes)
        .filter(([name]) => route === undefined || name === route)
        .map(([, { latency }]) => asHistogram(latency)),
    ),
  );
}

/** Most windows a chart can show apart. */
const WINDOWS = 120;

/** Values over time. */
export function timelineOf(seconds: readonly Second[]): Timeline {
  const first = seconds[0]?.at ?? 0;
  const last = seconds.at(-1)?.at ?? 0;
  const window = Math.max(1, Math.ceil((last + 1 - first) / WINDOWS));
  const count = seconds.length === 0 ? 0 : Math.floor((last - first) / window) + 1;
  const windows = Array.from({ length: count }, () => ({ baseline: new Window(), candidate: new Window() }));
  for (const second of seconds) {
    const target = windows[Math.floor((second.at - first) / window)];
    for (const side of SIDES) target?.[side].add(second[side]);
  }
  const series = (value: (window: Window) => number | null): Series => ({
    baseline: windows.map((entry) => value(entry.baseline)),
    candidate: windows.map((entry) => value(entry.candidate)),
  });
  const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  return {
    at: windows.map((_, index) => first + (index + 0.5) * window),
    window,
    rate: series((entry) => entry.requests / window),
    errors: series((entry) => share(entry.errors, entry.requests)),
    clientErrors: series((entry) => share(entry.clientErrors, entry.requests)),
    p50: series((entry) => entry.latency(0.5)),
    p99: series((entry) => entry.latency(0.99)),
    wrongBodies: series((entry) => share(entry.disagreed, entry.compared)),
    cpu: series((entry) => (entry.cpuKnown ? share(entry.cpuSeconds * 1000, entry.requests) : null)),
    memory: series((entry) => entry.memory),
  };
}

/** One side's sums over some seconds. */
class Window {
  requests = 0;
  errors = 0;
  clientErrors = 0;
  compared = 0;
  disagreed = 0;
  cpuSeconds = 0;
  cpuKnown = false;
  memory: number | null = null;
  readonly latencies: HistogramData[] = [];

  latency(q: number): number | null {
    return quantile(mergeHistograms(this.latencies), q) ?? null;
  }

  add(second: SideSecond): void {
    for (const route of Object.values(second.routes)) {
      const { '2xx': ok = 0, '3xx': moved = 0, '4xx': refused = 0 } = route.status;
      this.requests += route.requests;
      this.errors += route.requests - ok - moved - refused;
      this.clientErrors += refused;
      this.latencies.push(asHistogram(route.latency));
    }
    this.compared += second.bodies?.compared ?? 0;
    this.disagreed += second.bodies?.disagreed ?? 0;
    this.cpuSeconds += second.cpuSeconds ?? 0;
    this.cpuKnown ||= second.cpuSeconds !== undefined;
    this.memory = second.memoryBytes ?? this.memory;
  }
}
