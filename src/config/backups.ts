/** What `backups:` says that no single value shows: pure. */
import { type BackupsConfig, storageOf } from './backups-schema.ts';
import type { PathMistake } from './explain.ts';

/** What is missing, or stands beside a kind of storage that does not take it. */
export function checkBackups(backups: BackupsConfig | undefined): PathMistake[] {
  if (backups === undefined) return [];
  const kind = storageOf(backups.to)?.kind;
  if (kind === undefined) return [];
  const { credentials, host_key } = backups;
  const mistakes: PathMistake[] = [];
  if (kind === 'folder' && credentials !== undefined)
    mistakes.push({ path: ['backups', 'credentials'], message: 'are for sftp and s3, not for a folder' });
  if (kind !== 'folder' && credentials === undefined)
    mistakes.push({ path: ['backups'], message: `credentials: must be there for ${kind}` });
  if (kind !== 'sftp' && host_key !== undefined)
    mistakes.push({
      path: ['backups', 'host_key'],
      message: `is for sftp, not for ${kind === 's3' ? 's3' : 'a folder'}`,
    });
  return mistakes;
}
