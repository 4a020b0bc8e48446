/** From windows to the points of charts. Pure; the page and the live stream take their points from here. */
import type { Window } from '../../metrics/catalogue.ts';
import { rollUp } from '../../metrics/tiers.ts';
import type { ChartSeries, Panel } from '../api-types.ts';

/** A line of a chart, computed from a window. */
export interface Line {
  readonly name: string;
  readonly of: (window: Window) => number | null;
  readonly stacked?: boolean;
}

/** One chart: what it is called, and its lines. */
export interface Chart extends Omit<Panel, 'series'> {
  readonly lines: readonly Line[];
}

/**
 * Lines over steps of `stepSeconds`; null where nothing was measured. `times` are the ends of the steps,
 * seconds since 1970.
 */
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
