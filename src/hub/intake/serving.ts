/**
 * Which release serves an application on a host, from the requests themselves: deploys and rollbacks leave a
 * mark though nobody reports them. Pure.
 */
import type { Window } from '../../metrics/catalogue.ts';

/** Share of the requests from which a release is the one that serves. */
const SERVES = 0.9;

/**
 * Release that answers nearly all requests, by application. Applications between two releases are left out.
 */
export function servingReleases(window: Window): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const { app, release, requests } of window.routes) {
    if (app === '' || release === '') continue;
    const releases = counts.get(app) ?? new Map<string, number>();
    releases.set(release, (releases.get(release) ?? 0) + requests);
    counts.set(app, releases);
  }
  const serving = new Map<string, string>();
  for (const [app, releases] of counts) {
    const total = [...releases.values()].reduce((sum, count) => sum + count, 0);
    for (const [release, count] of releases)
      if (total > 0 && count / total >= SERVES) serving.set(app, release);
  }
  return serving;
}

/** `deploy` where the release is new, `rollback` where it served before; undefined where nothing changed. */
export function changeOfRelease(
  before: string | undefined,
  now: string,
  seen: ReadonlySet<string>,
): 'deploy' | 'rollback' | undefined {
  if (before === now || before === undefined) return undefined;
  return seen.has(now) ? 'rollback' : 'deploy';
}
