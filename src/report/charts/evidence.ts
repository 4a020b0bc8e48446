/** How evidence grew: a line for each metric, towards the threshold for a claim. */
import { formatClock } from '../format.ts';
import { chart, PLOT } from './frame.ts';
import { linearScale, timeScale } from './scale.ts';
import { linePath, type Point, tag, text, tooltip } from './svg.ts';

export interface EvidenceLine {
  readonly name: string;
  /** Share of the way to the threshold (1: reached), for each moment. */
  readonly shares: readonly (number | null)[];
}

interface EvidenceChart {
  readonly label: string;
  readonly at: readonly number[];
  readonly span: readonly [number, number];
  readonly lines: readonly EvidenceLine[];
  /** The threshold's name, e.g. `alarm`. */
  readonly threshold: string;
  readonly tone: 'harm' | 'benign';
}

/** How many lines are named at their end, and how many of those are coloured; others are thin. */
const NAMED = 8;
const COLOURED = 4;
const LABELS = 140;
const LINE_HEIGHT = 13;

/** The chart, or '' if there is nothing to draw. The strongest lines have their names on the right. */
export function evidenceChart(input: EvidenceChart): string {
  const known = input.lines.filter((line) => line.shares.some((share) => share !== null));
  if (known.length === 0 || input.at.length === 0) return '';
  const right = PLOT.right - LABELS;
  const x = timeScale(input.span, [PLOT.left, right]);
  const y = Object.assign(linearScale([0, 1.2], [PLOT.bottom, PLOT.top], 4), { ticks: [0, 0.5, 1] });
  const place = (share: number) => y(Math.min(1.15, Math.max(0, share)));
  const ranked = [...known].sort((a, b) => final(b) - final(a));
  const named = ranked.slice(0, NAMED).filter((line, index) => index === 0 || final(line) > 0.02);
  const labels = spread(named.map((line) => place(final(line)) + 4));
  const drawn = [...ranked].reverse().map((line) => {
    const rank = named.indexOf(line);
    const points = line.shares.map((share, index): Point | null =>
      share === null ? null : [x(input.at[index] ?? 0), place(share)],
    );
    const label =
      rank === -1 ? '' : text(right + 8, labels[rank] ?? 0, shorten(line.name), { class: className(rank) });
    return (
      tag(
        'path',
        { class: `line evidence ${className(rank)}`, d: linePath(points) },
        tooltip(`${line.name}: ${Math.round(final(line) * 100)} % of the way`),
      ) + label
    );
  });
  return chart(
    input.label,
    { scale: x, format: formatClock },
    { scale: y, format: (share) => (share === 1 ? input.threshold : `${share * 100} %`) },
    [
      tag('line', { class: `threshold ${input.tone}`, x1: PLOT.left, x2: right, y1: y(1), y2: y(1) }),
      ...drawn,
    ],
    right,
  );
}

/** Rank −1: a line without a name. */
function className(rank: number): string {
  return rank >= 0 && rank < COLOURED ? `rank${rank}` : 'thin';
}

function final(line: EvidenceLine): number {
  return line.shares.findLast((share) => share !== null) ?? 0;
}

/** Moves labels apart, in their order, so that none covers another. */
function spread(wanted: readonly number[]): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const placed = [...wanted];
  let free = PLOT.top + LINE_HEIGHT - 4;
  for (const index of order) {
    free = Math.max(free, wanted[index] ?? 0);
    placed[index] = free;
    free += LINE_HEIGHT;
  }
  const over = free - LINE_HEIGHT - PLOT.bottom;
  return over > 0 ? placed.map((value) => value - over) : placed;
}

function shorten(name: string): string {
  return name.length > 22 ? `${name.slice(0, 21)}…` : name;
}
