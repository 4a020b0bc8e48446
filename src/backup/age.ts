/** How old the backups of a host are, as the host itself keeps it. */
import type { Context } from '../context.ts';
import { backupStatusSchema, type ItemStatus } from '../contract/backup.ts';
import { BACKUP_STATUS } from '../contract/backup-paths.ts';
import { age } from '../format.ts';
import type { Connection } from '../ssh/connection.ts';

/** One thing that is backed up. */
export interface BackupAge {
  readonly item: string;
  /** ISO 8601 in UTC; null: never. */
  readonly at: string | null;
  /** There was nothing to back up. */
  readonly empty: boolean;
  /** Why the last attempt failed; empty: it did not. */
  readonly error: string;
  readonly verifiedAt: string | null;
  readonly verifyError: string;
  /** None for twice its interval. */
  readonly late: boolean;
}

/** @returns none where the host has no backups */
export async function backupAges(connection: Connection, context: Context): Promise<readonly BackupAge[]> {
  const options = { label: 'backups', signal: context.signal };
  const text = await connection.check(`cat ${BACKUP_STATUS} 2>/dev/null || true`, options);
  if (text.trim() === '') return [];
  const { every, items } = backupStatusSchema.parse(JSON.parse(text));
  return items.map((one) => ageOf(one, every, context.now().getTime()));
}

/** Pure. */
function ageOf(one: ItemStatus, every: number, now: number): BackupAge {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    item: one.item,
    at: iso(one.at),
    empty: one.at !== null && one.snapshot === null && one.error === '',
    error: one.error,
    verifiedAt: iso(one.verifiedAt),
    verifyError: one.verifyError,
    late: now - (one.at ?? one.since) > 2 * every,
  };
}

/** `3 h ago`, or what went wrong. */
export function ageWords(at: string | null, error: string, now: number): string {
  const last = at === null ? 'never' : `${age(now - Date.parse(at))} ago`;
  return error === '' ? last : `${last}: ${error}`;
}
