/** When this host was backed up last, and whether that comes back: what backups say of themselves. */
import { readFileSync } from 'node:fs';
import type { BackupStatus } from '../../contract/backup.ts';
import { BACKUP_STATUS } from '../../contract/backup-paths.ts';
import type { Row } from '../../metrics/catalogue.ts';
import type { Collector } from '../collector.ts';
import { parseLine } from '../logs/json-line.ts';

const EVERY_SECONDS = 30;

/** The rows of a status; none where it is none. Not by its schema: the agent does without that library. */
export function backupRows(text: string): readonly Row<'backups'>[] {
  const { every, items } = (parseLine(text) ?? {}) as Partial<BackupStatus>;
  if (typeof every !== 'number' || !Array.isArray(items)) return [];
  const seconds = (ms: unknown) => (typeof ms === 'number' ? ms / 1000 : null);
  const words = (value: unknown) => (typeof value === 'string' ? value.slice(0, 256) : '');
  return (items as readonly Partial<BackupStatus['items'][number]>[]).map((one) => ({
    item: words(one.item).slice(0, 128),
    at: seconds(one.at),
    since: seconds(one.since),
    every: every / 1000,
    bytes: typeof one.bytes === 'number' ? one.bytes : null,
    error: words(one.error),
    verified: seconds(one.verifiedAt),
    verify_error: words(one.verifyError),
  }));
}

export function backupCollector(path = BACKUP_STATUS): Collector {
  return {
    name: 'backups',
    everySeconds: EVERY_SECONDS,
    collect() {
      let text: string;
      try {
        text = readFileSync(path, 'utf8');
      } catch (error) {
        // No backups here.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
        throw error;
      }
      return { backups: backupRows(text) };
    },
  };
}
