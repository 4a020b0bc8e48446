/**
 * From paths to routes, so that `/api/study/load/5e8f…` and a million of its like are one row:
 * `/api/study/load/:id`.
 *
 * What looks like an identifier is one. What does not is learned: a place in the path that takes more
 * different values than `MAX_SIBLINGS` is taken for an identifier, save the few values that make up most of
 * the traffic there. The number of routes is bounded; what is beyond is `other`. Paths that no route is known
 * for and that were answered with 404 teach nothing, since scanners invent them.
 */

/** The route of everything for which there was no room. */
export const OTHER_ROUTE = 'other';

const ID = ':id';
const MAX_SIBLINGS = 50;
/**
 * A value keeps its own route where at least this share of the place's requests have it: twice an even share.
 */
const KEEP_SHARE = 2 / MAX_SIBLINGS;
/** Paths are cut below this depth: deeper segments hardly distinguish routes. */
const MAX_DEPTH = 8;
const MAX_SEGMENT = 64;

const IDENTIFIER = [
  /^\d+$/, // 42
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, // UUID
  /^(?=.*\d)[0-9a-f]{8,}$/i, // ObjectId, commit, hash
  /^\d{4}-\d\d-\d\d/, // date
  /@/, // address
  /^(?=(?:.*\d){2})(?=.*[A-Za-z])[A-Za-z0-9_-]{16,}$/, // token
];
/** `app.3f9a1c2b.js`, `main-5e8fA1b2.css`: a build's hash in the name of a file. */
const HASHED_FILE = /^(.+?)[.-](?=[^.]*\d)[A-Za-z0-9_]{8,}(\.[a-z0-9.]{1,8})$/;
/** Tomcat's session in the path. */
const PARAMETERS = /;.*$/;

/** One segment of a path as it stands in a route: itself, or `:id` where it looks like an identifier. */
export function normaliseSegment(segment: string): string {
  const bare = segment.replace(PARAMETERS, '');
  if (bare.length > MAX_SEGMENT || IDENTIFIER.some((pattern) => pattern.test(bare))) return ID;
  const hashed = HASHED_FILE.exec(bare);
  return hashed === null ? bare : `${hashed[1]}.${ID}${hashed[2]}`;
}

/** A place in the tree of paths. */
interface Place {
  /** The route that ends here, e.g. `/api/study/load/:id`. */
  readonly route: string;
  /** Requests that ended here. */
  hits: number;
  /** Every segment that is not known here is taken for `:id`. */
  collapsed: boolean;
  readonly children: Map<string, Place>;
}

export interface RouteOptions {
  /** Routes in all; default 200. */
  readonly maxRoutes?: number | undefined;
  /**
   * Routes that are known beforehand, e.g. `/api/study/load/:id`; a segment that begins with `:` stands for
   * anything.
   */
  readonly patterns?: readonly string[] | undefined;
}

/** The routes of one application. Grows to its bound and no further. */
export class RouteTable {
  readonly #maxRoutes: number;
  readonly #patterns: readonly (readonly string[])[];
  readonly #root: Place = { route: '/', hits: 0, collapsed: false, children: new Map() };
  /** Where paths seen lately ended; emptied when full, so that it too is bounded. */
  readonly #lately = new Map<string, Place>();
  /** Places with hits. */
  #routes = 0;
  #places = 0;

  constructor(options: RouteOptions = {}) {
    this.#maxRoutes = options.maxRoutes ?? 200;
    this.#patterns = (options.patterns ?? []).map((pattern) => segmentsOf(pattern));
  }

  /** The route of a path (without query) that was answered with this status. */
  route(path: string, status: number): string {
    const known = this.#lately.get(path);
    if (known !== undefined) {
      known.hits++;
      return known.route;
    }
    const segments = segmentsOf(path);
    const pattern = this.#patterns.find((candidate) => matches(candidate, segments));
    if (pattern !== undefined) return `/${pattern.join('/')}`;
    const place = this.#walk(segments, status !== 404);
    if (place === undefined) return OTHER_ROUTE;
    if (place.hits === 0) {
      if (status === 404 || this.#routes >= this.#maxRoutes) return OTHER_ROUTE;
      this.#routes++;
    }
    place.hits++;
    if (this.#lately.size >= 1000) this.#lately.clear();
    if (path.length <= 256) this.#lately.set(path, place);
    return place.route;
  }

  #walk(segments: readonly string[], teach: boolean): Place | undefined {
    let place = this.#root;
    for (const segment of segments) {
      let name = normaliseSegment(segment);
      if (!place.children.has(name)) {
        if (place.collapsed) name = ID;
        else if (teach && place.children.size >= MAX_SIBLINGS) {
          this.#collapse(place);
          name = ID;
        }
      }
      const child = place.children.get(name) ?? (teach ? this.#grow(place, name) : undefined);
      if (child === undefined) return undefined;
      place = child;
    }
    return place;
  }

  #grow(place: Place, name: string): Place | undefined {
    if (this.#places >= this.#maxRoutes * MAX_DEPTH) return undefined;
    this.#places++;
    const route = place === this.#root ? `/${name}` : `${place.route}/${name}`;
    const child: Place = { route, hits: 0, collapsed: false, children: new Map() };
    place.children.set(name, child);
    return child;
  }

  /** Forgets the rare values of a place, so that they are `:id` from now on. */
  #collapse(place: Place): void {
    place.collapsed = true;
    const sizes = [...place.children].map(([name, child]) => ({ name, ...sizeOf(child) }));
    const hits = sizes.reduce((total, size) => total + size.hits, 0);
    for (const size of sizes) {
      if (size.name === ID || size.hits >= hits * KEEP_SHARE) continue;
      place.children.delete(size.name);
      this.#routes -= size.routes;
      this.#places -= size.places;
    }
    this.#lately.clear();
  }
}

function sizeOf(place: Place): { hits: number; routes: number; places: number } {
  const size = { hits: place.hits, routes: place.hits > 0 ? 1 : 0, places: 1 };
  for (const child of place.children.values()) {
    const below = sizeOf(child);
    size.hits += below.hits;
    size.routes += below.routes;
    size.places += below.places;
  }
  return size;
}

function segmentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .slice(0, MAX_DEPTH);
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, i) => part.startsWith(':') || part === segments[i])
  );
}
