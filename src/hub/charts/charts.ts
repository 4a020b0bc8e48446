/** Charts of a host or an application, from windows. Pure; the page and the live stream take their points from here. */
import type { Row, Window } from '../../metrics/catalogue.ts';
import { type DenseHistogram, sumHistograms } from '../../metrics/dense.ts';
import { mean } from '../../metrics/merge.ts';
import { rollUp } from '../../metrics/tiers.ts';
import type { ChartSeries, Panel } from '../api-types.ts';

/** One chart: what it is called, and its lines, each computed from a window. */
interface Line {
  readonly name: string;
  readonly of: (window: Window) => number | null;
  readonly stacked?: true;
}
interface Chart extends Omit<Panel, 'series'> {
  readonly lines: readonly Line[];
}

type System = Row<'system'>;
const system =
  (column: keyof System) =>
  ({ system: [row] }: Window): number | null => {
    const cell = row?.[column];
    return cell === undefined || typeof cell === 'string' ? null : mean(cell);
  };
const sum = <T>(rows: readonly T[], of: (row: T) => number | null): number | null =>
  rows.length === 0 ? null : rows.reduce((total, row) => total + (of(row) ?? 0), 0);

/** Charts of a host. Disks get a line each. */
export function hostCharts(windows: readonly Window[]): readonly Chart[] {
  const mounts = [...new Set(windows.flatMap(({ disks }) => disks.map(({ mount }) => mount)))]
    .sort()
    .slice(0, 8);
  return [
    {
      id: 'cpu',
      title: 'Processor',
      unit: 'ratio',
      lines: [
        { name: 'user', of: system('cpu_user'), stacked: true },
        { name: 'system', of: system('cpu_system'), stacked: true },
        { name: 'iowait', of: system('cpu_iowait'), stacked: true },
        { name: 'steal', of: system('cpu_steal'), stacked: true },
      ],
    },
    {
      id: 'memory',
      title: 'Memory',
      unit: 'bytes',
      lines: [
        { name: 'used', of: system('memory_used'), stacked: true },
        { name: 'cached', of: system('memory_cached'), stacked: true },
        { name: 'total', of: system('memory_total') },
      ],
    },
    {
      id: 'swap',
      title: 'Swap',
      unit: 'bytes',
      lines: windows.some((window) => (system('swap_total')(window) ?? 0) > 0)
        ? [
            { name: 'used', of: system('swap_used') },
            { name: 'total', of: system('swap_total') },
          ]
        : [],
    },
    {
      id: 'load',
      title: 'Load',
      unit: 'number',
      lines: [
        { name: '1 min', of: system('load1') },
        { name: '5 min', of: system('load5') },
        { name: '15 min', of: system('load15') },
        { name: 'cores', of: system('cores') },
      ],
    },
    {
      id: 'pressure',
      title: 'Pressure',
      unit: 'ratio',
      lines: [
        { name: 'processor', of: system('pressure_cpu') },
        { name: 'memory', of: system('pressure_memory') },
        { name: 'disk', of: system('pressure_io') },
      ],
    },
    {
      id: 'network',
      title: 'Network',
      unit: 'bytes/s',
      lines: [
        { name: 'received', of: ({ networks }) => sum(networks, ({ received }) => mean(received)) },
        { name: 'sent', of: ({ networks }) => sum(networks, ({ sent }) => mean(sent)) },
      ],
    },
    {
      id: 'disk-traffic',
      title: 'Disk traffic',
      unit: 'bytes/s',
      lines: [
        { name: 'read', of: ({ disks }) => sum(disks, ({ read }) => mean(read)) },
        { name: 'written', of: ({ disks }) => sum(disks, ({ written }) => mean(written)) },
      ],
    },
    {
      id: 'disk-busy',
      title: 'Disk busy',
      unit: 'ratio',
      lines: mounts.map((mount) => ({
        name: mount,
        of: ({ disks }) => mean(disks.find((disk) => disk.mount === mount)?.busy ?? null),
      })),
    },
    {
      id: 'disk',
      title: 'Disk space',
      unit: 'ratio',
      lines: mounts.map((mount) => ({
        name: mount,
        of: ({ disks }) => {
          const row = disks.find((disk) => disk.mount === mount);
          const [used, size] = [mean(row?.used ?? null), mean(row?.size ?? null)];
          return used === null || size === null || size === 0 ? null : used / size;
        },
      })),
    },
  ];
}

/** Releases that get a line of their own: those with the most requests, the newest first. */
const VERSIONS = 6;

