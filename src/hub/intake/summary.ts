/** Routes of a window summed up by application and release: what charts of applications are drawn from. */
import { emptyTables, type Row, type Window } from '../../metrics/catalogue.ts';
import { mergeWindows } from '../../metrics/merge.ts';

/** Route and method of a row that stands for all routes of its release. */
const ALL_ROUTES = '*';

/** One row for each server, application, colour and release. Exact. */
export function summarise(window: Window): readonly Row<'routes'>[] {
  if (window.routes.length === 0) return [];
  const routes = window.routes.map((row) => ({ ...row, method: ALL_ROUTES, route: ALL_ROUTES }));
  const { host, at, seconds } = window;
  return mergeWindows([{ ...emptyTables(), host, at, seconds, routes }])?.routes ?? [];
}
