/** Windows in Redis: samples as they came, minutes and ten minutes, each part in a stream of its own. */
import type { TableName, Window } from '../../metrics/catalogue.ts';
import { WindowSum } from '../../metrics/merge.ts';
import { TIERS, type Tier, windowStart } from '../../metrics/tiers.ts';
import { encodeSeconds, encodeTable, parseWindow, WIRE_VERSION } from '../../metrics/wire.ts';
import { summarise } from '../intake/summary.ts';
import { type Part, windows } from './keys.ts';
import type { Redis } from './redis.ts';

/** Roll-ups of one host that still grow: one for each tier but raw. */
export type Open = WindowSum[];

/** One entry to be written. */
export interface Entry {
  readonly key: string;
  /** Milliseconds: the stream id. */
  readonly at: number;
  readonly fields: Readonly<Record<string, string>>;
  /** Entries before this are too old. */
  readonly keepFrom: number;
}

const ROLLED: readonly Tier[] = TIERS.filter(({ seconds }) => seconds > 0);
const RAW = TIERS[0] as Tier;

export function nothingOpen(): Open {
  return ROLLED.map(() => new WindowSum());
}

/**
 * Takes a window into the roll-ups that are open. One is written when the first window of the next one comes:
 * windows of a host come in order, so it is complete then, however late it came.
 * @param texts the window's tables as the agent wrote them: what was checked need not be written anew
 * @param serves whether the host has applications: then no requests are a fact that charts show
 * @returns what to write, and the window with its routes summed up by application
 */
export function take(
  window: Window,
  open: Open,
  texts?: Readonly<Record<string, string>>,
  serves = true,
): { readonly entries: readonly Entry[]; readonly summed: Window } {
  const summed = { ...window, routes: summarise(window) };
  const entries = entriesOf(RAW, window, { summed, texts, serves });
  let fresh: Window | undefined = window;
  for (const [index, tier] of ROLLED.entries()) {
    const sum = open[index];
    if (fresh === undefined || sum === undefined) break;
    const added: Window = fresh;
    const same = sum.at === undefined || windowStart(tier, sum.at) === windowStart(tier, added.at);
    const closed: Window | undefined = same ? undefined : sum.window();
    if (closed === undefined) sum.add(added);
    else {
      entries.push(...entriesOf(tier, closed, { serves }));
      const next = new WindowSum();
      next.add(added);
      open[index] = next;
    }
    fresh = closed;
  }
  return { entries, summed };
}

/** What is written for one window of a tier: each part in a stream of its own. */
export function entriesOf(
  tier: Tier,
  window: Window,
  known: {
    readonly summed?: Window | undefined;
    readonly texts?: Readonly<Record<string, string>> | undefined;
    readonly serves?: boolean;
  } = {},
): Entry[] {
  const { summed = { ...window, routes: summarise(window) }, texts, serves = true } = known;
  const head = {
    v: String(WIRE_VERSION),
    h: window.host,
    t: String(window.at),
    s: encodeSeconds(window.seconds),
  };
  const keepFrom = window.at - tier.keepSeconds * 1000;
  const text = (table: TableName) => texts?.[table] ?? encodeTable(table, window);
  const entry = (part: Part, fields: Record<string, string>): Entry => ({
    key: windows(tier.name, part, window.host),
    at: window.at,
    fields,
    keepFrom,
  });
  const filled = HOST_TABLES.flatMap((table) => (window[table].length === 0 ? [] : [[table, text(table)]]));
  const host = entry('host', { ...head, ...Object.fromEntries(filled) });
  if (window.routes.length === 0) return serves ? [host, entry('apps', head)] : [host];
  return [
    host,
    entry('apps', { ...head, routes: encodeTable('routes', summed) }),
    entry('routes', { ...head, routes: text('routes') }),
  ];
}

const PAGE = 2000;

/**
 * Windows of a host that ended in (from, to], with the tables asked for alone. Pages, so that Redis is never
 * held up for long.
 */
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
      const parsed = parseWindow({ v, h, t, s, ...Object.fromEntries(wanted) }, true);
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
  const open = nothingOpen();
  let finer = RAW;
  for (const [index, tier] of ROLLED.entries()) {
    const [last] = (await redis.xRevRange(windows(tier.name, 'host', host), '+', '-', { COUNT: 1 })) ?? [];
    const from = last === undefined ? now - finer.keepSeconds * 1000 : Number(last.id.split('-')[0]);
    const range = { from, to: Number.MAX_SAFE_INTEGER };
    const [hosts, apps] = await Promise.all([
      readWindows(redis, finer, 'host', host, range, HOST_TABLES),
      readWindows(redis, finer, 'routes', host, range, ['routes']),
    ]);
    const routes = new Map(apps.map((window) => [window.at, window.routes]));
    // Whatever of the finer tier came after this tier's last window is of the one that is open.
    for (const window of hosts) open[index]?.add({ ...window, routes: routes.get(window.at) ?? [] });
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
  'backups',
  'agent',
  'problems',
];
