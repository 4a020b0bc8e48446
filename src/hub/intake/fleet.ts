/** What the hub knows of every host right now. Bounded by the number of hosts and rows of a sample. */
import type { Window } from '../../metrics/catalogue.ts';
import { mean } from '../../metrics/merge.ts';
import { nothingOpen, type Open } from '../store/windows.ts';
import { NOWHERE, type Position } from './admit.ts';

/** Recent windows that rates and alerts are computed from. */
const RECENT_MS = 60_000;
const SPARK_MINUTES = 60;
/** What is measured once an hour may be late once. */
const STANDS_MS = 2 * 3_600_000;

export interface HostState {
  readonly name: string;
  position: Position;
  open: Open;
  /** Windows of the last minute, routes summed up by application. */
  recent: Window[];
  /** The latest rows of tables that are not measured in every sample. */
  latest: Window | undefined;
  /** When each check, store and certificate was measured last, ms: `check site`. */
  readonly rowsAt: Map<string, number>;
  /** By the hub's clock, ms; when a sample came last. */
  heardAt: number | undefined;
  refused: number;
  refusal: string;
  lost: number;
  /** Share of the processor by minute (minute number → mean), the last hour. */
  readonly spark: Map<number, number>;
}

export function newHost(name: string): HostState {
  return {
    name,
    position: NOWHERE,
    open: nothingOpen(),
    recent: [],
    latest: undefined,
    rowsAt: new Map(),
    heardAt: undefined,
    refused: 0,
    refusal: '',
    lost: 0,
    spark: new Map(),
  };
}

/** Takes a window with its routes summed up. */
export function remember(host: HostState, window: Window, now: number): void {
  host.heardAt = now;
  host.recent = [...host.recent.filter(({ at }) => at > window.at - RECENT_MS), window];
  const before = host.latest;
  const keep = <T>(fresh: readonly T[], old: readonly T[] | undefined): readonly T[] =>
    fresh.length > 0 ? fresh : (old ?? []);
  host.latest = {
    ...window,
    units: keep(window.units, before?.units),
    disks: keep(window.disks, before?.disks),
    ...occasional(host, window),
  };
  const cpu = mean(window.system[0]?.cpu ?? null);
  if (cpu !== null) setSpark(host.spark, window.at, cpu);
}

export function setSpark(spark: Map<number, number>, at: number, value: number): void {
  const minute = Math.floor(at / 60_000);
  const old = spark.get(minute);
  // The latest counts most: exact enough for a line of 60 points.
  spark.set(minute, old === undefined ? value : old * 0.9 + value * 0.1);
  for (const key of spark.keys()) if (key <= minute - SPARK_MINUTES) spark.delete(key);
}

/** What was measured up to an hour ago and still stands, for a hub that begins: windows in order. */
export function recall(host: HostState, windows: readonly Window[]): void {
  for (const window of windows) host.latest = { ...(host.latest ?? window), ...occasional(host, window) };
}

/**
 * Each check, store, certificate and backup is measured on its own schedule, certificates once an hour: the
 * latest row of each stands.
 */
function occasional(host: HostState, { at, checks, stores, certificates, backups }: Window) {
  const { latest, rowsAt } = host;
  for (const [name, time] of rowsAt) if (time < at - STANDS_MS) rowsAt.delete(name);
  function merge<T>(kind: string, old: readonly T[] = [], fresh: readonly T[], name: (row: T) => string) {
    const rows = new Map(old.map((row) => [name(row), row]));
    for (const row of fresh) {
      rows.set(name(row), row);
      rowsAt.set(`${kind} ${name(row)}`, at);
    }
    // What is measured no more does not stand for good.
    return [...rows.values()].filter((row) => rowsAt.has(`${kind} ${name(row)}`)).slice(-200);
  }
  return {
    checks: merge('check', latest?.checks, checks, (row) => row.check),
    stores: merge('store', latest?.stores, stores, (row) => row.store),
    certificates: merge('certificate', latest?.certificates, certificates, (row) => row.endpoint),
    backups: merge('backup', latest?.backups, backups, (row) => row.item),
  };
}
