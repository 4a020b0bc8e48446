/** What of several tellings is one event. Pure: the store is in `events.ts`. */
import type { Mark } from '../api-types.ts';

/** One telling: a line of a host's audit log, or what the requests themselves show. */
export interface Telling {
  readonly at: number;
  readonly kind: Mark['kind'];
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
export interface StoredMark extends Mark {
  /** `requests`: nobody reported it, the requests show it. Gives way to what the audit log says. */
  readonly source: 'audit' | 'requests' | 'canary' | 'rollout' | 'api';
}

/** The same thing done on several hosts, or reported and seen, lies within this. */
export const SAME_MS = 15 * 60_000;

/** What to write and what to remove. */
export interface MarkChange {
  readonly write?: StoredMark;
  readonly remove: readonly string[];
}

/**
 * A line of an audit log, which is new to the hub. Several hosts of one deploy are one event; what the
 * requests showed before is replaced.
 * @param near stored events within `SAME_MS`
 */
export function tellAudit(telling: Telling, near: readonly StoredMark[], id: string): MarkChange {
  const { app, host, release, previous } = telling;
  const remove = near
    .filter(
      (mark) =>
        mark.source === 'requests' &&
        mark.app === app &&
        app !== '' &&
        (mark.release === release || mark.release === previous),
    )
    .map((mark) => mark.id);
  const same = near.find(
    (mark) =>
      mark.source === 'audit' &&
      mark.action === telling.action &&
      mark.app === app &&
      (mark.release ?? '') === release &&
      (mark.by ?? '') === telling.by &&
      mark.result === telling.result &&
      // The same again on the same host is done again.
      !mark.hosts.includes(host),
  );
  const isTold = near.some((mark) => mark.source === 'rollout' && isSame(mark, telling));
  if (isTold) return { remove };
  if (same === undefined) return { write: markOf(telling, id, 'audit'), remove };
  return { write: { ...same, hosts: [...same.hosts, host].sort() }, remove };
}

/** Results by which a host's audit log tells what a rollout's own status tells with its figures. */
const RESULTS: Readonly<Record<string, string>> = { promoted: 'live', 'taken back': 'failed' };

function isSame(rollout: StoredMark, line: Pick<Telling, 'app' | 'release' | 'action' | 'result'>): boolean {
  const { app, release, result } = rollout;
  if (line.app !== app || line.release !== release) return false;
  return line.action === 'rollout'
    ? line.result === result
    : line.action === 'deploy' && line.result === RESULTS[result];
}

/**
 * An event of a rollout, as its status tells of it. What the audit log and the requests told of it gives way.
 */
export function tellRollout(mark: StoredMark, near: readonly StoredMark[]): MarkChange {
  const { app, release, previous } = mark;
  const remove = near
    .filter(
      (one) =>
        (one.source === 'audit' && isSame(mark, { ...one, release: one.release ?? '' })) ||
        (one.source === 'requests' && one.app === app && [release, previous].includes(one.release)),
    )
    .map(({ id }) => id);
  return { write: mark, remove };
}

/** A release that began to serve. Nothing where an audit log told of it already. */
export function tellRequests(telling: Telling, near: readonly StoredMark[], id: string): MarkChange {
  const { app, host, release, kind } = telling;
  const known = near.some(
    (mark) =>
      mark.app === app &&
      mark.source !== 'requests' &&
      (mark.release === release || mark.previous === release),
  );
  if (known) return { remove: [] };
  const same = near.find(
    (mark) =>
      mark.source === 'requests' && mark.app === app && mark.kind === kind && mark.release === release,
  );
  if (same === undefined) return { write: markOf(telling, id, 'requests'), remove: [] };
  return same.hosts.includes(host)
    ? { remove: [] }
    : { write: { ...same, hosts: [...same.hosts, host].sort() }, remove: [] };
}

function markOf(telling: Telling, id: string, source: StoredMark['source']): StoredMark {
  const { host, release, previous, commit, by, ...rest } = telling;
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
