/** The audit log on the hosts: who, what, when, from which commit, with what result. */
import { hostname, userInfo } from 'node:os';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { AUDIT_LOG } from '../contract/places.ts';
import type { Connection } from '../ssh/connection.ts';
import { quote } from '../ssh/quote.ts';

/** One line of the audit log. Never holds a secret. */
export const auditEntrySchema = z.object({
  /** ISO 8601 in UTC. */
  at: z.string(),
  /** `user@machine`. */
  by: z.string(),
  /** `up`, `deploy`, `rollback`, `canary`, … */
  action: z.string(),
  /** `done`, `failed`, … */
  result: z.string(),
  app: z.string().optional(),
  release: z.string().optional(),
  previous: z.string().optional(),
  commit: z.string().optional(),
  ref: z.string().optional(),
  subject: z.string().optional(),
  /** One sentence, e.g. why it failed. */
  message: z.string().optional(),
});
export type AuditEntry = Readonly<z.output<typeof auditEntrySchema>>;

/** Who runs this program: `PIPELINE_USER` where set, else user and machine. */
export function whoami(context: Context): string {
  return context.env.PIPELINE_USER ?? `${userInfo().username}@${hostname()}`;
}

/** Shell command that appends one entry. A line is one write, so entries of several writers do not mix. */
export function auditCommand(entry: AuditEntry): string {
  return (
    `mkdir -p /var/log/pipeline && (umask 0027 && printf '%s\\n' ${quote(JSON.stringify(entry))} ` +
    `>>${AUDIT_LOG})`
  );
}

/** Appends one entry on the host. One round trip. */
export async function audit(connection: Connection, entry: AuditEntry, context: Context): Promise<void> {
  await connection.check(auditCommand(entry), { label: 'write the audit log', signal: context.signal });
}
