/** Which of what was seen is one event. Pure: the store is in `events.ts`. */
import type { HubEvent } from '../api-types.ts';

/** What was seen once: a line of a host's audit log, or what the requests themselves show. */
export interface SeenEvent {
  readonly at: number;
  readonly kind: HubEvent['kind'];
  readonly action: string;
  readonly app: string;
  readonly host: string;
  readonly release: string;
  readonly previous: string;
  readonly commit: string;
  readonly by: string;
  readonly result: string;
  readonly text: string;
}

/** An event as it is stored. */
export interface StoredEvent extends HubEvent {
  /** `requests`: nobody reported it, the requests show it. Gives way to what the audit log says. */
  readonly source: 'audit' | 'requests' | 'canary' | 'rollout' | 'api';
}

/** The same thing done on several hosts, or reported and seen, lies within this. */
export const SAME_MS = 15 * 60_000;

/** What to write and what to remove. */
export interface EventChange {
  readonly write?: StoredEvent;
  readonly remove: readonly string[];
}

/**
 * A line of an audit log, which is new to the hub. Several hosts of one deploy are one event; what the
 * requests showed before is replaced.
 * @param near stored events within `SAME_MS`
 */
export function mergeAudit(seen: SeenEvent, near: readonly StoredEvent[], id: string): EventChange {
  const { app, host, release, previous } = seen;
  const remove = near
    .filter(
      (event) =>
        event.source === 'requests' &&
        event.app === app &&
        app !== '' &&
        (event.release === release || event.release === previous),
    )
    .map((event) => event.id);
  const same = near.find(
    (event) =>
      event.source === 'audit' &&
      event.action === seen.action &&
      event.app === app &&
      (event.release ?? '') === release &&
      (event.by ?? '') === seen.by &&
      event.result === seen.result &&
      // The same again on the same host is done again.
      !event.hosts.includes(host),
  );
  const isTold = near.some((event) => event.source === 'rollout' && isSame(event, seen));
  if (isTold) return { remove };
  if (same === undefined) return { write: eventOf(seen, id, 'audit'), remove };
  return { write: { ...same, hosts: [...same.hosts, host].sort() }, remove };
}

/** Results by which a host's audit log tells what a rollout's own status tells with its figures. */
const RESULTS: Readonly<Record<string, string>> = { promoted: 'live', 'taken back': 'failed' };

function isSame(
  rollout: StoredEvent,
  line: Pick<SeenEvent, 'app' | 'release' | 'action' | 'result'>,
): boolean {
  const { app, release, result } = rollout;
  if (line.app !== app || line.release !== release) return false;
  return line.action === 'rollout'
    ? line.result === result
    : line.action === 'deploy' && line.result === RESULTS[result];
}

/**
 * An event of a rollout, as its status tells of it. What the audit log and the requests told of it gives way.
 */
export function mergeRollout(event: StoredEvent, near: readonly StoredEvent[]): EventChange {
  const { app, release, previous } = event;
  const remove = near
    .filter(
      (one) =>
        (one.source === 'audit' && isSame(event, { ...one, release: one.release ?? '' })) ||
        (one.source === 'requests' && one.app === app && [release, previous].includes(one.release)),
    )
    .map(({ id }) => id);
  return { write: event, remove };
}

/** A release that began to serve. Nothing where an audit log told of it already. */
export function mergeRequests(seen: SeenEvent, near: readonly StoredEvent[], id: string): EventChange {
  const { app, host, release, kind } = seen;
  const known = near.some(
    (event) =>
      event.app === app &&
      event.source !== 'requests' &&
      (event.release === release || event.previous === release),
  );
  if (known) return { remove: [] };
  const same = near.find(
    (event) =>
      event.source === 'requests' && event.app === app && event.kind === kind && event.release === release,
  );
  if (same === undefined) return { write: eventOf(seen, id, 'requests'), remove: [] };
  return same.hosts.includes(host)
    ? { remove: [] }
    : { write: { ...same, hosts: [...same.hosts, host].sort() }, remove: [] };
}

function eventOf(seen: SeenEvent, id: string, source: StoredEvent['source']): StoredEvent {
  const { host, release, previous, commit, by, ...rest } = seen;
  const known = <K extends string>(key: K, value: string) => (value === '' ? {} : { [key]: value });
  return {
    ...rest,
    id,
    source,
    hosts: host === '' ? [] : [host],
    ...known('release', release),
    ...known('previous', previous),
    ...known('commit', commit),
    ...known('by', by),
  };
}
