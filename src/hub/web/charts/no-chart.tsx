/** In place of a chart without data: why there is none. */
import type { Panel } from '../../api-types.ts';

export function NoChart({ panel }: { readonly panel: Panel }) {
  return (
    <figure class="chart none" aria-label={panel.title}>
      <figcaption class="legend">
        <h3>{panel.title}</h3>
      </figcaption>
      <p class="dim">{panel.none ?? 'Nothing was measured in this time.'}</p>
    </figure>
  );
}
