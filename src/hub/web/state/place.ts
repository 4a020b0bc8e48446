/**
 * What is shown. All of it stands in the address bar, so that a page can be sent to somebody and the back
 * button works. Pure.
 */

type List = 'alerts' | 'events' | 'canaries' | 'logs';
export type View = List | 'overview' | 'host' | 'app' | 'canary' | 'rollout';

export interface Place {
  readonly view: View;
  /**
   * Host, application, canary run or rollout; of logs an application or a host, or empty: the first one;
   * empty for the other views.
   */
  readonly name: string;
  /** A key of `RANGES`. */
  readonly range: string;
  /** A fixed range, ms since 1970, which takes the place of `range`; 0: there is none. */
  readonly from: number;
  readonly to: number;
  /** Releases that are compared; both empty: none. */
  readonly baseline: string;
  readonly candidate: string;
  /** `METHOD /path`: charts of one route alone; empty: of all. */
  readonly route: string;
  /**
   * Column that the table is sorted by, with a `-` before it where the greatest comes first; empty: as it
   * comes.
   */
  readonly sort: string;
  /** Words that rows must contain. */
  readonly filter: string;
  /** Kind of events, state of alerts, or least level of logs; empty: all. */
  readonly kind: string;
  /** One host, and one release, of an application's logs; empty: all. */
  readonly at: string;
  readonly release: string;
  /** Of logs: `yes` shows requests too. */
  readonly requests: string;
}

/** Length of each range, seconds. */
export const RANGES: Readonly<Record<string, number>> = {
  '5m': 300,
  '15m': 900,
  '1h': 3600,
  '6h': 21_600,
  '24h': 86_400,
  '7d': 604_800,
  '30d': 2_592_000,
  '90d': 7_776_000,
};
export const RANGE_NAMES: readonly string[] = Object.keys(RANGES);
const USUAL_RANGE = '1h';

const LISTS: readonly List[] = ['alerts', 'events', 'canaries', 'logs'];
/** Which key of the query names what is shown. */
const NAMED = { logs: 'logs', host: 'host', app: 'app', canary: 'run', rollout: 'rollout' } as const;

const ROUTE = /^\S+ \S/;

export const OVERVIEW: Place = {
  view: 'overview',
  name: '',
  range: USUAL_RANGE,
  from: 0,
  to: 0,
  baseline: '',
  candidate: '',
  route: '',
  sort: '',
  filter: '',
  kind: '',
  at: '',
  release: '',
  requests: '',
};

/** Parses the address bar; anything invalid is ignored. */
export function readPlace(search: string): Place {
  const query = new URLSearchParams(search);
  const text = (key: string) => query.get(key) ?? '';
  const named = (Object.keys(NAMED) as (keyof typeof NAMED)[]).find((view) => text(NAMED[view]) !== '');
  const list = LISTS.find((view) => view === text('view'));
  const range = text('range');
  const [from, to] = [Number(text('from')), Number(text('to'))];
  const fixed = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from > 0 && to > from;
  const compared = text('baseline') !== '' && text('candidate') !== '';
  return {
    view: named ?? list ?? 'overview',
    name: named === undefined ? '' : text(NAMED[named]),
    range: Object.hasOwn(RANGES, range) ? range : USUAL_RANGE,
    from: fixed ? from : 0,
    to: fixed ? to : 0,
    baseline: compared ? text('baseline') : '',
    candidate: compared ? text('candidate') : '',
    route: named === 'app' && ROUTE.test(text('route')) ? text('route') : '',
    sort: /^-?\w{1,20}$/.test(text('sort')) ? text('sort') : '',
    filter: text('q'),
    kind: text('kind'),
    at: text('at'),
    release: text('release'),
    requests: text('requests') === 'yes' ? 'yes' : '',
  };
}

/** The query that `readPlace` reads back. */
export function placeQuery(place: Place): string {
  const query = new URLSearchParams();
  const set = (key: string, value: string, usual = '') => {
    if (value !== usual) query.set(key, value);
  };
  const { view, name, from, to } = place;
  if (view in NAMED && name !== '') set(NAMED[view as keyof typeof NAMED], name);
  else set('view', view, 'overview');
  set('range', place.range, USUAL_RANGE);
  if (from > 0) {
    query.set('from', String(from));
    query.set('to', String(to));
  }
  set('baseline', place.baseline);
  set('candidate', place.candidate);
  set('route', place.route);
  set('sort', place.sort);
  set('q', place.filter);
  set('kind', place.kind);
  set('at', place.at);
  set('release', place.release);
  set('requests', place.requests);
  const text = query.toString();
  return text === '' ? '/dashboard' : `?${text}`;
}

/** Another view with the same range. Settings of the old view are dropped. */
export function elsewhere(place: Place, view: View, name = ''): Place {
  const { range, from, to } = place;
  return { ...OVERVIEW, range, from, to, view, name };
}

/** Whether the range ends now and moves on. */
export function isLive(place: Place): boolean {
  return place.from === 0;
}

/** The range in milliseconds since 1970. */
export function boundsOf(place: Place, now: number): { readonly from: number; readonly to: number } {
  if (!isLive(place)) return { from: place.from, to: place.to };
  return { from: now - (RANGES[place.range] ?? 3600) * 1000, to: now };
}

const HOST = 'host:';

/** The name of a host among what logs are of: an application may have the same. */
export function hostLogs(host: string): string {
  return `${HOST}${host}`;
}

/** Whose logs a name stands for. */
export function logsOf(name: string): { readonly app: string } | { readonly host: string } {
  return name.startsWith(HOST) ? { host: name.slice(HOST.length) } : { app: name };
}

/** The logs of an application or a host around a moment: what led to it, and what came of it. */
export function logsAround(place: Place, name: string, at: number, now: number): Place {
  const [from, to] = [at - 2 * 60_000, Math.min(at + 60_000, now)];
  return { ...elsewhere(place, 'logs', name), from, to: Math.max(to, from + 1) };
}
