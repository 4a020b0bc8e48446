/** Picks the range: one of the usual ones that end now, or a fixed one. */
import { useEffect, useRef } from 'preact/hooks';
import type { Page } from '../page.ts';
import { Go } from '../parts/go.tsx';
import { localInput, period } from '../state/format.ts';
import { boundsOf, elsewhere, hostLogs, isLive, RANGE_NAMES } from '../state/place.ts';

interface Props {
  readonly page: Page;
}

export function Ranges({ page }: Props) {
  const { place, go } = page;
  const live = isLive(place);
  const { from, to } = boundsOf(place, Date.now());
  return (
    <div class="ranges">
      <p class="printed">{period(from, to)}</p>
      <fieldset aria-label="Range">
        {RANGE_NAMES.map((range, index) => (
          <button
            type="button"
            key={range}
            title={`Key ${index + 1}`}
            aria-pressed={live && range === place.range}
            onClick={() => go({ ...place, range, from: 0, to: 0 })}
          >
            {range}
          </button>
        ))}
      </fieldset>
      <CustomRange page={page} />
      {(place.view === 'app' || place.view === 'host') && (
        <Go
          to={elsewhere(place, 'logs', place.view === 'host' ? hostLogs(place.name) : place.name)}
          go={go}
          class="logs-link"
        >
          Logs of this range
        </Go>
      )}
      {!live && (
        <button type="button" class="quiet" onClick={() => go({ ...place, from: 0, to: 0 })} title="Key l">
          Back to now
        </button>
      )}
    </div>
  );
}

function CustomRange({ page }: Props) {
  const { place, go } = page;
  const live = isLive(place);
  const { from, to } = boundsOf(place, Date.now());
  const details = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (details.current !== null) details.current.open = false;
  };
  // A click elsewhere closes the form, as everywhere.
  useEffect(() => {
    const onPointer = (event: Event) => {
      if (!details.current?.contains(event.target as Node)) close();
    };
    addEventListener('pointerdown', onPointer);
    return () => removeEventListener('pointerdown', onPointer);
  }, []);
  const choose = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const [begin, end] = [form.get('from'), form.get('to')].map((text) => Date.parse(String(text)));
    if (begin === undefined || end === undefined || !(begin < end)) return;
    close();
    go({ ...place, from: begin, to: Math.min(end, Date.now()) });
  };
  return (
    <details ref={details} class="custom">
      <summary class={live ? '' : 'chosen'}>{live ? 'From … to' : period(from, to)}</summary>
      <form onSubmit={choose}>
        <label>
          From <input type="datetime-local" name="from" required defaultValue={localInput(from)} />
        </label>
        <label>
          To <input type="datetime-local" name="to" required defaultValue={localInput(to)} />
        </label>
        <button type="submit" class="main">
          Show
        </button>
      </form>
    </details>
  );
}
