/** What the API answers, from what the hub knows. Pure. */
import type { AppView, HostView } from '../../alerts/findings.ts';
import type { Silence } from '../../alerts/silence.ts';
import { type Taken, takenBy } from '../../alerts/taken.ts';
import type { AlertState } from '../../alerts/types.ts';
import type { Row, Window } from '../../metrics/catalogue.ts';
import { sumHistograms } from '../../metrics/dense.ts';
import { mean } from '../../metrics/merge.ts';
import type {
  CanaryRun,
  Health,
  HostDetail,
  Overview,
  OverviewApp,
  OverviewHost,
  RouteFigures,
  RouteRow,
  Routes,
  ShownAlert,
  ShownRollout,
  UnitList,
  UnitRow,
} from '../api-types.ts';
import type { HostState } from '../intake/fleet.ts';
import type { AppSparks } from './sparks.ts';

const MINUTE_MS = 60_000;

/** What the overview is made of. */
export interface OverviewSource {
  readonly fleet: Iterable<HostState>;
  /** Requests a second of each application by minute. */
  readonly sparks: Pick<AppSparks, 'line'>;
  readonly states: readonly AlertState[];
  readonly silences: readonly Silence[];
  readonly taken: readonly Taken[];
  /** Names of rules, which can be silenced. */
  readonly rules: readonly string[];
  readonly canaries: readonly CanaryRun[];
  readonly rollouts: readonly ShownRollout[];
  readonly storage: Overview['storage'];
  readonly remoteWrite: Overview['remoteWrite'];
  readonly trouble: string;
}

export function overview(source: OverviewSource, now: number): Overview {
  const { sparks, states, canaries, rollouts, storage, remoteWrite, trouble } = source;
  const hosts = [...source.fleet];
  const alerts = states.map((state) => shown(state, source.taken));
  return {
    at: now,
    hosts: hosts.map((host) => overviewHost(host, states, now)),
    apps: appNames(hosts).map((app) => overviewApp(app, hosts, sparks.line(app, now), states, now)),
    alerts: alerts.sort((a, b) => rank(a) - rank(b) || b.since - a.since),
    silences: source.silences.map(({ from: _, ...silence }) => silence),
    rules: source.rules,
    canaries,
    rollouts,
    storage,
    remoteWrite,
    trouble,
  };
}

function rank({ state, severity }: ShownAlert): number {
  return state === 'resolved' ? 3 : state === 'pending' ? 2 : severity === 'critical' ? 0 : 1;
}

function shown(state: AlertState, taken: readonly Taken[]): ShownAlert {
  const { key, rule, severity, subject, kind, message, since, resolvedAt } = state;
  const who = takenBy(taken, state);
  const care = who === undefined ? {} : { taken: { by: who.by, at: who.at } };
  return { key, rule, severity, state: state.state, subject, kind, message, since, resolvedAt, ...care };
}

/** One colour each: broken where something critical fires, worth a look where anything does. */
export function healthOf(kind: 'host' | 'app', subject: string, states: readonly AlertState[]): Health {
  const firing = states.filter(
    (alert) => alert.kind === kind && alert.subject === subject && alert.state === 'firing',
  );
  if (firing.some(({ severity }) => severity === 'critical')) return 'broken';
  return firing.length > 0 ? 'look' : 'well';
}

function overviewHost(host: HostState, states: readonly AlertState[], now: number): OverviewHost {
  const [system] = host.latest?.system ?? [];
  const part = (of: number | null, whole: number | null) =>
    of === null || whole === null || whole === 0 ? null : of / whole;
  const disks = (host.latest?.disks ?? []).flatMap(({ used, size }) => part(mean(used), mean(size)) ?? []);
  const health = healthOf('host', host.name, states);
  return {
    name: host.name,
    health: host.heardAt === undefined && health === 'well' ? 'look' : health,
    silentSeconds: host.heardAt === undefined ? null : Math.max(0, Math.round((now - host.heardAt) / 1000)),
    cpu: mean(system?.cpu ?? null),
    memory: part(mean(system?.memory_used ?? null), mean(system?.memory_total ?? null)),
    disk: disks.length === 0 ? null : Math.max(...disks),
    clockAhead: Math.round(host.position.aheadMs / 100) / 10,
    refused: host.refused,
    refusal: host.refusal,
    lost: host.lost,
    spark: sparkline(host.spark, now),
  };
}

