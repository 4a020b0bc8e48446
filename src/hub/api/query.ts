/** What a request asks for, read from its query. Undefined where it asks for nothing that there is. */
import type { Request } from '../access/sign-in.ts';
import type { ChartSource, Range, Subject } from '../charts/queries.ts';

/** The longest time that one chart shows. */
const LONGEST_MS = 91 * 86_400_000;
const LONGEST_NAME = 512;

/** The chart's subject: a host, or an application, its route or releases. */
export function subjectOf(c: Request, { hosts }: ChartSource): Subject | undefined {
  const query = c.req.query();
  if (Object.values(query).some((text) => text.length > LONGEST_NAME)) return undefined;
  const { host, app, method, route, release, baseline, candidate } = query;
  if (host !== undefined) return hosts.includes(host) ? { kind: 'host', name: host } : undefined;
  if (app === undefined || app === '') return undefined;
  const releases = release === undefined ? [baseline, candidate] : [release];
  return {
    kind: 'app',
    name: app,
    route: method !== undefined && route !== undefined ? { method, route } : undefined,
    releases: releases.filter((one) => one !== undefined),
  };
}

/** Milliseconds since 1970, never in the future. */
export function rangeOf(c: Request): Range | undefined {
  const now = Date.now();
  const to = Math.min(Number(c.req.query('to') ?? now), now);
  const from = Math.max(Number(c.req.query('from')), now - LONGEST_MS);
  return from < to ? { from: Math.floor(from), to: Math.floor(to) } : undefined;
}

/** Entries of a page. */
export function limitOf(c: Request): number {
  const limit = Math.floor(Number(c.req.query('limit') ?? 50));
  return limit >= 1 && limit <= 500 ? limit : 50;
}

/** The answer to a query that `subjectOf` or `rangeOf` does not take. */
export function wrongQuery(c: Request) {
  return c.json({ error: 'Give host or app, and from and to in milliseconds since 1970.' }, 400);
}
