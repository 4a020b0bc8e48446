/**
 * Who did what on the page: a line of the monitor's audit log, and an event. What is not written there is not
 * done.
 */
import { appendFile } from 'node:fs/promises';
import type { Redis } from '../store/redis.ts';
import { recordEvent } from './events.ts';

interface Done {
  /** User of the dashboard. */
  readonly by: string;
  readonly action: string;
  readonly subject: string;
  readonly message?: string;
}
export type Audit = (done: Done) => Promise<void>;

export interface AuditPlaces {
  /** Of the log; undefined: the events alone. */
  readonly path: string | undefined;
  /** What there is: the event is that of the host or the application. */
  readonly hosts: () => Iterable<string>;
  readonly apps: () => Iterable<string>;
}

export function auditTo(redis: Redis, { path, hosts, apps }: AuditPlaces): Audit {
  return async ({ by, action, subject, message = '' }) => {
    const now = Date.now();
    const entry = { at: new Date(now).toISOString(), by, action, result: 'done', subject };
    const line = JSON.stringify(message === '' ? entry : { ...entry, message });
    if (path !== undefined) await appendFile(path, `${line}\n`, { mode: 0o640 });
    const text = [`${action} ${subject}`, message].filter((part) => part !== '').join(': ');
    const app = [...apps()].includes(subject) ? subject : '';
    const host = [...hosts()].includes(subject) ? subject : '';
    const event = { kind: 'change', app, host, release: '', commit: '', result: 'done' } as const;
    await recordEvent(redis, { ...event, by, text: text.slice(0, 300) }, now);
  };
}