function sparkline(spark: ReadonlyMap<number, number>, now: number): (number | null)[] {
  const minute = Math.floor(now / MINUTE_MS);
  return Array.from({ length: 60 }, (_, i) => {
    const value = spark.get(minute - 59 + i);
    return value === undefined ? null : Number(value.toPrecision(3));
  });
}

export function appNames(hosts: readonly HostState[]): string[] {
  const names = hosts.flatMap(({ recent }) => recent.flatMap(({ routes }) => routes.map(({ app }) => app)));
  return [...new Set(names)].filter((name) => name !== '').sort();
}

/** Rows of an application of the last minute, by host. */
function recentRows(app: string, hosts: readonly HostState[], now: number) {
  return hosts.flatMap((host) =>
    host.recent
      .filter(({ at }) => at > now - MINUTE_MS)
      .flatMap(({ routes }) =>
        routes.filter((row) => row.app === app).map((row) => ({ host: host.name, row })),
      ),
  );
}

function overviewApp(
  name: string,
  hosts: readonly HostState[],
  spark: readonly (number | null)[],
  states: readonly AlertState[],
  now: number,
): OverviewApp {
  const rows = recentRows(name, hosts, now);
  const figures = figuresOf(
    rows.map(({ row }) => row),
    60,
  );
  return {
    name,
    health: healthOf('app', name, states),
    rate: figures.rate,
    errors: figures.requests === 0 ? null : figures.errors,
    p90: figures.p90,
    releases: [...new Set(rows.map(({ row }) => row.release).filter((release) => release !== ''))],
    hosts: [...new Set(rows.map(({ host }) => host))],
    spark,
  };
}

export function appView(
  name: string,
  hosts: readonly HostState[],
  usualP90: number | undefined,
  now: number,
): AppView {
  const rows = recentRows(name, hosts, now).map(({ row }) => row);
  const { requests, errors, p90 } = figuresOf(rows, 60);
  return { name, requests, errors: errors * requests, p90: p90 ?? undefined, usualP90 };
}

export function hostView(host: HostState, extra: Pick<HostView, 'restarts' | 'growth'>): HostView {
  const { name, heardAt, latest, position } = host;
  return { name, heardAt, latest, aheadMs: position.aheadMs, ...extra };
}

function figuresOf(rows: readonly Row<'routes'>[], seconds: number): RouteFigures {
  const sum = (of: (row: Row<'routes'>) => number) => rows.reduce((total, row) => total + of(row), 0);
  const requests = sum((row) => row.requests);
  const share = (count: number) => (requests === 0 ? 0 : count / requests);
  const latency = sumHistograms(rows.map((row) => row.latency));
  const at = (q: number) => latency.quantile(q) ?? null;
  return {
    requests,
    rate: requests / seconds,
    errors: share(sum((row) => row.status_5xx)),
    rejected: share(sum((row) => row.status_4xx)),
    size: requests === 0 ? null : sum((row) => row.bytes) / requests,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
  };
}

/** Items by what `key` says of each. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

/**
 * The table of routes of an application, with its releases and hosts; with two releases to compare, both
 * beside each other.
 */
