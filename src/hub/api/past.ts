/** Answers about what happened: events, alerts, canaries, rollouts. */
import type { Hono } from 'hono';
import * as z from 'zod';
import type { Env } from '../access/sign-in.ts';
import { pageOfAlerts } from '../events/alert-log.ts';
import { pageOfRuns, readRun } from '../events/canaries.ts';
import { eventSchema, pageOfEvents, recordEvent } from '../events/events.ts';
import { pageOfRollouts, readRollout } from '../events/rollouts.ts';
import type { Redis } from '../store/redis.ts';
import { limitOf, rangeOf, wrongQuery } from './query.ts';

/** Adds them to the application. */
export function pastRoutes(app: Hono<Env>, redis: Redis): void {
  app.get('/api/events', async (c) => {
    const range = rangeOf(c);
    if (range === undefined) return wrongQuery(c);
    const { app: name, host, kind, before } = c.req.query();
    const kinds = kind === undefined ? [] : kind.split(',');
    const query = { ...range, kinds, app: name, host, before, limit: limitOf(c) };
    return c.json(await pageOfEvents(redis, query));
  });
  app.post('/api/events', async (c) => {
    if (c.get('user').role !== 'admin') return c.json({ error: 'Only an admin records events.' }, 403);
    const event = eventSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!event.success) return c.json({ error: z.prettifyError(event.error) }, 400);
    return c.json(await recordEvent(redis, event.data, Date.now()));
  });
  app.get('/api/alert-log', async (c) => {
    const { before, subject: about } = c.req.query();
    if (before !== undefined && !/^\d+-\d+$/.test(before)) return wrongQuery(c);
    return c.json(await pageOfAlerts(redis, { before, subject: about, limit: limitOf(c) }));
  });
  app.get('/api/canaries', async (c) => {
    const { app: name, before } = c.req.query();
    return c.json(await pageOfRuns(redis, { app: name, before, limit: limitOf(c) }));
  });
  app.get('/api/canaries/:id', async (c) => {
    const run = await readRun(redis, c.req.param('id'));
    return run === undefined ? c.json({ error: 'There is no such canary run.' }, 404) : c.json(run);
  });
  app.get('/api/rollouts', async (c) => {
    const { app: name, before } = c.req.query();
    return c.json(await pageOfRollouts(redis, { app: name, before, limit: limitOf(c) }));
  });
  app.get('/api/rollouts/:id', async (c) => {
    const found = await readRollout(redis, c.req.param('id'));
    return found === undefined ? c.json({ error: 'There is no such rollout.' }, 404) : c.json(found);
  });
}
