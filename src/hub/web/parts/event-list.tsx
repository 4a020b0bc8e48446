/** What was done, and by whom. */
import type { HubEvent } from '../../api-types.ts';
import type { Page } from '../page.ts';
import { eventName } from '../state/event-name.ts';
import { ago, eventWords, moment } from '../state/format.ts';
import { elsewhere, hostLogs, type Place } from '../state/place.ts';
import { Go } from './go.tsx';
import { LogsLink } from './logs-link.tsx';

interface Props {
  readonly page: Page;
  /** In the order in which they are shown. */
  readonly events: readonly HubEvent[];
}

/** Results shown as bad news. */
const BAD: ReadonlySet<string> = new Set([
  'failed',
  'inconclusive',
  'interrupted',
  'lost',
  'taken back',
  'held',
]);

export function EventList({ page, events }: Props) {
  const { place, go, overview } = page;
  return (
    <ul class="events">
      {events.map((event) => {
        const to = placeOf(event, place);
        return (
          <li key={event.id}>
            <time dateTime={new Date(event.at).toISOString()} title={ago(overview.at - event.at)}>
              {moment(event.at)}
            </time>
            <span class="kind">
              {event.action} {BAD.has(event.result) && <span class="worse">{event.result}</span>}
            </span>
            <span class="event">{event.kind === 'change' ? '' : eventName(event)}</span>
            <span class="message">
              {event.app !== '' && <b>{event.app} </b>}
              {to === undefined ? (
                eventWords(event) || event.action
              ) : (
                <Go to={to} go={go} item>
                  {eventWords(event) || event.action}
                </Go>
              )}
              {event.by !== undefined && event.by !== '' && <span class="dim"> by {event.by}</span>}
              {event.hosts.length > 0 && <span class="dim"> on {event.hosts.join(', ')}</span>}
              <LogsLink page={page} name={subjectOf(event)} at={event.at} />
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** Whose logs tell of it. */
function subjectOf({ app, hosts: [host] }: HubEvent): string | undefined {
  if (app !== '') return app;
  return host === undefined ? undefined : hostLogs(host);
}

/**
 * Where one sees what it did: the run, the rollout, or the charts of the quarter of an hour before and the
 * half hour after.
 */
function placeOf(event: HubEvent, place: Place): Place | undefined {
  if (event.canary !== undefined) return elsewhere(place, 'canary', event.canary);
  if (event.rollout !== undefined) return elsewhere(place, 'rollout', event.rollout);
  const view = event.app === '' ? 'host' : 'app';
  const name = event.app === '' ? event.hosts[0] : event.app;
  if (name === undefined) return undefined;
  const [from, to] = [event.at - 15 * 60_000, Math.min(event.at + 30 * 60_000, Date.now())];
  return { ...elsewhere(place, view, name), from, to };
}