export function routesOf(
  windows: readonly Window[],
  app: string,
  seconds: number,
  compare?: { readonly baseline: string; readonly candidate: string },
): Routes {
  const entries = windows.flatMap(({ host, at, routes }) =>
    routes.filter((row) => row.app === app).map((row) => ({ host, at, row })),
  );
  type Entry = (typeof entries)[number];
  const figures = (group: readonly Entry[]) =>
    figuresOf(
      group.map(({ row }) => row),
      seconds,
    );
  const all = (group: readonly Entry[]): Omit<RouteRow, 'method' | 'route'> => {
    const of = (release: string) => figures(group.filter(({ row }) => row.release === release));
    return {
      all: figures(group),
      ...(compare === undefined ? {} : { baseline: of(compare.baseline), candidate: of(compare.candidate) }),
    };
  };
  const releases = [...groupBy(entries, ({ row }) => row.release)].map(([release, group]) => {
    const own = figures(group);
    const times = group.filter(({ row }) => row.requests > 0).map(({ at }) => at);
    const [firstAt, lastAt] = times.reduce(
      ([first, last], at) => [Math.min(first, at), Math.max(last, at)],
      [Number.POSITIVE_INFINITY, 0],
    );
    return { release, requests: own.requests, figures: own, firstAt, lastAt };
  });
  const rows = [...groupBy(entries, ({ row }) => `${row.method} ${row.route}`).values()].map(
    (group): RouteRow => ({
      method: group[0]?.row.method ?? '',
      route: group[0]?.row.route ?? '',
      ...all(group),
    }),
  );
  return {
    all: all(entries),
    releases: releases.filter(({ requests }) => requests > 0).sort((a, b) => b.firstAt - a.firstAt),
    hosts: [...groupBy(entries, ({ host }) => host)]
      .map(([host, group]) => ({ host, figures: figures(group) }))
      .sort((a, b) => a.host.localeCompare(b.host)),
    rows: rows.sort((a, b) => b.all.requests - a.all.requests).slice(0, 200),
  };
}

/** @param restarts of each unit within the last 24 hours */
export function hostDetail(window: Window | undefined, restarts: ReadonlyMap<string, number>): HostDetail {
  const {
    disks = [],
    checks = [],
    stores = [],
    certificates = [],
    problems = [],
    backups = [],
  } = window ?? {};
  return {
    units: unitsOf(window).map((unit) => ({ ...unit, restarts: restarts.get(unit.unit) ?? 0 })),
    disks: disks.map(({ mount, device, size, used, inodes_used }) => ({
      mount,
      device,
      size: mean(size),
      used: mean(used),
      inodes: mean(inodes_used),
    })),
    checks: checks.map(({ check, target, up, duration, error }) => ({
      check,
      target,
      up: mean(up) !== 0,
      duration: mean(duration),
      error,
    })),
    stores: stores.map(({ store, kind, up, connections, size, error }) => ({
      store,
      kind,
      up: mean(up) !== 0,
      connections: mean(connections),
      size: mean(size),
      error,
    })),
    certificates: certificates.map(({ endpoint, expires }) => ({ endpoint, expires })),
    backups: backups.map(({ item, at, bytes, error, verified, verify_error }) => ({
      item,
      at,
      size: mean(bytes),
      error,
      verified,
      verifyError: verify_error,
    })),
    problems,
    facts: factsOf(window),
  };
}

function factsOf(window: Window | undefined): HostDetail['facts'] {
  if (window === undefined) return null;
  const { system, agent } = window;
  return {
    cores: system[0]?.cores ?? null,
    memory: mean(system[0]?.memory_total ?? null),
    uptime: system[0]?.uptime ?? null,
    agentVersion: agent[0]?.version ?? '',
    buffered: mean(agent[0]?.buffered ?? null),
  };
}

function unitsOf(window: Window | undefined): UnitRow[] {
  return (window?.units ?? [])
    .map(({ unit, state, sub, cpu, memory }) => ({ unit, state, sub, cpu: mean(cpu), memory: mean(memory) }))
    .sort((a, b) => failedFirst(a, b) || (b.memory ?? 0) - (a.memory ?? 0));
}

const failedFirst = (a: UnitRow, b: UnitRow) => Number(b.state === 'failed') - Number(a.state === 'failed');

const MOST_UNITS = 2000;

/** Units of all hosts, or of one; in one state, or in any. */
export function unitList(
  fleet: Iterable<HostState>,
  only: { readonly state?: string | undefined; readonly host?: string | undefined },
): UnitList {
  const units = [...fleet]
    .filter(({ name }) => only.host === undefined || name === only.host)
    .flatMap(({ name, latest }) => unitsOf(latest).map((unit) => ({ host: name, ...unit })))
    .filter(({ state }) => only.state === undefined || state === only.state);
  return { units: units.sort(failedFirst).slice(0, MOST_UNITS) };
}
