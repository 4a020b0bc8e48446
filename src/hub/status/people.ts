/** What people say on the status page. */
import type { Incident } from '../../alerts/status/incidents.ts';
import { Failure } from '../../errors.ts';
import type { Redis } from '../store/redis.ts';
import { addWords, keepIncident, readIncidents } from './store.ts';

interface Said {
  /** Empty: all. */
  readonly app: string;
  readonly text: string;
  readonly isEnd: boolean;
  readonly now: number;
}

/** The incidents that go on, the newest first. */
export async function goingOn(redis: Redis, now: number): Promise<readonly Incident[]> {
  return (await readIncidents(redis, now)).filter(({ until }) => until === undefined);
}

/**
 * Adds words to the incident that goes on, or opens one; closes it where that is wanted and a person opened
 * it.
 * @throws Failure `usage` where none goes on that could be closed
 */
export async function tellIncident(
  redis: Redis,
  { app, text, isEnd, now }: Said,
): Promise<{ readonly incident: Incident; readonly isNew: boolean }> {
  const mine = (await goingOn(redis, now)).filter((one) => one.app === app);
  // One that a person opened is that person's to close.
  const found = (isEnd ? mine.find(({ reason }) => reason === undefined) : undefined) ?? mine[0];
  if (isEnd && found === undefined)
    throw new Failure('usage', 'No incident goes on that could be closed.', {
      next: 'pipeline monitor incident shows those that go on.',
    });
  if (isEnd && found?.reason !== undefined)
    throw new Failure('usage', 'Alerts opened this incident, and it ends with them.', {
      next: 'Leave --end out to say something of it.',
    });
  const opened: Incident = found ?? { id: `${now}-${app}-said`, app, impact: 'look', from: now };
  const incident = isEnd ? { ...opened, until: now } : opened;
  if (incident !== found) await keepIncident(redis, incident);
  if (text !== '') await addWords(redis, incident.id, { at: now, text });
  return { incident, isNew: found === undefined };
}
