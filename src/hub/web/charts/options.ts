/** How a chart is drawn. */
import type uPlot from 'uplot';
import type { ChartSeries, HubEvent, Panel } from '../../api-types.ts';
import { figure, tick } from '../state/format.ts';
import { BOUNDS, bridge, lonely, stack, top, type Values } from '../state/series.ts';
import { colorName, resolve } from './colors.ts';
import { drawEvents } from './event-lines.ts';

export const HEIGHT = 148;
const AXIS_WIDTH = 68;

/** What the chart reads from its component, always current. */
export interface Now {
  panel: Panel;
  events: readonly HubEvent[];
  hidden: ReadonlySet<string>;
  onCursor: (u: uPlot) => void;
  onZoom: ((fromMs: number, toMs: number) => void) | undefined;
  onReset: (() => void) | undefined;
}

export function dataOf(
  times: readonly number[],
  panel: Panel,
  hidden: ReadonlySet<string>,
): uPlot.AlignedData {
  const lines = panel.series.map((line) => ({ ...line, values: bridge(line.values) }));
  return [[...times], ...stack(lines, hidden).map((values) => [...values])];
}

export function chartOptions(width: number, panel: Panel, now: Now): uPlot.Options {
  const eventColors = { line: resolve('--event'), back: resolve('--card', 0.8) };
  const stacked = panel.series.flatMap((line, index) => (line.stacked ? [index + 1] : []));
  return {
    width,
    height: HEIGHT,
    padding: [10, 18, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: 'page' },
      y: false,
      points: { size: 6 },
      drag: { x: now.onZoom !== undefined, y: false, setScale: false },
      bind: {
        dblclick: () => () => {
          now.onReset?.();
          return null;
        },
      },
    },
    scales: {
      y: {
        range: (u) => [0, top(now.panel, u.data.slice(1) as Values[], now.hidden)],
      },
    },
    axes: axesOf(panel.unit),
    // Between two stacked lines, the colour of the upper one.
    bands: stacked.slice(1).map((upper, index) => ({ series: [upper, stacked[index] ?? 1] })),
    series: [{}, ...panel.series.map((line, index) => seriesOf(line, index, panel, now.hidden))],
    hooks: {
      draw: [(u) => drawEvents(u, now.events, eventColors)],
      setCursor: [(u) => now.onCursor(u)],
      setSelect: [(u) => zoom(u, now.onZoom)],
    },
  };
}

function axesOf(unit: string): uPlot.Axis[] {
  const axis = {
    stroke: resolve('--dim'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: resolve('--grid'), width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...axis,
      size: 26,
      space: 72,
      values: (_u, splits, _axis, _space, step) => splits.map((at) => tick(at, step)),
    },
    {
      ...axis,
      size: AXIS_WIDTH,
      space: 34,
      values: (_u, splits) => splits.map((value) => figure(value, unit)),
    },
  ];
}

function seriesOf(
  { name, stacked }: ChartSeries,
  index: number,
  { series }: Panel,
  hidden: Now['hidden'],
): uPlot.Series {
  const color = colorName(name, index);
  const bound = BOUNDS.has(name);
  const alone = series.length === 1;
  return {
    label: name,
    stroke: resolve(color),
    width: bound ? 1 : stacked ? 1.2 : 1.6,
    ...(bound ? { dash: [4, 4] } : {}),
    ...(stacked ? { fill: resolve(color, 0.42) } : alone ? { fill: resolve(color, 0.12) } : {}),
    show: !hidden.has(name),
    points: {
      show: true,
      size: 4,
      fill: resolve(color),
      filter: (u, at) => lonely(u.data[at] as Values),
    },
  };
}

/** Zooms to the range that was dragged over, and clears the selection. */
function zoom(u: uPlot, onZoom: Now['onZoom']): void {
  const { left, width } = u.select;
  if (width < 8) return;
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom?.(u.posToVal(left, 'x') * 1000, u.posToVal(left + width, 'x') * 1000);
}
