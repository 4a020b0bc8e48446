/** What rules of one's own would have told on what the hub has kept. */
import type { Minute } from '../alerts/own-rules/compute.ts';
import { type Firing, Preview } from '../alerts/own-rules/preview.ts';
import { quantityOf } from '../config/own-rules/quantities.ts';
import type { OwnRules } from '../config/schema.ts';
import type { TableName, Window } from '../metrics/catalogue.ts';
import { TIERS, type Tier, windowStart } from '../metrics/tiers.ts';
import { SERVED } from './store/keys.ts';
import type { Redis } from './store/redis.ts';
import { readWindows } from './store/windows.ts';

const MINUTE_MS = 60_000;
/** Read at once, of all hosts. */
const CHUNK_MS = 2 * 3_600_000;

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
  const needs = needsOf(rules);
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

interface Needs {
  /** Tables of hosts that some rule looks at. */
  readonly tables: readonly TableName[];
  readonly routes: boolean;
}

const TABLE_OF = {
  mount: 'disks',
  interface: 'networks',
  unit: 'units',
  check: 'checks',
  database: 'stores',
} as const satisfies Readonly<Record<string, TableName>>;

function needsOf(rules: OwnRules): Needs {
  const quantities = Object.values(rules).flatMap(({ conditions }) =>
    conditions.map(({ quantity }) => quantityOf(quantity)),
  );
  const tables = quantities.flatMap(({ about, part }): readonly TableName[] =>
    about === 'app' || part === 'route' ? [] : [part === undefined ? 'system' : TABLE_OF[part]],
  );
  return { tables: [...new Set(tables)], routes: quantities.some(({ about }) => about === 'app') };
}

/** Windows by the end of their minute, and by host. */
async function minutesIn(
  redis: Redis,
  hosts: readonly string[],
  tier: Tier,
  range: { readonly from: number; readonly to: number },
  { tables, routes }: Needs,
): Promise<ReadonlyMap<number, ReadonlyMap<string, readonly Window[]>>> {
  const minutes = new Map<number, Map<string, Window[]>>();
  for (const host of hosts) {
    const [windows, requests] = await Promise.all([
      // It has a window for each minute, also where nothing was asked for.
      readWindows(redis, tier, 'host', host, range, tables),
      routes ? readWindows(redis, tier, 'routes', host, range, ['routes']) : [],
    ]);
    const byTime = new Map(requests.map((window) => [window.at, window.routes]));
    for (const window of windows) {
      const end = windowStart(tier, window.at) + MINUTE_MS;
      const ofHosts = minutes.get(end) ?? new Map<string, Window[]>();
      minutes.set(end, ofHosts);
      const whole = { ...window, routes: byTime.get(window.at) ?? [] };
      ofHosts.set(host, [...(ofHosts.get(host) ?? []), whole]);
    }
  }
  return minutes;
}

async function appsOf(redis: Redis, hosts: readonly string[]): Promise<Minute['apps']> {
  const apps = new Map<string, string[]>();
  for (const served of await redis.sMembers(SERVED)) {
    const [app = '', host = ''] = served.split(' ');
    if (hosts.includes(host)) apps.set(app, [...(apps.get(app) ?? []), host]);
  }
  return apps;
}
