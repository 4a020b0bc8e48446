/**
 * One chart: lines, events, a legend with the values at the cursor, and a cursor that all charts share.
 */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { HubEvent, Panel } from '../../api-types.ts';
import { eventAt } from './event-lines.ts';
import { Legend } from './legend.tsx';
import { chartOptions, dataOf, HEIGHT, type Now } from './options.ts';

interface Props {
  readonly panel: Panel;
  readonly times: readonly number[];
  readonly events: readonly HubEvent[];
  readonly dark: boolean;
  /** A range that was chosen by dragging; absent: it cannot be. */
  readonly onZoom?: (fromMs: number, toMs: number) => void;
  readonly onReset?: () => void;
}

interface Cursor {
  readonly index: number;
  readonly event: HubEvent | undefined;
}

export function Chart({ panel, times, events, dark, onZoom, onReset }: Props) {
  const [cursor, setCursor] = useState<Cursor>();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const onCursor = (u: uPlot) => {
    const { idx } = u.cursor;
    const index = idx ?? -1;
    setCursor((before) => {
      if (index < 0) return undefined;
      const event = eventAt(u, now.current.events);
      return before?.index === index && before.event === event ? before : { index, event };
    });
  };
  const now = useRef<Now>({ panel, events, hidden, onCursor, onZoom, onReset });
  Object.assign(now.current, { panel, events, hidden, onZoom, onReset });
  const place = usePlot(now, times, dark);

  const toggle = (name: string) =>
    setHidden((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  return (
    <figure class="chart" aria-label={panel.title}>
      <Legend panel={panel} times={times} cursor={cursor} hidden={hidden} toggle={toggle} />
      <div ref={place} class="plot" aria-hidden="true" />
    </figure>
  );
}

/** Draws what `now` says. @returns where: the element that the chart fills. */
function usePlot(
  now: RefObject<Now>,
  times: readonly number[],
  dark: boolean,
): RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const { panel, events, hidden } = now.current;
  const form = panel.series.map(({ name }) => name).join('\n');
  // Recreated only when its form changes; the effect below sets the data.
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(
      chartOptions(element.clientWidth, now.current.panel, now.current),
      dataOf(times, now.current.panel, now.current.hidden),
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
  }, [panel.id, form, dark]);
  useEffect(() => {
    const made = plot.current;
    if (made === null) return;
    made.batch(() => {
      panel.series.forEach(({ name }, index) => {
        const show = !hidden.has(name);
        if (made.series[index + 1]?.show !== show) made.setSeries(index + 1, { show });
      });
      made.setData(dataOf(times, panel, hidden));
    });
  }, [times, panel, hidden]);
  useEffect(() => plot.current?.redraw(false), [events]);
  return place;
}
