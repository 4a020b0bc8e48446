/** What people do on the page: silence, end a silence, take a trouble, give it back. Admins alone. */
import type { Context, Hono } from 'hono';
import * as z from 'zod';
import { EVERYTHING, LONGEST_SILENCE_MS } from '../../alerts/silence.ts';
import { duration } from '../../format.ts';
import type { Env } from '../access/sign-in.ts';
import type { Audit } from '../events/audit.ts';
import { addSilence, endSilence } from '../events/silences.ts';
import { firing, giveBackTroubles, takeTroubles } from '../events/taken.ts';
import type { Redis } from '../store/redis.ts';

export interface Acting {
  readonly redis: Redis;
  readonly audit: Audit;
  /** Hosts, applications and rules that alerts can be about. */
  readonly subjects: () => ReadonlySet<string>;
}

const silence = z.strictObject({
  subject: z.string().min(1).max(253),
  ms: z.number().positive().max(LONGEST_SILENCE_MS),
  why: z.string().trim().min(1).max(200),
});
const ended = z.strictObject({ subject: z.string().min(1).max(253) });
const taking = z.strictObject({ key: z.string().min(1).max(1000), end: z.boolean().default(false) });

/** Adds them to the application. */
export function actRoutes(app: Hono<Env>, { redis, audit, subjects }: Acting): void {
  for (const path of ['/api/silences', '/api/silences/end', '/api/taken'])
    app.use(path, async (c, next) => {
      if (c.req.method === 'POST' && c.get('user').role !== 'admin')
        return c.json({ error: 'Only an admin does that.' }, 403);
      return next();
    });
  app.post('/api/silences', async (c) => {
    const wanted = silence.safeParse(await c.req.json().catch(() => undefined));
    if (!wanted.success) return refused(c, 'Say about what, for how long (30 days at most), and why.');
    const { subject, ms, why } = wanted.data;
    if (subject !== EVERYTHING && !subjects().has(subject)) return refused(c, 'No alert is about that.');
    const by = c.get('user').name;
    await audit({ by, action: 'silence', subject, message: `for ${duration(ms)}: ${why}` });
    const from = Date.now();
    return c.json(await addSilence(redis, { subject, from, until: from + ms, by, why }));
  });
  app.post('/api/silences/end', async (c) => {
    const wanted = ended.safeParse(await c.req.json().catch(() => undefined));
    if (!wanted.success) return refused(c, 'Say which silence ends.');
    const { subject } = wanted.data;
    if (!(await endSilence(redis, subject))) return c.json({ error: 'It is not silenced any more.' }, 404);
    await audit({ by: c.get('user').name, action: 'unsilence', subject });
    return c.json({});
  });
  app.post('/api/taken', async (c) => {
    const wanted = taking.safeParse(await c.req.json().catch(() => undefined));
    if (!wanted.success) return refused(c, 'Say which alert.');
    const { key, end } = wanted.data;
    const by = c.get('user').name;
    const [alert] = (await firing(redis, key)).filter((one) => one.key === key);
    if (alert === undefined) return c.json({ error: 'It does not fire any more.' }, 404);
    const { subject, message } = alert;
    await audit({ by, action: end ? 'unacknowledge' : 'acknowledge', subject, message });
    if (end) await giveBackTroubles(redis, key);
    else await takeTroubles(redis, key, { by, at: Date.now() });
    return c.json({});
  });
}

function refused(c: Context, error: string) {
  return c.json({ error }, 400);
}
