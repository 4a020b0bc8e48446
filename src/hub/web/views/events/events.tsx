/** What was done: deploys, rollbacks, canaries, and every other change of a host. */
import { useEffect, useRef } from 'preact/hooks';
import type { EventPage } from '../../../api-types.ts';
import { rangeKey, rangeQuery, refreshKey } from '../../hooks/use-charts.ts';
import { useLoaded } from '../../hooks/use-loaded.ts';
import { Head } from '../../layout/head.tsx';
import type { Page } from '../../page.ts';
import { Empty } from '../../parts/empty.tsx';
import { EventList } from '../../parts/event-list.tsx';
import { More } from '../../parts/more.tsx';
import { matches } from '../../state/sort.ts';
import { Filter } from './filter.tsx';

const LIMIT = 200;

export function EventsView({ page }: { readonly page: Page }) {
  const { place, stream } = page;
  const kind = place.kind === '' ? '' : `&kind=${encodeURIComponent(place.kind)}`;
  const path = () => `/api/events?${rangeQuery(page)}&limit=${LIMIT}${kind}`;
  const loaded = useLoaded<EventPage>(`${rangeKey(page)}${kind}`, path, refreshKey(page), page.onSignedOut);
  const { data, error } = loaded;
  const set = useRef(loaded.set);
  set.current = loaded.set;
  useEffect(
    () =>
      stream.listen({
        event: (event) =>
          set.current((before) =>
            before === undefined || (place.kind !== '' && place.kind !== event.kind)
              ? before
              : { ...before, events: [event, ...before.events.filter(({ id }) => id !== event.id)] },
          ),
      }),
    [stream.listen, place.kind],
  );
  const shown = (data?.events ?? []).filter(
    ({ action, app, hosts, text, by = '', release = '', commit = '' }) =>
      matches(place.filter, action, app, ...hosts, text, by, release, commit),
  );
  const none = data !== undefined && data.events.length === 0;
  return (
    <>
      <Head
        page={page}
        title="Events"
        line="Deploys, rollbacks, rollouts, canaries and changes of hosts"
        ranges
      />
      <section class="panel" aria-label="Events" data-list>
        <Filter page={page} />
        {error !== '' && <p class="notice">{error}</p>}
        {none && (
          <Empty
            title="Nothing happened in this range."
            text="Choose a longer range, or deploy something:"
            commands={['pipeline deploy APP -i inventory.ini']}
          />
        )}
        {data !== undefined && !none && shown.length === 0 && <Empty title="Nothing matches the filter." />}
        <EventList page={page} events={shown} />
        <More
          next={data?.next ?? null}
          path={(next) => `${path()}&before=${encodeURIComponent(next)}`}
          add={(more: EventPage) =>
            loaded.set((before) => before && { events: [...before.events, ...more.events], next: more.next })
          }
        />
      </section>
    </>
  );
}
