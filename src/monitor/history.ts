/** Charts of a host or an application, from windows. Pure; the page and the live stream take their points from here. */
import type { Row, Window } from '../metrics/catalogue.ts';
import { mergeHistograms, quantile } from '../metrics/histogram.ts';
import { mean, mergeWindows } from '../metrics/merge.ts';
import { rollUp } from '../metrics/tiers.ts';
import type { ChartSeries, Panel } from './api-types.ts';

/** One chart: what it is called, and its lines, each computed from a window. */
interface Line {
  readonly name: string;
  readonly of: (window: Window) => number | null;
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
const share = (part: keyof System, whole: keyof System) => (window: Window) => {
  const [a, b] = [system(part)(window), system(whole)(window)];
  return a === null || b === null || b === 0 ? null : a / b;
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
        { name: 'user', of: system('cpu_user') },
        { name: 'system', of: system('cpu_system') },
        { name: 'iowait', of: system('cpu_iowait') },
        { name: 'steal', of: system('cpu_steal') },
      ],
    },
    {
      id: 'memory',
      title: 'Memory',
      unit: 'ratio',
      lines: [
        { name: 'used', of: share('memory_used', 'memory_total') },
        { name: 'swap', of: share('swap_used', 'swap_total') },
      ],
    },
    {
      id: 'load',
      title: 'Load',
      unit: 'number',
      lines: [
        { name: '1 min', of: system('load1') },
        { name: '15 min', of: system('load15') },
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

/** Charts of an application; windows hold its summed-up routes. */
export function appCharts(app: string): readonly Chart[] {
  const rows = ({ routes }: Window) => routes.filter((row) => row.app === app);
  const rate = (of: (row: Row<'routes'>) => number) => (window: Window) =>
    rows(window).reduce((total, row) => total + of(row), 0) / window.seconds;
  const at = (q: number) => (window: Window) =>
    quantile(mergeHistograms(rows(window).map(({ latency }) => latency)), q) ?? null;
  return [
    {
      id: 'rate',
      title: 'Requests',
      unit: '1/s',
      lines: [{ name: 'all', of: rate(({ requests }) => requests) }],
    },
    {
      id: 'errors',
      title: 'Errors',
      unit: '1/s',
      lines: [
        { name: '5xx', of: rate(({ status_5xx }) => status_5xx) },
        { name: '4xx', of: rate(({ status_4xx }) => status_4xx) },
      ],
    },
    {
      id: 'latency',
      title: 'Duration',
      unit: 'ms',
      lines: [
        { name: 'p50', of: at(0.5) },
        { name: 'p90', of: at(0.9) },
        { name: 'p99', of: at(0.99) },
      ],
    },
    {
      id: 'traffic',
      title: 'Sent',
      unit: 'bytes/s',
      lines: [{ name: 'bodies', of: rate(({ bytes }) => bytes) }],
    },
  ];
}

/** One point in time of a chart: windows of several hosts that end within the same step, as one. */
export function merged(windows: readonly Window[], seconds: number): Window | undefined {
  const one = mergeWindows(windows);
  return one === undefined ? undefined : { ...one, seconds };
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
        ({ name, of }): ChartSeries => ({
          name,
          values: points.map((window) => round(window === undefined ? null : of(window))),
        }),
      ),
    }));
  return { times, panels };
}

function round(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(5));
}
