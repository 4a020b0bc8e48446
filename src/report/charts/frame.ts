/** What all charts share: size, margins, axes, grid, and the plot inside. */
import type { Scale } from './scale.ts';
import { tag, text } from './svg.ts';

/** Pixels of the drawing; the page scales it to its column. */
const WIDTH = 480;
const HEIGHT = 210;
const MARGIN = { top: 10, right: 24, bottom: 26, left: 58 } as const;

/** Where the plot lies within the drawing. */
export const PLOT = {
  left: MARGIN.left,
  right: WIDTH - MARGIN.right,
  top: MARGIN.top,
  bottom: HEIGHT - MARGIN.bottom,
} as const;

interface Axis {
  readonly scale: Scale;
  readonly format: (value: number) => string;
}

/** A drawing with a grid and labelled axes; a screen reader says `label`. */
export function chart(
  label: string,
  x: Axis,
  y: Axis,
  content: readonly string[],
  right: number = PLOT.right,
): string {
  const grid = y.scale.ticks.map((tick) => {
    const at = y.scale(tick);
    return (
      tag('line', { class: 'grid', x1: PLOT.left, x2: right, y1: at, y2: at }) +
      text(PLOT.left - 8, at + 4, y.format(tick), { 'text-anchor': 'end' })
    );
  });
  const marks = x.scale.ticks.map((tick) => {
    const at = x.scale(tick);
    return (
      tag('line', { class: 'axis', x1: at, x2: at, y1: PLOT.bottom, y2: PLOT.bottom + 4 }) +
      text(at, PLOT.bottom + 18, x.format(tick), { 'text-anchor': 'middle' })
    );
  });
  const floor = tag('line', { class: 'axis', x1: PLOT.left, x2: right, y1: PLOT.bottom, y2: PLOT.bottom });
  return tag(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label },
    ...grid,
    ...content,
    floor,
    ...marks,
  );
}
