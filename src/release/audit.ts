/** The audit log on the hosts: who, what, when, from which commit, with what result. */
import { hostname, userInfo } from 'node:os';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';

/** One line of `/var/log/pipeline/audit.jsonl`. Never holds a secret. */
export interface AuditEntry {
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** `user@machine`. */
  readonly by: string;
  /** `up`, `deploy`, `rollback`, `canary`, … */
  readonly action: string;
  /** `done`, `failed`, `unchanged`, … */
  readonly result: string;
  readonly app?: string | undefined;
  readonly release?: string | undefined;
  readonly previous?: string | undefined;
  readonly commit?: string | undefined;
  readonly ref?: string | undefined;
  readonly subject?: string | undefined;
  /** One sentence, e.g. why it failed. */
  readonly message?: string | undefined;
}

/** Who runs this program: `PIPELINE_USER` where set, else user and machine. */
export function whoami(context: Context): string {
  return context.env.PIPELINE_USER ?? `${userInfo().username}@${hostname()}`;
}

/** Appends one entry on the host. One round trip; `auditCommand` is the same as text for a script that runs there anyway. */
export async function audit(connection: Connection, _entry: AuditEntry, _context: Context): Promise<void> {
  throw new Failure('internal', `writing the audit log of ${connection.target.name} is being written`);
}
