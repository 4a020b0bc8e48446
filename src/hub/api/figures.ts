/** Answers with figures: hosts, applications, units. */
import type { Hono } from 'hono';
import type { Env } from '../access/sign-in.ts';
import { type ChartSource, history, releaseWindows, restarts, routes } from '../charts/queries.ts';
import { hostDetail, unitList } from '../charts/view.ts';
import type { Ingest } from '../intake/ingest.ts';
import { rangeOf, subjectOf, wrongQuery } from './query.ts';

/** Adds them to the application. */
export function figureRoutes(app: Hono<Env>, source: ChartSource, ingest: Ingest): void {
  app.get('/api/history', async (c) => {
    const subject = subjectOf(c, source);
    const range = rangeOf(c);
    if (subject === undefined || range === undefined) return wrongQuery(c);
    return c.json(await history(source, subject, range, Date.now()));
  });
  app.get('/api/routes', async (c) => {
    const range = rangeOf(c);
    const name = c.req.query('app');
    if (range === undefined || name === undefined) return wrongQuery(c);
    const { baseline, candidate } = c.req.query();
    const compare = baseline !== undefined && candidate !== undefined ? { baseline, candidate } : undefined;
    return c.json(await routes(source, name, range, Date.now(), compare));
  });
  app.get('/api/release', async (c) => {
    const range = rangeOf(c);
    const { app: name, release } = c.req.query();
    if (range === undefined || name === undefined || release === undefined) return wrongQuery(c);
    return c.json({ windows: await releaseWindows(source, name, release, range, Date.now()) });
  });
  app.get('/api/host/:name', async (c) => {
    const host = ingest.fleet.get(c.req.param('name'));
    if (host === undefined) return c.json({ error: 'There is no such host.' }, 404);
    const now = Date.now();
    const day = { from: now - 86_400_000, to: now };
    return c.json(hostDetail(host.latest, await restarts(source, host.name, day, now)));
  });
  app.get('/api/units', (c) => {
    const { state, host } = c.req.query();
    return c.json(unitList(ingest.fleet.values(), { state, host }));
  });
}
