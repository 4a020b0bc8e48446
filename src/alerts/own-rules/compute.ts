/** What rules of one's own speak of, computed from a minute of samples. Pure. */
import type { Condition } from '../../config/own-rules/parse.ts';
import { type QuantityName, quantityOf } from '../../config/own-rules/quantities.ts';
import type { Gauge, Row, TableName, Window } from '../../metrics/catalogue.ts';
import { sumHistograms } from '../../metrics/dense.ts';
import { mean } from '../../metrics/merge.ts';

/** What was measured within a minute. */
export interface Minute {
  /** The windows of each host within it: several samples, or one roll-up. Routes are told apart. */
  readonly hosts: ReadonlyMap<string, readonly Window[]>;
  /** Applications that are known, and where they serve: without requests theirs are none. */
  readonly apps: ReadonlyMap<string, readonly string[]>;
}

export interface Measured {
  readonly subject: string;
  /** A mount, a unit, a route; empty: the subject as a whole. */
  readonly part: string;
  readonly value: number;
}

export function measured(condition: Condition, minute: Minute): readonly Measured[] {
  const { about } = quantityOf(condition.quantity);
  return about === 'host' ? ofHosts(condition, minute) : ofApps(condition, minute);
}

type HostQuantity = Exclude<QuantityName, keyof typeof REQUESTS | `route ${string}`>;
/** A row's part, and its value. */
type Reading = readonly [part: string, value: number | null];

const ratio = (part: Gauge | null, whole: Gauge | null): number | null => {
  const [a, b] = [mean(part), mean(whole)];
  return a === null || b === null || b === 0 ? null : a / b;
};
const system =
  (of: (row: Row<'system'>) => number | null) =>
  (window: Window): readonly Reading[] =>
    window.system.map((row) => ['', of(row)]);
const rows =
  <T extends TableName>(table: T, part: (row: Row<T>) => string, of: (row: Row<T>) => number | null) =>
  (window: Window): readonly Reading[] =>
    (window[table] as readonly Row<T>[]).map((row) => [part(row), of(row)]);
const disk = (of: (row: Row<'disks'>) => number | null) => rows('disks', ({ mount }) => mount, of);
const network = (of: (row: Row<'networks'>) => number | null) => rows('networks', (row) => row.interface, of);
const unit = (of: (row: Row<'units'>) => number | null) => rows('units', (row) => row.unit, of);
const store = (of: (row: Row<'stores'>) => number | null) => rows('stores', (row) => row.store, of);

const READ: Readonly<Record<HostQuantity, (window: Window) => readonly Reading[]>> = {
  cpu: system(({ cpu }) => mean(cpu)),
  iowait: system(({ cpu_iowait }) => mean(cpu_iowait)),
  steal: system(({ cpu_steal }) => mean(cpu_steal)),
  load: system(({ load1 }) => mean(load1)),
  memory: system((row) => ratio(row.memory_used, row.memory_total)),
  swap: system((row) => ratio(row.swap_used, row.swap_total)),
  'cpu pressure': system(({ pressure_cpu }) => mean(pressure_cpu)),
  'memory pressure': system(({ pressure_memory }) => mean(pressure_memory)),
  'disk pressure': system(({ pressure_io }) => mean(pressure_io)),
  disk: disk(({ used, size }) => ratio(used, size)),
  inodes: disk((row) => mean(row.inodes_used)),
  'disk busy': disk(({ busy }) => mean(busy)),
  'disk read': disk(({ read }) => mean(read)),
  'disk written': disk(({ written }) => mean(written)),
  'network received': network(({ received }) => mean(received)),
  'network sent': network(({ sent }) => mean(sent)),
  'unit cpu': unit(({ cpu }) => mean(cpu)),
  'unit memory': unit(({ memory }) => mean(memory)),
  'unit restarts': unit(({ restarts }) => restarts),
  'check duration': rows(
    'checks',
    ({ check }) => check,
    ({ duration }) => mean(duration),
  ),
  'database connections': store(({ connections }) => mean(connections)),
  'database size': store(({ size }) => mean(size)),
};

function ofHosts({ quantity, subject, part }: Condition, minute: Minute): readonly Measured[] {
  const isWanted = part === undefined ? () => true : partPattern(part, quantityOf(quantity).part);
  return [...minute.hosts].flatMap(([name, windows]) => {
    if (subject !== undefined && subject !== name) return [];
    const sums = new Map<string, { total: number; count: number }>();
    for (const window of windows)
      for (const [of, value] of READ[quantity as HostQuantity](window)) {
        if (value === null || !isWanted(of)) continue;
        const sum = sums.get(of) ?? { total: 0, count: 0 };
        sums.set(of, { total: sum.total + value, count: sum.count + 1 });
      }
    // Restarts are counted, all else is a level.
    const isCount = quantity === 'unit restarts';
    return [...sums].map(([of, { total, count }]) => ({
      subject: name,
      part: of,
      value: isCount ? total : total / count,
    }));
  });
}

