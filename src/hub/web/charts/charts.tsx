/** All charts of a view: in two columns where there is room. */
import type { History } from '../../api-types.ts';
import type { Loaded } from '../hooks/use-loaded.ts';
import type { Page } from '../page.ts';
import { measured } from '../state/series.ts';
import { Chart } from './chart.tsx';
import { NoChart } from './no-chart.tsx';

/** Shorter ranges than this cannot be chosen by dragging, ms. */
const LEAST_MS = 10_000;

export function Charts({ page, loaded }: { readonly page: Page; readonly loaded: Loaded<History> }) {
  const { place, go, dark } = page;
  const { data, error } = loaded;
  if (data === undefined) return error === '' ? <Blank /> : <p class="notice">{error}</p>;
  const zoom = (from: number, to: number) => {
    const end = Math.min(Math.round(to), Date.now());
    if (end - from >= LEAST_MS) go({ ...place, from: Math.round(from), to: end });
  };
  // With one version, the other charts show the same.
  const panels = data.panels
    .map(measured)
    .filter(({ id, series }) => !id.endsWith('by-version') || series.length > 1);
  return (
    <section class="charts" id="charts" aria-label="Charts">
      {error !== '' && <p class="notice">{error}</p>}
      {panels.map((panel) => {
        const key = `${place.view} ${place.name} ${panel.id}`;
        return panel.series.length === 0 ? (
          <NoChart key={key} panel={panel} />
        ) : (
          <Chart
            key={key}
            panel={panel}
            times={data.times}
            events={data.events}
            dark={dark}
            onZoom={zoom}
            onReset={() => go({ ...place, from: 0, to: 0 })}
          />
        );
      })}
    </section>
  );
}

/** Placeholders while the charts load, so that nothing jumps. */
function Blank() {
  return (
    <section class="charts" aria-busy="true" aria-label="Charts are read">
      <div class="chart blank" />
      <div class="chart blank" />
      <div class="chart blank" />
      <div class="chart blank" />
    </section>
  );
}
