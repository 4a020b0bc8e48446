/** What the status page is made of, as the hub keeps it. */
import type { Incident, Words } from '../../alerts/status/incidents.ts';
import { DAYS, type Day, dayOf } from '../../alerts/status/page.ts';
import { INCIDENT_WORDS, INCIDENTS, STATUS_DAYS } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';

const KEPT_MS = DAYS * 86_400_000;
const KINDS = ['seen', 'look', 'broken'] as const;

/** Days by application, then by day. */
export type DaysOfApps = ReadonlyMap<string, ReadonlyMap<string, Day>>;

export async function readIncidents(redis: Redis, now: number): Promise<readonly Incident[]> {
  const all = Object.values(await redis.hGetAll(INCIDENTS)).map((text) => JSON.parse(text) as Incident);
  const old = all.filter(({ until = now }) => until < now - KEPT_MS).map(({ id }) => id);
  if (old.length > 0) await redis.multi().hDel(INCIDENTS, old).hDel(INCIDENT_WORDS, old).exec();
  return all.filter(({ id }) => !old.includes(id)).toSorted((a, b) => b.from - a.from);
}

export async function keepIncident(redis: Redis, incident: Incident): Promise<void> {
  await redis.hSet(INCIDENTS, incident.id, JSON.stringify(incident));
}

export async function readWords(redis: Redis): Promise<ReadonlyMap<string, readonly Words[]>> {
  const all = Object.entries(await redis.hGetAll(INCIDENT_WORDS));
  return new Map(all.map(([id, text]) => [id, JSON.parse(text) as Words[]]));
}

/** People say things one after the other: nobody else writes here. */
export async function addWords(redis: Redis, id: string, words: Words): Promise<void> {
  const before = await redis.hGet(INCIDENT_WORDS, id);
  const all = before === null || before === undefined ? [] : (JSON.parse(before) as Words[]);
  await redis.hSet(INCIDENT_WORDS, id, JSON.stringify([...all, words].slice(-50)));
}

/** Adds to what was seen on a day, ms. */
export async function addToDay(redis: Redis, app: string, day: string, more: Day): Promise<void> {
  const multi = redis.multi();
  for (const kind of KINDS)
    if (more[kind] > 0) multi.hIncrBy(STATUS_DAYS, `${day}|${kind}|${app}`, Math.round(more[kind]));
  await multi.exec();
}

/** Forgets what is older. */
export async function readDays(redis: Redis, now: number): Promise<DaysOfApps> {
  const first = dayOf(now - KEPT_MS);
  const apps = new Map<string, Map<string, Day>>();
  const old: string[] = [];
  for (const [field, text] of Object.entries(await redis.hGetAll(STATUS_DAYS))) {
    const [day = '', kind = '', app = ''] = field.split('|');
    if (day <= first) old.push(field);
    else {
      const days = apps.get(app) ?? new Map<string, Day>();
      const before = days.get(day) ?? { seen: 0, look: 0, broken: 0 };
      apps.set(app, days.set(day, { ...before, [kind]: Number(text) }));
    }
  }
  if (old.length > 0) await redis.hDel(STATUS_DAYS, old);
  return apps;
}
