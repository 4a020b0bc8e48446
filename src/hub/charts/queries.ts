/** Reads of the API: which tier, which hosts, which tables. */
import type { TableName, Window } from '../../metrics/catalogue.ts';
import { sumHistograms } from '../../metrics/dense.ts';
import { mergeWindows } from '../../metrics/merge.ts';
import { TIERS, tierFor } from '../../metrics/tiers.ts';
import type { History, HubEvent, Routes } from '../api-types.ts';
import { readEvents } from '../events/events.ts';
import type { Part } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';
import { readWindows } from '../store/windows.ts';
import { appCharts } from './app-charts.ts';
import { draw } from './charts.ts';
import { hostCharts } from './host-charts.ts';
import { type Selection, select } from './selection.ts';
import { routesOf } from './view.ts';

export type Subject =
  | { readonly kind: 'host'; readonly name: string }
  | ({ readonly kind: 'app'; readonly name: string } & Selection);
export interface Range {
  readonly from: number;
  readonly to: number;
}
export interface ChartSource {
  readonly redis: Redis;
  readonly hosts: readonly string[];
  /** Hosts on which an application was seen. */
  readonly hostsOf: (app: string) => readonly string[];
  readonly intervalSeconds: number;
}

/** Points of a chart: about as many as a column of a wide screen has pixels for. */
const POINTS = 240;
/** Steps that people can read off an axis, seconds. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200];

/** Length of a step: at least what the tier has, at most about `POINTS` of them. */
function stepFor(rangeSeconds: number, tierSeconds: number): number {
  const least = Math.max(tierSeconds, rangeSeconds / (1.5 * POINTS));
  return STEPS.find((step) => step >= least) ?? 86_400;
}

function tierOf({ from, to }: Range, source: ChartSource, now: number) {
  const tier = tierFor((now - from) / 1000 - 1, (to - from) / 1000, POINTS, source.intervalSeconds);
  return { tier, step: stepFor((to - from) / 1000, tier.seconds || source.intervalSeconds) };
}

export async function history(
  source: ChartSource,
  subject: Subject,
  range: Range,
  now: number,
): Promise<History> {
  const { tier, step } = tierOf(range, source, now);
  const isApp = subject.kind === 'app';
  const route = isApp ? subject.route : undefined;
  const [part, tables] = isApp
    ? ([route === undefined ? 'apps' : 'routes', ['routes']] as const)
    : (['host', ['system', 'disks', 'networks']] as const);
  const read = async (host: string) => {
    const closed = await readWindows(source.redis, tier, part, host, range, tables);
    if (tier.seconds === 0 || now - range.to > 1000 * tier.seconds) return closed;
    // What came after the last closed window is in finer ones.
    const from = Math.max(closed.at(-1)?.at ?? 0, range.to - 2000 * tier.seconds);
    return [...closed, ...(await readTail(source, part, host, { from, to: range.to }, tables))];
  };
  const [windows, events] = await Promise.all([
    Promise.all((isApp ? source.hostsOf(subject.name) : [subject.name]).map(read)),
    readEvents(source.redis, range.from, range.to),
  ]);
  const found = windows.flat();
  const all = isApp ? found.map((window) => select(window, subject)) : found;
  const charts = isApp ? appCharts(subject.name, all) : hostCharts(all);
  // The last step is drawn when every host has had the time to send it.
  const ready = Math.min(range.to, now - (source.intervalSeconds + 1) * 1000);
  const end = tier.seconds === 0 ? Math.floor(ready / (step * 1000)) * step * 1000 : range.to;
  const drawn = draw(charts, all, { from: range.from, to: end, stepSeconds: step }, isApp);
  const concerns = ({ app, hosts }: HubEvent) =>
    isApp ? app === subject.name : hosts.length === 0 || hosts.includes(subject.name);
  return { tier: tier.name, stepSeconds: step, ...drawn, events: events.filter(concerns) };
}

