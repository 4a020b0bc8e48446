/** Windows in Redis: samples as they came, minutes and ten minutes, each part in a stream of its own. */
import type { TableName, Window } from '../metrics/catalogue.ts';
import { mergeWindows } from '../metrics/merge.ts';
import { TIERS, type Tier, windowStart } from '../metrics/tiers.ts';
import { encodeWindow, parseWindow } from '../metrics/wire.ts';
import { type Part, windows } from './keys.ts';
import type { Redis } from './redis.ts';
import { summarise } from './summary.ts';

/** Roll-ups of one host that still grow: one for each tier but raw. */
export type Open = readonly (Window | undefined)[];

/** One entry to be written. */
export interface Entry {
  readonly key: string;
  /** Milliseconds: the stream id. */
  readonly at: number;
  readonly fields: Readonly<Record<string, string>>;
  /** Entries before this are too old. */
  readonly keepFrom: number;
}

export const ROLLED: readonly Tier[] = TIERS.filter(({ seconds }) => seconds > 0);
const RAW = TIERS[0] as Tier;

/**
 * Takes a window in. A roll-up is written when the first window of the next one comes: windows of a host come in order, so it is complete then,
 * however late it came.
 * @returns what to write, and the roll-ups that are open now
 */
export function take(
  window: Window,
  open: Open,
): { readonly entries: readonly Entry[]; readonly open: Open } {
  const entries = entriesOf(RAW, window);
  let fresh: Window | undefined = window;
  const grown = ROLLED.map((tier, index) => {
    const before = open[index];
    if (fresh === undefined) return before;
    const added: Window = fresh;
    if (before === undefined || windowStart(tier, before.at) === windowStart(tier, added.at)) {
      fresh = undefined;
      return before === undefined ? added : mergeWindows([before, added]);
    }
    entries.push(...entriesOf(tier, before));
    fresh = before;
    return added;
  });
  return { entries, open: grown };
}

/** What is written for one window of a tier: each part in a stream of its own. */
export function entriesOf(tier: Tier, window: Window): Entry[] {
  const { routes, ...host } = encodeWindow(window);
  const { v = '', h = '', t = '', s = '' } = host;
  const head = { v, h, t, s };
  const keepFrom = window.at - tier.keepSeconds * 1000;
  const entry = (part: Part, fields: Record<string, string>): Entry => ({
    key: windows(tier.name, part, window.host),
    at: window.at,
    fields,
    keepFrom,
  });
  const filled = Object.fromEntries(Object.entries(host).filter(([, text]) => text !== '[]'));
  if (window.routes.length === 0) return [entry('host', filled)];
  const apps = encodeWindow({ ...window, routes: summarise(window) }).routes ?? '[]';
  return [
    entry('host', filled),
    entry('apps', { ...head, routes: apps }),
    entry('routes', { ...head, routes: routes ?? '[]' }),
  ];
}

const PAGE = 2000;

/** Windows of a host that ended in (from, to], with the tables asked for alone. Pages, so that Redis is never held up for long. */
export async function readWindows(
  redis: Redis,
  tier: Tier,
  part: Part,
  host: string,
  range: { readonly from: number; readonly to: number },
  tables: readonly TableName[],
): Promise<Window[]> {
  const found: Window[] = [];
  let begin = String(range.from + 1);
  for (;;) {
    const page =
      (await redis.xRange(windows(tier.name, part, host), begin, String(range.to), { COUNT: PAGE })) ?? [];
    for (const { message } of page) {
      const { v = '', h = '', t = '', s = '' } = message;
      const wanted = tables.flatMap((table) => {
        const text = message[table];
        return text === undefined ? [] : [[table, text]];
      });
      const parsed = parseWindow({ v, h, t, s, ...Object.fromEntries(wanted) });
      if (parsed.ok) found.push(parsed.value);
      else
        throw new Error(
          `${windows(tier.name, part, host)} holds what the hub did not write: ${parsed.reason}`,
        );
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return found;
    begin = `(${last.id}`;
  }
}

/** The roll-ups that were open when the hub ended, from what is stored. */
export async function reopen(redis: Redis, host: string, now: number): Promise<Open> {
  const open: (Window | undefined)[] = [];
  let finer: Tier = RAW;
  for (const tier of ROLLED) {
    const [last] = (await redis.xRevRange(windows(tier.name, 'host', host), '+', '-', { COUNT: 1 })) ?? [];
    const from = last === undefined ? now - finer.keepSeconds * 1000 : Number(last.id.split('-')[0]);
    const parts = await Promise.all([
      readWindows(redis, finer, 'host', host, { from, to: Number.MAX_SAFE_INTEGER }, HOST_TABLES),
      readWindows(redis, finer, 'routes', host, { from, to: Number.MAX_SAFE_INTEGER }, ['routes']),
    ]);
    const routes = new Map(parts[1].map((window) => [window.at, window.routes]));
    const all = parts[0].map((window) => ({ ...window, routes: routes.get(window.at) ?? [] }));
    // Whatever of the finer tier came after this tier's last window is of the one that is open.
    open.push(mergeWindows(all));
    finer = tier;
  }
  return open;
}

export const HOST_TABLES: readonly TableName[] = [
  'system',
  'disks',
  'networks',
  'units',
  'checks',
  'stores',
  'certificates',
  'agent',
  'problems',
];
