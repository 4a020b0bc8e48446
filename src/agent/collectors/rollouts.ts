/**
 * Live canaries that this host decides. Their files are the truth: at its start, and after samples were lost,
 * the agent sends those that have ended again, and the hub knows each that it has.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLLOUT_STATUS, ROLLOUTS_ENDED, type RolloutStatus } from '../../contract/rollout.ts';
import { type Row, TABLES } from '../../metrics/catalogue.ts';
import type { Collector } from '../collector.ts';
import { parseLine } from '../logs/json-line.ts';

type Rollout = Row<'rollouts'>;

/** Rows of one sample. */
const ROWS = 5;
const LONGEST = TABLES.rollouts.columns.status.max;

/** A status as a row, without its oldest events where all are too long; undefined where it is no status. */
export function rolloutRow(text: string): (Rollout & { readonly at: string }) | undefined {
  const status = parseLine(text) as Partial<RolloutStatus> | undefined;
  const { app, id, at, events } = status ?? {};
  if (typeof app !== 'string' || typeof id !== 'string' || typeof at !== 'string' || !Array.isArray(events))
    return undefined;
  const newest = (count: number) => JSON.stringify({ ...status, events: events.slice(-count) });
  let [shown, kept] = [text.trim(), events.length];
  while (shown.length > LONGEST && kept > 1) {
    kept = Math.ceil(kept / 2);
    shown = newest(kept);
  }
  return shown.length > LONGEST ? undefined : { app, id, at, status: shown };
}

/** @param lost how many samples were lost since the agent began: what has ended is sent again */
export function rolloutCollector(
  lost: () => number,
  now = ROLLOUT_STATUS,
  ended = ROLLOUTS_ENDED,
): Collector {
  /** When each was written that was sent last, by its identifier. */
  const told = new Map<string, string>();
  const waiting = new Map<string, Rollout>();
  const strange = new Set<string>();
  let lostBefore: number | undefined;
  const look = (path: string): readonly Row<'problems'>[] => {
    const row = rolloutRow(readFileSync(path, 'utf8'));
    if (row === undefined) {
      if (strange.has(path)) return [];
      strange.add(path);
      return [{ source: 'rollouts', message: `${path} is not the status of a rollout` }];
    }
    const { at, ...rest } = row;
    if (told.get(row.id) !== at) waiting.set(row.id, rest);
    told.set(row.id, at);
    return [];
  };
  return {
    name: 'rollouts',
    everySeconds: 0,
    collect(seconds) {
      // What the first look finds goes nowhere.
      if (seconds === 0) return {};
      const again = lost() !== lostBefore;
      lostBefore = lost();
      if (again) told.clear();
      const paths = [...(again ? foldersIn(ended).flatMap(statusesIn) : []), ...statusesIn(now)];
      const problems = paths.flatMap(look);
      const rollouts = [...waiting.values()].slice(0, ROWS);
      for (const { id } of rollouts) waiting.delete(id);
      return { rollouts, problems };
    },
  };
}

function statusesIn(folder: string): readonly string[] {
  return entriesOf(folder).flatMap((entry) =>
    entry.isFile() && entry.name.endsWith('.json') ? [join(folder, entry.name)] : [],
  );
}

function foldersIn(folder: string): readonly string[] {
  return entriesOf(folder).flatMap((entry) => (entry.isDirectory() ? [join(folder, entry.name)] : []));
}

/** Nothing where no rollout ever was. */
function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
