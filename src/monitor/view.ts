/** What the API answers, from what the hub knows. Pure. */
import type { AppView, HostView } from '../alerts/findings.ts';
import type { AlertState } from '../alerts/types.ts';
import type { Row, Window } from '../metrics/catalogue.ts';
import { mergeHistograms, quantile } from '../metrics/histogram.ts';
import { mean } from '../metrics/merge.ts';
import type {
  Health,
  HostDetail,
  Overview,
  OverviewApp,
  OverviewHost,
  RouteFigures,
  RouteRow,
  Routes,
  ShownAlert,
} from './api-types.ts';
import type { HostState } from './fleet.ts';

const MINUTE_MS = 60_000;

export function overview(
  fleet: Iterable<HostState>,
  sparks: ReadonlyMap<string, ReadonlyMap<number, number>>,
  states: readonly AlertState[],
  now: number,
  trouble: string,
): Overview {
  const hosts = [...fleet];
  const alerts = states.filter(({ state }) => state !== 'pending').map(shown);
  return {
    at: now,
    hosts: hosts.map((host) => overviewHost(host, states, now)),
    apps: appNames(hosts).map((app) => overviewApp(app, hosts, sparks.get(app) ?? new Map(), states, now)),
    alerts: alerts.sort((a, b) => rank(a) - rank(b) || b.since - a.since),
    trouble,
  };
}

function rank({ state, severity }: ShownAlert): number {
  return state === 'resolved' ? 2 : severity === 'critical' ? 0 : 1;
}

function shown(state: AlertState): ShownAlert {
  const { key, rule, severity, subject, kind, message, since, resolvedAt } = state;
  return { key, rule, severity, state: state.state, subject, kind, message, since, resolvedAt };
}

/** One colour each: broken where something critical fires, worth a look where anything does. */
export function healthOf(subject: string, states: readonly AlertState[]): Health {
  const firing = states.filter((alert) => alert.subject === subject && alert.state === 'firing');
  if (firing.some(({ severity }) => severity === 'critical')) return 'broken';
  return firing.length > 0 ? 'look' : 'well';
}

function overviewHost(host: HostState, states: readonly AlertState[], now: number): OverviewHost {
  const [system] = host.latest?.system ?? [];
  const part = (of: number | null, whole: number | null) =>
    of === null || whole === null || whole === 0 ? null : of / whole;
  const disks = (host.latest?.disks ?? []).flatMap(({ used, size }) => part(mean(used), mean(size)) ?? []);
  const health = healthOf(host.name, states);
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

export function sparkline(spark: ReadonlyMap<number, number>, now: number): (number | null)[] {
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
  spark: ReadonlyMap<number, number>,
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
    health: healthOf(name, states),
    rate: figures.rate,
    errors: figures.requests === 0 ? null : figures.errors,
    p90: figures.p90,
    releases: [...new Set(rows.map(({ row }) => row.release).filter((release) => release !== ''))],
    hosts: [...new Set(rows.map(({ host }) => host))],
    spark: sparkline(spark, now),
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

export function figuresOf(rows: readonly Row<'routes'>[], seconds: number): RouteFigures {
  const requests = rows.reduce((total, row) => total + row.requests, 0);
  const failed = rows.reduce((total, row) => total + row.status_5xx, 0);
  const latency = mergeHistograms(rows.map((row) => row.latency));
  const at = (q: number) => quantile(latency, q) ?? null;
  return {
    requests,
    rate: requests / seconds,
    errors: requests === 0 ? 0 : failed / requests,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
  };
}

/** The table of routes of an application; with two releases, both beside each other. */
export function routesOf(
  windows: readonly Window[],
  app: string,
  seconds: number,
  compare?: { readonly baseline: string; readonly candidate: string },
): Routes {
  const rows = windows.flatMap(({ routes }) => routes.filter((row) => row.app === app));
  const releases = new Map<string, number>();
  const groups = new Map<string, Row<'routes'>[]>();
  for (const row of rows) {
    releases.set(row.release, (releases.get(row.release) ?? 0) + row.requests);
    const key = `${row.method} ${row.route}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const table = [...groups.values()].map((group): RouteRow => {
    const of = (release: string) =>
      figuresOf(
        group.filter((row) => row.release === release),
        seconds,
      );
    return {
      method: group[0]?.method ?? '',
      route: group[0]?.route ?? '',
      all: figuresOf(group, seconds),
      ...(compare === undefined ? {} : { baseline: of(compare.baseline), candidate: of(compare.candidate) }),
    };
  });
  return {
    releases: [...releases]
      .map(([release, requests]) => ({ release, requests }))
      .sort((a, b) => (a.release < b.release ? 1 : -1)),
    rows: table.sort((a, b) => b.all.requests - a.all.requests).slice(0, 200),
  };
}

export function hostDetail(window: Window | undefined): HostDetail {
  const { units = [], checks = [], stores = [], certificates = [], problems = [] } = window ?? {};
  return {
    units: units
      .map(({ unit, state, sub, cpu, memory }) => ({
        unit,
        state,
        sub,
        cpu: mean(cpu),
        memory: mean(memory),
      }))
      .sort(
        (a, b) =>
          Number(b.state === 'failed') - Number(a.state === 'failed') || (b.memory ?? 0) - (a.memory ?? 0),
      ),
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
    problems,
  };
}