/** The requests of an application or a route within the minute, of all hosts. */
interface Requests {
  readonly subject: string;
  readonly part: string;
  readonly rows: readonly Row<'routes'>[];
  /** Times a second, from a count of each row. */
  readonly rate: (of: (row: Row<'routes'>) => number) => number;
}

const total = (all: readonly Row<'routes'>[], of: (row: Row<'routes'>) => number) =>
  all.reduce((sum, row) => sum + of(row), 0);
const requestsOf = (all: readonly Row<'routes'>[]) => total(all, ({ requests }) => requests);
const shareOf = ({ rows: all }: Requests, of: (row: Row<'routes'>) => number) =>
  requestsOf(all) === 0 ? undefined : total(all, of) / requestsOf(all);

/** Undefined where no request tells. */
const REQUESTS = {
  requests: ({ rate }: Requests) => rate(({ requests }) => requests),
  errors: (some: Requests) => shareOf(some, ({ status_5xx }) => status_5xx),
  rejected: (some: Requests) => shareOf(some, ({ status_4xx }) => status_4xx),
  latency: ({ rows: all }: Requests, q: number) => sumHistograms(all.map((row) => row.latency)).quantile(q),
  size: ({ rows: all }: Requests, q: number) => sumHistograms(all.map((row) => row.size)).quantile(q),
  traffic: ({ rate }: Requests) => rate(({ bytes }) => bytes),
} as const satisfies Readonly<Record<string, (some: Requests, q: number) => number | undefined>>;

function ofApps(condition: Condition, minute: Minute): readonly Measured[] {
  const { quantity, quantile = 0, part } = condition;
  const read = REQUESTS[quantity.replace(/^route /, '') as keyof typeof REQUESTS];
  const byRoute = quantityOf(quantity).part === 'route';
  return [...minute.apps].flatMap(([app, hosts]) => {
    if (condition.subject !== undefined && condition.subject !== app) return [];
    const windows = hosts.flatMap((host) => minute.hosts.get(host) ?? []);
    // Nobody was heard: that is no lack of requests.
    if (windows.length === 0) return [];
    const found = requestsBy(app, hosts, minute, byRoute ? (row) => `${row.method} ${row.route}` : () => '');
    // A route that is named has its figures of all methods together.
    const wanted = byRoute ? routesWanted(found, part) : found;
    const all = wanted.length === 0 && !byRoute ? [noRequests(app, '')] : wanted;
    const named = byRoute && part !== undefined && wanted.length === 0 ? [noRequests(app, part)] : all;
    return named.flatMap((some) => {
      const value = read(some, quantile);
      return value === undefined ? [] : [{ subject: app, part: some.part, value }];
    });
  });
}

const noRequests = (subject: string, part: string): Requests => ({ subject, part, rows: [], rate: () => 0 });

function requestsBy(
  app: string,
  hosts: readonly string[],
  minute: Minute,
  part: (row: Row<'routes'>) => string,
): readonly Requests[] {
  const groups = new Map<string, { row: Row<'routes'>; seconds: number }[]>();
  for (const host of hosts) {
    const windows = minute.hosts.get(host) ?? [];
    const seconds = windows.reduce((sum, window) => sum + window.seconds, 0);
    for (const { routes } of windows)
      for (const row of routes) {
        if (row.app !== app) continue;
        const group = groups.get(part(row));
        if (group === undefined) groups.set(part(row), [{ row, seconds }]);
        else group.push({ row, seconds });
      }
  }
  return [...groups].map(([of, entries]) => ({
    subject: app,
    part: of,
    rows: entries.map(({ row }) => row),
    rate: (count) => entries.reduce((sum, { row, seconds }) => sum + count(row) / seconds, 0),
  }));
}

function routesWanted(found: readonly Requests[], part: string | undefined): readonly Requests[] {
  if (part === undefined) return found;
  const matches = partPattern(part, 'route');
  if (part.includes('*')) return found.filter((some) => matches(some.part));
  const same = found.filter((some) => matches(some.part));
  if (same.length < 2) return same.map((some) => ({ ...some, part }));
  const together = same.flatMap(({ rows: all }) => all);
  return [
    {
      subject: same[0]?.subject ?? '',
      part,
      rows: together,
      rate: (of) => same.reduce((sum, some) => sum + some.rate(of), 0),
    },
  ];
}

/** `*` stands for anything; a unit has its ending, or is an application's; a route its method, or any. */
function partPattern(name: string, kind: string | undefined): (part: string) => boolean {
  const parts = name.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const whole = parts.join('.*');
  if (kind === 'route') {
    const pattern = new RegExp(`^${name.startsWith('/') ? '[A-Z]+ ' : ''}${whole}$`);
    return (part) => pattern.test(part);
  }
  const pattern = new RegExp(
    kind === 'unit' ? `^(${whole}(\\.[a-z]+)?|pipeline-${whole}@.*\\.service)$` : `^${whole}$`,
  );
  return (part) => pattern.test(part);
}
