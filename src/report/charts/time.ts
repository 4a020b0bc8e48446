/** Values over time, a line for each side. */
import { formatClock } from '../format.ts';
import type { Series } from '../series.ts';
import { chart, PLOT } from './frame.ts';
import { linearScale, logScale, timeScale } from './scale.ts';
import { linePath, type Point, tag, text, tooltip } from './svg.ts';

/** A moment worth a mark on every chart, e.g. a restart. */
export interface TimeMark {
  readonly at: number;
  readonly label: string;
  readonly side: 'baseline' | 'candidate' | 'both';
}

interface TimeChart {
  /** For screen readers. */
  readonly label: string;
  /** Seconds. */
  readonly at: readonly number[];
  /** The axis's range, in seconds. */
  readonly span: readonly [number, number];
  /** The first is drawn strong, further ones thin. */
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  readonly marks: readonly TimeMark[];
  /** Logarithmic for latency, else from zero. */
  readonly logarithmic?: boolean;
  /** The axis reaches at least this value, so that noise near zero looks like noise. */
  readonly atLeast?: number;
  /** Seconds before anything is judged. */
  readonly warmUp?: number;
}

const SIDES = ['baseline', 'candidate'] as const;

/** The chart, or '' if no series has a value. */
export function timeChart(input: TimeChart): string {
  const values = input.series
    .flatMap((series) => [...series.baseline, ...series.candidate])
    .filter((value): value is number => value !== null);
  if (values.length === 0) return '';
  const x = timeScale(input.span, [PLOT.left, PLOT.right]);
  const y =
    input.logarithmic === true
      ? latencyScale(values)
      : linearScale([0, Math.max(input.atLeast ?? 0, ...values) || 1], [PLOT.bottom, PLOT.top], 3);
  const floor = input.logarithmic === true ? Math.max(0.5, Math.min(...values)) : 0;
  const lines = input.series.flatMap((series, index) =>
    SIDES.map((side) => {
      const points = series[side].map((value, position): Point | null =>
        value === null ? null : [x(input.at[position] ?? 0), y(Math.max(floor, value))],
      );
      const lone = points.filter((point): point is Point => point !== null);
      const title = tooltip(`${side}: ${series[side].filter((value) => value !== null).length} windows`);
      const [only] = lone;
      return lone.length === 1 && only !== undefined
        ? tag('circle', { class: `dot ${side}`, cx: only[0], cy: only[1], r: 3 }, title)
        : tag('path', { class: `line ${side}${index > 0 ? ' thin' : ''}`, d: linePath(points) }, title);
    }),
  );
  return chart(input.label, { scale: x, format: formatClock }, { scale: y, format: input.format }, [
    ...warmUp(input, x),
    ...input.marks.map((mark) => marked(mark, x(mark.at))),
    ...lines,
  ]);
}

function latencyScale(values: readonly number[]) {
  const low = Math.max(0.5, Math.min(...values));
  return logScale([low / 1.2, Math.max(low * 4, Math.max(...values) * 1.2)], [PLOT.bottom, PLOT.top]);
}

function warmUp(input: TimeChart, x: (value: number) => number): string[] {
  if (input.warmUp === undefined || input.warmUp <= input.span[0]) return [];
  const right = Math.min(PLOT.right, x(input.warmUp));
  return [
    tag(
      'rect',
      {
        class: 'warm-up',
        x: PLOT.left,
        y: PLOT.top,
        width: right - PLOT.left,
        height: PLOT.bottom - PLOT.top,
      },
      tooltip(`Warm-up: until ${input.warmUp} s latency is not judged`),
    ),
  ];
}

function marked(mark: TimeMark, at: number): string {
  return tag(
    'g',
    { class: `mark ${mark.side}` },
    tooltip(mark.label),
    tag('line', { x1: at, x2: at, y1: PLOT.top, y2: PLOT.bottom }),
    text(at + 4, PLOT.top + 9, mark.label),
  );
}