function releasesOf(app: string, windows: readonly Window[]): string[] {
  const counts = new Map<string, number>();
  for (const { routes } of windows)
    for (const row of routes)
      if (row.app === app && row.requests > 0)
        counts.set(row.release, (counts.get(row.release) ?? 0) + row.requests);
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, VERSIONS);
  return most.map(([release]) => release).sort((a, b) => (a < b ? 1 : -1));
}

/** Charts of an application; windows hold its summed-up routes. Releases get a line each. */
export function appCharts(app: string, windows: readonly Window[]): readonly Chart[] {
  type Route = Row<'routes'>;
  const rows = ({ routes }: Window, release?: string) =>
    routes.filter((row) => row.app === app && (release === undefined || row.release === release));
  const rate = (of: (row: Route) => number, release?: string) => (window: Window) =>
    rows(window, release).reduce((total, row) => total + of(row), 0) / window.seconds;
  const share = (of: (row: Route) => number, release?: string) => (window: Window) => {
    const all = rate(({ requests }) => requests, release)(window);
    return all === 0 ? null : rate(of, release)(window) / all;
  };
  const sums = new WeakMap<Window, Map<string, DenseHistogram>>();
  const histogram = (window: Window, of: 'latency' | 'size', release?: string): DenseHistogram => {
    const known = sums.get(window) ?? new Map<string, DenseHistogram>();
    sums.set(window, known);
    const key = `${of} ${release ?? '*'}`;
    const sum = known.get(key) ?? sumHistograms(rows(window, release).map((row) => row[of]));
    known.set(key, sum);
    return sum;
  };
  const at = (q: number, of: 'latency' | 'size', release?: string) => (window: Window) =>
    histogram(window, of, release).quantile(q) ?? null;
  const quantiles = (of: 'latency' | 'size') => [
    { name: 'p50', of: at(0.5, of) },
    { name: 'p90', of: at(0.9, of) },
    { name: 'p99', of: at(0.99, of) },
  ];
  const releases = releasesOf(app, windows);
  const byRelease = (of: (release: string) => Line['of'], stacked = false): Line[] =>
    releases.map((release) => ({
      name: release === '' ? 'no release' : release,
      of: of(release),
      ...(stacked ? { stacked: true } : {}),
    }));
  return [
    {
      id: 'rate',
      title: 'Requests by version',
      unit: '1/s',
      lines:
        releases.length === 0
          ? [{ name: 'all', of: rate(({ requests }) => requests) }]
          : byRelease((release) => rate(({ requests }) => requests, release), true),
    },
    {
      id: 'errors',
      title: 'Errors',
      unit: 'ratio',
      lines: [
        { name: '5xx', of: share(({ status_5xx }) => status_5xx) },
        { name: '4xx', of: share(({ status_4xx }) => status_4xx) },
      ],
    },
    { id: 'latency', title: 'Duration', unit: 'ms', lines: quantiles('latency') },
    {
      id: 'errors-by-version',
      title: 'Errors (5xx) by version',
      unit: 'ratio',
      lines: byRelease((release) => share(({ status_5xx }) => status_5xx, release)),
    },
    {
      id: 'latency-by-version',
      title: 'Duration p90 by version',
      unit: 'ms',
      lines: byRelease((release) => at(0.9, 'latency', release)),
    },
    { id: 'size', title: 'Size of answers', unit: 'bytes', lines: quantiles('size') },
    {
      id: 'traffic',
      title: 'Sent',
      unit: 'bytes/s',
      lines: [{ name: 'bodies', of: rate(({ bytes }) => bytes) }],
    },
  ];
}

/** Lines over steps of `stepSeconds`; null where nothing was measured. `times` are the ends of the steps, seconds since 1970. */
export function draw(
  charts: readonly Chart[],
  windows: readonly Window[],
  range: { readonly from: number; readonly to: number; readonly stepSeconds: number },
  isApp: boolean,
): { times: number[]; panels: Panel[] } {
  const step = range.stepSeconds * 1000;
  const groups = rollUp({ name: 'raw', seconds: range.stepSeconds, keepSeconds: 0 }, windows);
  const times: number[] = [];
  const points: (Window | undefined)[] = [];
  for (let start = Math.floor(range.from / step) * step; start < range.to; start += step) {
    times.push((start + step) / 1000);
    const window = groups.get(start);
    points.push(window === undefined || !isApp ? window : { ...window, seconds: range.stepSeconds });
  }
  const panels = charts
    .filter(({ lines }) => lines.length > 0)
    .map(({ lines, ...chart }) => ({
      ...chart,
      series: lines.map(
        ({ name, of, stacked }): ChartSeries => ({
          name,
          ...(stacked ? { stacked } : {}),
          values: points.map((window) => round(window === undefined ? null : of(window))),
        }),
      ),
    }));
  return { times, panels };
}

function round(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(5));
}
