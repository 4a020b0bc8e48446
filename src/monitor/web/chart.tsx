/** One chart: lines, deploy marks, and a cursor that all charts share. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Mark, Panel } from '../api-types.ts';
import { figure } from './format.ts';

const COLORS = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6'];
const HEIGHT = 150;

interface Props {
  readonly panel: Panel;
  readonly times: readonly number[];
  readonly marks: readonly Mark[];
  readonly dark: boolean;
}

export function Chart({ panel, times, marks, dark }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const latest = useRef(marks);
  latest.current = marks;
  const lines = panel.series.map(({ name }) => name).join('\n');
  // Made anew only when its form changes; figures are set by the effect below.
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: color('--dim'),
      font: '11px system-ui',
      grid: { stroke: color('--grid'), width: 1 },
      ticks: { show: false },
    };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        cursor: { sync: { key: 'all' }, y: false, points: { size: 6 }, drag: { x: false, y: false } },
        legend: { live: true },
        scales: {
          y: {
            range: (_u, _min, max) => [
              0,
              panel.unit === 'ratio' ? Math.max(0.1, Math.min(1, max * 1.1)) : max > 0 ? max * 1.1 : 1,
            ],
          },
        },
        axes: [
          { ...axis, values: (_u, splits, _axis, _space, step) => splits.map((at) => clock(at, step)) },
          { ...axis, size: 62, values: (_u, splits) => splits.map((value) => figure(value, panel.unit)) },
        ],
        series: [
          {
            value: (_u, at) =>
              at === null
                ? ''
                : new Date(at * 1000).toLocaleString([], {
                    hour: '2-digit',
                    minute: '2-digit',
                    second: '2-digit',
                    day: '2-digit',
                    month: 'short',
                  }),
          },
          ...panel.series.map(({ name }, index) => ({
            label: name,
            stroke: color(COLORS[index % COLORS.length] ?? ''),
            ...(index === 0 ? { fill: color('--fill') } : {}),
            width: 1.5,
            points: { show: false },
            value: (_u: uPlot, value: number | null) => figure(value, panel.unit),
          })),
        ],
        hooks: { draw: [(u) => drawMarks(u, latest.current, color('--mark'))] },
      },
      dataOf(times, panel),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [panel.id, lines, dark]);
  useEffect(() => plot.current?.setData(dataOf(times, panel)), [times, panel]);
  const last = panel.series.map(({ values }) => values.findLast((value) => value !== null));
  return (
    <section class="chart" aria-label={panel.title}>
      <h3>
        {panel.title}
        <span class="now">{figure(last[0], panel.unit)}</span>
      </h3>
      <div ref={place} />
    </section>
  );
}

/** A place on the time axis: as fine as its steps are. */
function clock(at: number, step: number): string {
  const date = new Date(at * 1000);
  if (step >= 86_400) return date.toLocaleDateString([], { day: 'numeric', month: 'short' });
  const text = date.toTimeString();
  return step < 60 ? text.slice(0, 8) : text.slice(0, 5);
}

function dataOf(times: readonly number[], panel: Panel): uPlot.AlignedData {
  return [times as number[], ...panel.series.map(({ values }) => values as (number | null)[])];
}

/** Thin lines with the release's name, which is text drawn on a canvas. */
function drawMarks(u: uPlot, marks: readonly Mark[], color: string): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.lineWidth = ratio;
  ctx.textAlign = 'left';
  ctx.font = `${10 * ratio}px system-ui`;
  for (const mark of marks) {
    const x = u.valToPos(mark.at / 1000, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const name = mark.commit ?? mark.release?.split('-').at(-1) ?? mark.kind;
    ctx.fillText(`${mark.kind} ${name}`, x + 4 * ratio, bbox.top + 10 * ratio);
  }
  ctx.restore();
}

/** A small line of the last hour. */
export function Spark({
  values,
  top,
}: {
  readonly values: readonly (number | null)[];
  readonly top?: number;
}) {
  const most = top ?? Math.max(1e-9, ...values.map((value) => value ?? 0));
  const points = values.flatMap((value, index) =>
    value === null
      ? []
      : [`${(index / (values.length - 1)) * 72},${18 - (Math.min(value, most) / most) * 16}`],
  );
  return (
    <svg class="spark" viewBox="0 0 72 20" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}
