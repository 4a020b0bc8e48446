/** What rules of one's own would have told on what the hub has kept. */
import type { Minute } from '../alerts/own-rules/compute.ts';
import { type Firing, Preview } from '../alerts/own-rules/preview.ts';
import type { OwnRules } from '../config/schema.ts';
import type { TableName, Window } from '../metrics/catalogue.ts';
import { mergeWindows } from '../metrics/merge.ts';
import { TIERS, type Tier, windowStart } from '../metrics/tiers.ts';
import { SERVED } from './store/keys.ts';
import type { Redis } from './store/redis.ts';
import { readWindows } from './store/windows.ts';

const MINUTE_MS = 60_000;
/** Read at once, of all hosts. */
const CHUNK_MS = 2 * 3_600_000;
const TABLES: readonly TableName[] = ['system', 'disks', 'networks', 'units', 'checks', 'stores'];

export interface PreviewAnswer {
  /** When the first sample that was looked at ended, ms; null: there is none. */
  readonly since: number | null;
  readonly until: number;
  readonly rules: readonly {
    readonly name: string;
    readonly text: string;
    readonly count: number;
    readonly firings: readonly Firing[];
  }[];
}

/** Minutes in [now − ms, now], a week at most: minutes are kept no longer. */
export async function previewRules(
  redis: Redis,
  hosts: readonly string[],
  rules: OwnRules,
  ms: number,
  now: number,
): Promise<PreviewAnswer> {
  const minute = TIERS.find(({ name }) => name === 'minute') as Tier;
  const from = now - Math.min(ms, minute.keepSeconds * 1000);
  const apps = await appsOf(redis, hosts);
  const preview = new Preview(rules);
  const needs = {
    host: Object.values(rules).some(({ about }) => about === 'host'),
    routes: Object.values(rules).some(({ about }) => about === 'app'),
  };
  let since: number | null = null;
  for (let start = from; start < now; start += CHUNK_MS) {
    const range = { from: start, to: Math.min(start + CHUNK_MS, now) };
    const minutes = await minutesIn(redis, hosts, minute, range, needs);
    for (const at of [...minutes.keys()].sort((a, b) => a - b)) {
      since ??= at;
      preview.add(at, { hosts: minutes.get(at) ?? new Map(), apps });
    }
  }
  const firings = preview.firings();
  return {
    since,
    until: now,
    rules: Object.entries(rules).map(([name, { text }]) => ({
      name,
      text,
      count: preview.counts.get(name) ?? 0,
      firings: firings.filter(({ rule }) => rule === name),
    })),
  };
}

/** Windows by the end of their minute, and by host. */
async function minutesIn(
  redis: Redis,
  hosts: readonly string[],
  tier: Tier,
  range: { readonly from: number; readonly to: number },
  needs: { readonly host: boolean; readonly routes: boolean },
): Promise<ReadonlyMap<number, ReadonlyMap<string, readonly Window[]>>> {
  const minutes = new Map<number, Map<string, readonly Window[]>>();
  for (const host of hosts) {
    // The part `apps` has a window also where nothing was asked for.
    const parts = [
      ...(needs.host ? ([['host', TABLES]] as const) : []),
      ...(needs.routes
        ? ([
            ['apps', []],
            ['routes', ['routes']],
          ] as const)
        : []),
    ];
    const read = await Promise.all(
      parts.map(([part, tables]) => readWindows(redis, tier, part, host, range, tables)),
    );
    const byMinute = new Map<number, Window[]>();
    for (const window of read.flat()) {
      const end = windowStart(tier, window.at) + MINUTE_MS;
      byMinute.set(end, [...(byMinute.get(end) ?? []), window]);
    }
    for (const [end, windows] of byMinute) {
      const ofHosts = minutes.get(end) ?? new Map<string, readonly Window[]>();
      minutes.set(end, ofHosts.set(host, [together(windows)]));
    }
  }
  return minutes;
}

/** The parts of one minute of a host are one window: its seconds count once. */
function together(windows: readonly Window[]): Window {
  const [first] = windows as [Window];
  const seconds = Math.max(...windows.map((window) => window.seconds));
  return { ...(mergeWindows(windows) ?? first), seconds };
}

async function appsOf(redis: Redis, hosts: readonly string[]): Promise<Minute['apps']> {
  const apps = new Map<string, string[]>();
  for (const served of await redis.sMembers(SERVED)) {
    const [app = '', host = ''] = served.split(' ');
    if (hosts.includes(host)) apps.set(app, [...(apps.get(app) ?? []), host]);
  }
  return apps;
}
