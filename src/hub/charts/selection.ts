/** Which requests of an application charts are about. Pure. */
import type { Window } from '../../metrics/catalogue.ts';

export interface Selection {
  /** One route alone, e.g. `GET` and `/api/study/load/:id`. */
  readonly route?: { readonly method: string; readonly route: string } | undefined;
  /** Only these; none: all. */
  readonly releases: readonly string[];
}

/** The window without the requests that were not chosen. */
export function select(window: Window, { route, releases }: Selection): Window {
  if (route === undefined && releases.length === 0) return window;
  const routes = window.routes.filter(
    (row) =>
      (route === undefined || (row.method === route.method && row.route === route.route)) &&
      (releases.length === 0 || releases.includes(row.release)),
  );
  return { ...window, routes };
}
