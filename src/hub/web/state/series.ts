/** Points of charts: adding live ones, stacking, gaps. Pure. */
import type { ChartSeries, History, HubEvent, LivePoint, Panel } from '../../api-types.ts';

/**
 * The charts with one point more, and without what is older than the range. A point that falls into the last
 * step is averaged into it, so that the live end of a line is no rougher than the rest; the next reading of
 * the history puts the exact figure there.
 * @param counts how many points each live step has got already, by its time; is changed
 */
export function append(
  before: History,
  point: LivePoint,
  rangeSeconds: number,
  counts: Map<number, number>,
): History {
  const step = before.stepSeconds;
  const end = Math.ceil(point.at / 1000 / step) * step;
  const last = before.times.at(-1) ?? 0;
  if (end < last || (end === last && !counts.has(end))) return before;
  const known = counts.get(end) ?? 0;
  counts.set(end, known + 1);
  const again = end === last;
  // A step that is missing is a gap, and is drawn as one.
  const gap = !again && last > 0 && end - last > step * 1.5 ? [end - step] : [];
  const times = again ? before.times : [...before.times, ...gap, end];
  const from = Math.max(
    0,
    times.findIndex((at) => at > point.at / 1000 - rangeSeconds),
  );
  const panels = before.panels.map((panel) => {
    const fresh = point.panels.find(({ id }) => id === panel.id);
    const series = panel.series.map((line): ChartSeries => {
      const value = fresh?.series.find(({ name }) => name === line.name)?.values.at(-1) ?? null;
      const old = again ? line.values.at(-1) : null;
      const merged =
        old === null || old === undefined
          ? value
          : value === null
            ? old
            : (old * known + value) / (known + 1);
      const values = again
        ? [...line.values.slice(0, -1), merged]
        : [...line.values, ...gap.map(() => null), merged];
      return { ...line, values: values.slice(from) };
    });
    return { ...panel, series };
  });
  return { ...before, times: times.slice(from), panels };
}

/** The events with a new or changed one, in order of time. */
export function withEvent(events: readonly HubEvent[], event: HubEvent): readonly HubEvent[] {
  return [...events.filter(({ id }) => id !== event.id), event].sort((a, b) => a.at - b.at);
}

/** The chart without lines that have no value in its range. */
export function measured(panel: Panel): Panel {
  const series = panel.series.filter(({ values }) => values.some((value) => value !== null));
  // A bound on its own (`total`) says nothing.
  const isBound = series.every(({ name }) => BOUNDS.has(name));
  return series.length === panel.series.length && !isBound
    ? panel
    : { ...panel, series: isBound ? [] : series };
}

export type Values = readonly (number | null)[];

/** Lines as they are drawn: stacked ones stand on the one before. Hidden lines are left out of the stack. */
export function stack(series: readonly ChartSeries[], hidden: ReadonlySet<string>): readonly Values[] {
  let below: Values | undefined;
  return series.map((line) => {
    if (!line.stacked || hidden.has(line.name)) return line.values;
    const under = below;
    const values = line.values.map((value, index) => (value === null ? null : value + (under?.[index] ?? 0)));
    below = values;
    return values;
  });
}

/**
 * A single missing step between two that were measured is a sample that came a moment late, and no gap: a
 * line is drawn through it.
 * @param step seconds between two points, and `interval` between two samples
 */
export function bridge(values: Values): Values {
  return values.map((value, index) => {
    if (value !== null || index === 0) return value;
    const [before, after] = [values[index - 1], values[index + 1]];
    return typeof before === 'number' && typeof after === 'number' ? (before + after) / 2 : null;
  });
}

/** Indices of values that stand alone between two gaps: a line would not show them. */
export function lonely(values: Values): number[] {
  return values.flatMap((value, index) =>
    value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null
      ? [index]
      : [],
  );
}

/** The latest value of the last few steps; older ones say nothing about now. */
export function latest(values: Values): number | null {
  return values.slice(-4).findLast((value) => value !== null) ?? null;
}

/** Lines that are a bound rather than a measurement: they do not make the rest small. */
export const BOUNDS: ReadonlySet<string> = new Set(['total', 'cores']);

/** Upper end of the axis. */
export function top(panel: Panel, drawn: readonly Values[], hidden: ReadonlySet<string>): number {
  let most = 0;
  let bound = 0;
  panel.series.forEach(({ name }, index) => {
    if (hidden.has(name)) return;
    const greatest = (drawn[index] ?? []).reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
    if (BOUNDS.has(name)) bound = Math.max(bound, greatest);
    else most = Math.max(most, greatest);
  });
  if (bound > 0 && (panel.unit === 'bytes' || most > bound * 0.4)) most = Math.max(most, bound);
  const least = { ratio: 0.02, ms: 1, bytes: 1, 'bytes/s': 1000, '1/s': 1 }[panel.unit] ?? 1;
  const padded = Math.max(least, most * 1.08);
  return panel.unit === 'ratio' ? Math.min(1, padded) : padded;
}
