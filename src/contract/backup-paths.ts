/** Where a host keeps what its backups need and know. */
import { APPS } from './places.ts';

/** Plan, password and keys, for root alone. */
export const BACKUP_FOLDER = '/etc/pipeline/backup';
export const BACKUP_PLAN = `${BACKUP_FOLDER}/plan.json`;
export const BACKUP_PASSWORD = `${BACKUP_FOLDER}/password`;
/** sftp: the private key that signs in, and the server's public one. */
export const BACKUP_KEY = `${BACKUP_FOLDER}/key`;
export const BACKUP_KNOWN_HOSTS = `${BACKUP_FOLDER}/known_hosts`;
/** s3: `ID:SECRET`. */
export const BACKUP_CREDENTIALS = `${BACKUP_FOLDER}/credentials`;
/** What backups know of themselves, and what a restore is at. */
export const BACKUP_STATE = '/var/lib/pipeline/backup';
/** `BackupStatus`. Holds no secret: the agent reads it. */
export const BACKUP_STATUS = `${BACKUP_STATE}/status.json`;
/** What served on the host that this one replaces (`ServedRelease[]`). */
export const BACKUP_SERVED = `${BACKUP_STATE}/replaced.json`;
/** What is done of a replacement, and what is left: names of items; gone once all is done. */
export const BACKUP_REPLACING = `${BACKUP_STATE}/replacing`;
/** Weight of a backup's control group beside services, which have 100. */
export const BACKUP_WEIGHT = 5;
export const BACKUP_UNIT = 'pipeline-backup.service';
export const BACKUP_TIMER = 'pipeline-backup.timer';
export const BACKUP_WATCH = 'pipeline-backup.path';

/** There while an application stands still for a restore, on each of its hosts: its units that ran. */
export function standstillNote(app: string): string {
  return `${APPS}/${app}/stopped`;
}
