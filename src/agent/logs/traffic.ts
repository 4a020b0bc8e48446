/** Requests of an interval, counted by application, colour, release, method and route. */
import { Histogram, type HistogramData } from '../../metrics/histogram.ts';
import type { AccessLogEntry } from './access-log.ts';
import { OTHER_ROUTE, type RouteOptions, RouteTable } from './routes.ts';

/** The five labels by which requests are told apart. */
export interface TrafficLabels {
  readonly app: string;
  readonly colour: string;
  readonly release: string;
  readonly method: string;
  readonly route: string;
}

/**
 * What was counted under one set of labels. Latencies in milliseconds, sizes in bytes, both of answers below
 * 500.
 */
export interface TrafficCounts extends TrafficLabels {
  readonly requests: number;
  readonly status: Readonly<Record<string, number>>;
  readonly retries: number;
  readonly bytes: number;
  readonly latency: HistogramData;
  readonly upstream: HistogramData;
  readonly size: HistogramData;
}

interface Group {
  readonly labels: TrafficLabels;
  requests: number;
  retries: number;
  bytes: number;
  readonly status: Map<number, number>;
  readonly latency: Histogram;
  readonly upstream: Histogram;
  readonly size: Histogram;
}

/** Methods of RFC 9110 and PATCH; anything else a client may invent is `other`. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);
/** Groups of one interval; beyond, new routes are `other`, and beyond a third more, everything new is. */
const MAX_GROUPS = 300;
/**
 * Applications, colours and releases come from our own proxy's configuration, but a log may hold anything.
 */
const MAX_APPS = 50;
const MAX_LABEL = 64;

export interface TrafficOptions extends RouteOptions {
  readonly maxGroups?: number | undefined;
}

/** Counts requests; `take` hands over the counts of the interval and begins the next. */
export class LoggedTraffic {
  readonly #options: TrafficOptions;
  readonly #routes = new Map<string, RouteTable>();
  #groups = new Map<string, Group>();

  constructor(options: TrafficOptions = {}) {
    this.#options = options;
  }

  record(entry: AccessLogEntry): void {
    const group = this.#group(entry);
    group.requests++;
    group.retries += entry.retries;
    group.bytes += entry.bytes;
    group.status.set(entry.status, (group.status.get(entry.status) ?? 0) + 1);
    if (entry.status >= 500 || entry.status < 100) return; // a fast error is no fast answer
    if (entry.milliseconds !== undefined) group.latency.record(entry.milliseconds);
    group.size.record(entry.bytes);
    if (entry.upstreamMilliseconds !== undefined) group.upstream.record(entry.upstreamMilliseconds);
  }

  take(): TrafficCounts[] {
    const groups = [...this.#groups.values()];
    this.#groups = new Map();
    return groups.map((group) => ({
      ...group.labels,
      requests: group.requests,
      status: Object.fromEntries([...group.status].map(([code, n]) => [String(code).padStart(3, '0'), n])),
      retries: group.retries,
      bytes: group.bytes,
      latency: group.latency.data(),
      upstream: group.upstream.data(),
      size: group.size.data(),
    }));
  }

  #group(entry: AccessLogEntry): Group {
    const app = this.#routes.has(entry.app) || this.#routes.size < MAX_APPS ? cut(entry.app) : OTHER_ROUTE;
    let table = this.#routes.get(app);
    if (table === undefined) {
      table = new RouteTable(this.#options);
      this.#routes.set(app, table);
    }
    const labels: TrafficLabels = {
      app,
      colour: cut(entry.colour),
      release: cut(entry.release),
      method: METHODS.has(entry.method) ? entry.method : OTHER_ROUTE,
      route: table.route(entry.path, entry.status),
    };
    const found = this.#groups.get(keyOf(labels));
    if (found !== undefined) return found;
    const room = this.#options.maxGroups ?? MAX_GROUPS;
    if (this.#groups.size < room) return this.#add(labels);
    const rest = { method: OTHER_ROUTE, route: OTHER_ROUTE };
    const other =
      this.#groups.size < (room * 4) / 3
        ? { ...labels, ...rest }
        : { app: OTHER_ROUTE, colour: '', release: '', ...rest };
    return this.#groups.get(keyOf(other)) ?? this.#add(other);
  }

  #add(labels: TrafficLabels): Group {
    const group: Group = {
      labels,
      requests: 0,
      retries: 0,
      bytes: 0,
      status: new Map(),
      latency: new Histogram(),
      upstream: new Histogram(),
      size: new Histogram(),
    };
    this.#groups.set(keyOf(labels), group);
    return group;
  }
}

function keyOf(labels: TrafficLabels): string {
  return `${labels.app}\n${labels.colour}\n${labels.release}\n${labels.method}\n${labels.route}`;
}

function cut(label: string): string {
  return label.length <= MAX_LABEL ? label : label.slice(0, MAX_LABEL);
}
