/** A row of a forest plot: a point with its interval, on an axis that all rows share. */
import { tag, tooltip } from './svg.ts';

export interface ForestAxis {
  readonly min: number;
  readonly max: number;
  /** No change: 1 for a ratio, 0 for a difference. */
  readonly neutral: number;
  readonly scale: 'ratio' | 'difference';
  readonly ticks: readonly number[];
}

interface ForestRow {
  readonly value: number | null;
  readonly interval: readonly [number | null, number | null];
  /** The range of differences that do not matter. */
  readonly tolerated: readonly [number, number];
  readonly tone: 'pass' | 'harm' | 'open';
  readonly label: string;
}

const ROW = { width: 320, height: 26 } as const;

/** The axis of ratios, from half to double; an arrow marks what lies beyond. */
export const RATIO_AXIS: ForestAxis = {
  min: 0.5,
  max: 2,
  neutral: 1,
  scale: 'ratio',
  ticks: [0.5, 0.8, 1, 1.25, 2],
};

/** The axis of differences in shares: the narrowest of three that holds all `values`. */
export function shareAxis(values: readonly number[]): ForestAxis {
  const largest = Math.max(0, ...values.map(Math.abs));
  const reach = [0.1, 0.5, 1].find((candidate) => largest <= candidate) ?? 1;
  return {
    min: -reach,
    max: reach,
    neutral: 0,
    scale: 'difference',
    ticks: [-reach, -reach / 2, 0, reach / 2, reach],
  };
}

/** Pixels from the left for a value, clamped to the row. */
function forestPosition(axis: ForestAxis, value: number): number {
  const map = axis.scale === 'ratio' ? (v: number) => Math.log(Math.max(v, 1e-9)) : (v: number) => v;
  const share = (map(value) - map(axis.min)) / (map(axis.max) - map(axis.min));
  return 20 + Math.min(1, Math.max(0, share)) * (ROW.width - 40);
}

/** Draws the row. */
export function forestRow(axis: ForestAxis, row: ForestRow): string {
  const at = (value: number) => forestPosition(axis, value);
  const middle = ROW.height / 2;
  const [low, high] = row.interval;
  const left = at(low ?? axis.min);
  const right = at(high ?? axis.max);
  const arrows = [
    ...(low === null || low < axis.min ? [arrow(left, middle, -1)] : [cap(left, middle)]),
    ...(high === null || high > axis.max ? [arrow(right, middle, 1)] : [cap(right, middle)]),
  ];
  const [from, to] = [at(row.tolerated[0]), at(row.tolerated[1])];
  return tag(
    'svg',
    {
      viewBox: `0 0 ${ROW.width} ${ROW.height}`,
      class: `forest ${row.tone}`,
      role: 'img',
      'aria-label': row.label,
    },
    tooltip(row.label),
    tag('rect', { class: 'tolerated', x: from, y: 0, width: Math.max(0, to - from), height: ROW.height }),
    tag('line', { class: 'neutral', x1: at(axis.neutral), x2: at(axis.neutral), y1: 0, y2: ROW.height }),
    tag('line', { class: 'whisker', x1: left, x2: right, y1: middle, y2: middle }),
    ...arrows,
    ...(row.value === null
      ? []
      : [tag('rect', { class: 'point', x: at(row.value) - 4, y: middle - 4, width: 8, height: 8, rx: 1 })]),
  );
}

/** The shared axis under the rows. */
export function forestAxis(axis: ForestAxis, format: (value: number) => string): string {
  const marks = axis.ticks.map((tick) =>
    tag('text', { x: forestPosition(axis, tick), y: 14, 'text-anchor': 'middle' }, format(tick)),
  );
  return tag(
    'svg',
    { viewBox: `0 0 ${ROW.width} 20`, class: 'forest scale', 'aria-hidden': 'true' },
    ...marks,
  );
}

function cap(x: number, y: number): string {
  return tag('line', { class: 'whisker', x1: x, x2: x, y1: y - 4, y2: y + 4 });
}

function arrow(x: number, y: number, direction: 1 | -1): string {
  return tag('path', { class: 'arrow', d: `M${x} ${y - 4}L${x + direction * 6} ${y}L${x} ${y + 4}` });
}
