/** A load from what production was asked: the same requests at the same distances. Pure. */
import type { CanaryRequest } from '../../config/schema.ts';

/** A request of production. */
export interface ServedRequest {
  /** When it was served, milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  /** Path with its query. */
  readonly uri: string;
}

/** When requests are due, and which: repeated from the start where an experiment lasts longer. */
export interface Timetable {
  /** Milliseconds after the start, growing. */
  readonly due: Float64Array;
  /** Index of each request. */
  readonly request: Uint32Array;
  /** Milliseconds after which it begins anew. */
  readonly span: number;
}

export interface Replay {
  readonly requests: readonly CanaryRequest[];
  readonly timetable: Timetable;
  /** Requests a second on average. */
  readonly rate: number;
  /** What of production's traffic it is. Paths are counted without their queries. */
  readonly covers: {
    readonly requests: number;
    readonly ofRequests: number;
    readonly paths: number;
    readonly ofPaths: number;
  };
}

/** Methods that change nothing (RFC 9110, 9.2.1) and that applications serve themselves. */
const SAFE = new Set(['GET', 'HEAD']);
/** Different requests of a load; the rarest beyond are left out. */
const MOST_DIFFERENT = 1000;
/** What the log says instead of a secret. */
const HIDDEN = '***';

/** Which paths are sent, by their beginnings. */
export interface ReplayPaths {
  /** Those that go to the service, not to files: the laboratory serves no files. */
  readonly routes: readonly string[];
  /** Those that are left out. */
  readonly exclude: readonly string[];
}

/**
 * @param served what production was asked, in any order
 * @returns null where nothing of it may be sent
 */
export function replayOf(served: readonly ServedRequest[], paths: ReplayPaths): Replay | null {
  const keys = counted(served.filter((request) => mayBeSent(request, paths)).map(keyOf));
  const known = new Map([...keys.keys()].slice(0, MOST_DIFFERENT).map((key, index) => [key, index]));
  const sent = served
    .filter((request) => mayBeSent(request, paths) && known.has(keyOf(request)))
    .sort((a, b) => a.at - b.at);
  const [first] = sent;
  const last = sent.at(-1);
  if (first === undefined || last === undefined) return null;
  // The last one, too, is followed by the usual distance.
  const span = sent.length === 1 ? 1000 : ((last.at - first.at) * sent.length) / (sent.length - 1) || 1000;
  return {
    requests: [...known.keys()].map((key) => requestOf(key, keys.get(key) ?? 1)),
    timetable: {
      due: Float64Array.from(sent, ({ at }) => at - first.at),
      request: Uint32Array.from(sent, (request) => known.get(keyOf(request)) ?? 0),
      span,
    },
    rate: (sent.length * 1000) / span,
    covers: {
      requests: sent.length,
      ofRequests: served.length,
      paths: new Set(sent.map(pathOf)).size,
      ofPaths: new Set(served.map(pathOf)).size,
    },
  };
}

/** The same timetable, so many times as fast. */
export function hastened({ due, request, span }: Timetable, factor: number): Timetable {
  return { due: due.map((at) => at / factor), request, span: span / factor };
}

/** What the report says of it: `replays 40 % of production's requests (412 of 1,030) …`. */
export function coverage({ covers }: Replay): string {
  const share = Math.floor((100 * covers.requests) / covers.ofRequests);
  return (
    `The load replays ${share} % of production's requests (${covers.requests} of ${covers.ofRequests}), ` +
    `with ${covers.paths} of its ${covers.ofPaths} paths: GET and HEAD, without cookies, bodies or headers.`
  );
}

function mayBeSent({ method, uri }: ServedRequest, { routes, exclude }: ReplayPaths): boolean {
  if (!SAFE.has(method) || !uri.startsWith('/') || uri.includes(HIDDEN)) return false;
  const begins = (beginning: string) => uri.startsWith(beginning);
  return routes.some(begins) && !exclude.some(begins);
}

/** How often each occurs, the most frequent first. */
function counted(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}

const keyOf = ({ method, uri }: ServedRequest) => `${method} ${uri}`;
const pathOf = ({ method, uri }: ServedRequest) => `${method} ${uri.replace(/[?#].*$/, '')}`;

function requestOf(key: string, weight: number): CanaryRequest {
  const [method, path] = [key.slice(0, key.indexOf(' ')), key.slice(key.indexOf(' ') + 1)];
  return { name: key, method: method as CanaryRequest['method'], path, headers: {}, weight };
}

/**
 * A line of `pipeline logs --requests --json`, or of nginx's request log on a host; undefined: it is none, or
 * was cut.
 */
export function servedRequest(line: string): ServedRequest | undefined {
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
  const { at, message, cut, msec, method, uri } = fields ?? {};
  if (typeof msec === 'number' && typeof method === 'string' && typeof uri === 'string')
    return { at: msec * 1000, method, uri };
  const time = Date.parse(String(at));
  if (Number.isNaN(time) || typeof message !== 'string') return undefined;
  return shownRequest({ at: time, message, isCut: cut === true });
}

/** A request as logs show it: `GET /items?page=2 200 31 ms`; undefined: it is none, or was cut. */
export function shownRequest(line: {
  readonly at: number;
  readonly message: string;
  readonly isCut: boolean;
}): ServedRequest | undefined {
  const [, method, uri] = /^([A-Z]+) (\S+) \d{3}/.exec(line.message) ?? [];
  return method === undefined || uri === undefined || line.isCut ? undefined : { at: line.at, method, uri };
}
