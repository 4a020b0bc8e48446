/** Answers with lines of logs, read from the hosts at that moment. */
import type { Hono } from 'hono';
import { LEVELS } from '../../logs/level.ts';
import type { Env, Request } from '../access/sign-in.ts';
import type { Ingest } from '../intake/ingest.ts';
import type { Asking, LogReader, LogsWanted } from '../logs/ask.ts';
import { rangeOf } from './query.ts';

const LINES = 1_000;
const NAME = /^[A-Za-z0-9][\w.-]{0,252}$/;

/** Adds them to the application. */
export function logRoutes(
  app: Hono<Env>,
  ingest: Pick<Ingest, 'hostsOf' | 'fleet'>,
  reader: LogReader,
): void {
  app.get('/api/logs', async (c) => {
    const wanted = logsWanted(c, ingest);
    if (wanted === undefined)
      return c.json({ error: 'Give app or host, and from and to in milliseconds since 1970.' }, 400);
    if (wanted.hosts.length === 0) return c.json({ error: 'No host is known for it yet.' }, 404);
    const page = reader.read(JSON.stringify(keyOf(wanted)), wanted);
    if (page === undefined)
      return c.json({ error: 'Too many people read logs right now. Try again in a moment.' }, 429);
    return c.json(await page);
  });
}

function logsWanted(c: Request, ingest: Pick<Ingest, 'hostsOf' | 'fleet'>): LogsWanted | undefined {
  const range = rangeOf(c);
  const { app, host, q = '', level, release = '', requests } = c.req.query();
  if (range === undefined || q.length > 200 || /[\r\n]/.test(q)) return undefined;
  if ([app, host, release].some((name) => name !== undefined && name !== '' && !NAME.test(name)))
    return undefined;
  const known = app === undefined ? [...ingest.fleet.keys()] : ingest.hostsOf(app);
  if (app === undefined && host === undefined) return undefined;
  const asked: Asking = {
    app,
    ...range,
    text: q === '' ? undefined : q,
    level: LEVELS.find((one) => one === level),
    release: release === '' ? undefined : release,
    requests: requests === 'yes' && app !== undefined ? 'yes' : 'no',
    lines: LINES,
  };
  return { asked, hosts: known.filter((name) => host === undefined || name === host) };
}

/** Ranges that end now differ by a moment: they are the same question within a second. */
function keyOf({ hosts, asked }: LogsWanted) {
  const { from, to, ...rest } = asked;
  return { hosts, ...rest, from: Math.floor(from / 1000), to: Math.floor(to / 1000) };
}
