/**
 * The charts of a host or an application: read, extended by the stream, and read again when they have become
 * coarse.
 */
import { useEffect, useRef } from 'preact/hooks';
import type { History, HubEvent } from '../../api-types.ts';
import type { Page } from '../page.ts';
import { boundsOf, isLive, RANGES } from '../state/place.ts';
import { append, withEvent } from '../state/series.ts';
import { type Loaded, useLoaded } from './use-loaded.ts';

/** Steps longer than this are read again rather than put together from live points, seconds. */
const LONGEST_LIVE_STEP = 10;
const LEAST_MS = 15_000;

/** When to read again: changes now and then while the page is live. */
export function refreshKey({ place, stream }: Page): string {
  if (!isLive(place)) return 'fixed';
  const every = Math.max(LEAST_MS, ((RANGES[place.range] ?? 3600) * 1000) / 360);
  return `${stream.missed} ${Math.floor((stream.overview?.at ?? 0) / every)}`;
}

/** The range as a part of a subject: a live range is another one only when its length is. */
export function rangeKey({ place }: Page): string {
  return isLive(place) ? place.range : `${place.from}-${place.to}`;
}

/** `from` and `to` for the API. */
export function rangeQuery({ place }: Page): string {
  const { from, to } = boundsOf(place, Date.now());
  return `from=${from}&to=${to}`;
}

/** @param subject e.g. `host=web`; empty: none */
export function useCharts(page: Page, subject: string): Loaded<History> {
  const { place, stream, onSignedOut } = page;
  const again = refreshKey(page);
  const loaded = useLoaded<History>(
    subject === '' ? '' : `${subject}&${rangeKey(page)}`,
    () => `/api/history?${subject}&${rangeQuery(page)}`,
    again,
    onSignedOut,
  );
  const counts = useRef(new Map<number, number>());
  const step = loaded.data?.stepSeconds ?? 0;
  const live = isLive(place) && step > 0 && step <= LONGEST_LIVE_STEP;
  const set = useRef(loaded.set);
  set.current = loaded.set;
  useEffect(() => {
    if (!isLive(place)) return;
    counts.current.clear();
    const concerns = (event: HubEvent) =>
      subject.split('&')[0] === `${new URLSearchParams({ app: event.app })}` ||
      event.hosts.some((host) => subject === `${new URLSearchParams({ host })}`);
    return stream.listen({
      event: (event) => {
        if (concerns(event))
          set.current((before) => before && { ...before, events: withEvent(before.events, event) });
      },
      ...(live
        ? {
            point: (point) =>
              set.current(
                (before) => before && append(before, point, RANGES[place.range] ?? 3600, counts.current),
              ),
          }
        : {}),
    });
  }, [live, subject, place.range, again, stream.listen]);
  return loaded;
}