/** Restarts of each unit of a host in a range that reaches until now. */
export async function restarts(
  source: ChartSource,
  host: string,
  range: Range,
  now: number,
): Promise<ReadonlyMap<string, number>> {
  const tier = tierFor((now - range.from) / 1000 - 1, (now - range.from) / 1000, 12, source.intervalSeconds);
  const closed = await readWindows(source.redis, tier, 'host', host, range, ['units']);
  const since = { from: closed.at(-1)?.at ?? now - tier.seconds * 1000, to: range.to };
  const open = await readTail(source, 'host', host, since, ['units']);
  const counts = new Map<string, number>();
  for (const { units } of [...closed, ...open])
    for (const row of units) counts.set(row.unit, (counts.get(row.unit) ?? 0) + row.restarts);
  return counts;
}

export async function routes(
  source: ChartSource,
  app: string,
  range: Range,
  now: number,
  compare?: { readonly baseline: string; readonly candidate: string },
): Promise<Routes> {
  // Figures of a table need no fine windows: the coarsest tier that tells the ends of the range from its
  // middle.
  const tier = tierFor(
    (now - range.from) / 1000 - 1,
    (range.to - range.from) / 1000,
    12,
    source.intervalSeconds,
  );
  const open = { from: range.to - Math.max(60, tier.seconds) * 1000, to: range.to };
  const windows = await Promise.all(
    source.hostsOf(app).map(async (host) => {
      const closed = await readWindows(source.redis, tier, 'routes', host, range, ['routes']);
      if (tier.seconds === 0) return coarse(closed);
      // What came after the last closed window is in finer ones.
      const since = Math.max(closed.at(-1)?.at ?? range.from, open.from - tier.seconds * 1000);
      const tail = await readTail(source, 'routes', host, { from: since, to: range.to }, ['routes']);
      return coarse([...closed, ...tail]);
    }),
  );
  return routesOf(windows.flat(), app, (range.to - range.from) / 1000, compare);
}

/** Windows that a table of routes is made of: enough to tell when a release came and went. */
const COARSE = 24;
const NOTHING = { sum: 0, zero: 0, counts: {} };

/**
 * The same requests in few windows, so that each histogram is read once, and those that no table shows not at
 * all.
 */
function coarse(windows: readonly Window[]): Window[] {
  const size = Math.ceil(windows.length / COARSE);
  const merged: Window[] = [];
  for (let i = 0; i < windows.length; i += size) {
    const some = windows.slice(i, i + size).map((window) => ({
      ...window,
      routes: window.routes.map((row) => ({ ...row, size: NOTHING })),
    }));
    merged.push(...[mergeWindows(some) ?? []].flat());
  }
  return merged;
}

async function readTail(
  { redis }: ChartSource,
  part: Part,
  host: string,
  range: Range,
  tables: readonly TableName[],
): Promise<Window[]> {
  const raw = TIERS[0];
  return raw === undefined ? [] : readWindows(redis, raw, part, host, range, tables);
}

/** p90 of an application's durations in a range; undefined without enough requests. */
export async function usualP90(
  source: ChartSource,
  app: string,
  range: Range,
  now: number,
): Promise<number | undefined> {
  const { tier } = tierOf(range, source, now);
  const windows = await Promise.all(
    source.hostsOf(app).map((host) => readWindows(source.redis, tier, 'apps', host, range, ['routes'])),
  );
  const rows = windows.flat().flatMap(({ routes: all }) => all.filter((row) => row.app === app));
  if (rows.reduce((total, { requests }) => total + requests, 0) < 100) return undefined;
  return sumHistograms(rows.map(({ latency }) => latency)).quantile(0.9);
}

/**
 * Counts and histograms of one release, for the judge of canaries. Windows as they came: one for each sample.
 */
export async function releaseWindows(
  source: ChartSource,
  app: string,
  release: string,
  range: Range,
  now: number,
) {
  const { tier } = tierOf(range, source, now);
  const windows = await Promise.all(
    source.hostsOf(app).map((host) => readWindows(source.redis, tier, 'apps', host, range, ['routes'])),
  );
  return windows.flat().flatMap((window) =>
    window.routes
      .filter((row) => row.app === app && row.release === release)
      .map(({ requests, status_5xx, latency, size }) => ({
        host: window.host,
        at: window.at,
        seconds: window.seconds,
        requests,
        errors: status_5xx,
        latency,
        size,
      })),
  );
}
