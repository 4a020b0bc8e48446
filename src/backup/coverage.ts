/** What is backed up on which host, from what pipeline.yml says. Pure. */
import { databaseHost } from '../config/databases.ts';
import { type BackupsConfig, type Config, type Storage, storageOf } from '../config/schema.ts';
import { type BackupItem, type BackupPlan, FILES_KEY, itemName, STATE_KEY } from '../contract/backup.ts';
import { BACKUP_KEY, BACKUP_KNOWN_HOSTS } from '../contract/backup-paths.ts';
import { PERSIST_ROOT, STATE_ROOT } from '../contract/places.ts';
import { databasePort } from '../database/index.ts';

/**
 * The databases that a host runs, what its applications keep, its secrets, and the monitor's state.
 * @param groups entries of `hosts:` that it belongs to
 */
export function coveredOn(config: Config, groups: readonly string[]): readonly BackupItem[] {
  const apps = Object.entries(config.apps);
  const databases = apps.flatMap(([app, definition]) =>
    Object.entries(definition.databases)
      .filter(([, database]) => groups.includes(databaseHost(definition, database) ?? ''))
      .map(([key, database]): BackupItem => {
        const { engine, name } = database;
        return { kind: 'database', app, key, engine, name, port: databasePort(database) };
      }),
  );
  const folders = apps
    .filter(([, { hosts }]) => hosts.some((one) => groups.includes(one)))
    .flatMap(([app]): BackupItem[] => [
      { kind: 'folder', app, key: FILES_KEY, path: `${PERSIST_ROOT}/${app}` },
      { kind: 'folder', app, key: STATE_KEY, path: `${STATE_ROOT}/${app}` },
    ]);
  const watches = config.monitor !== undefined && groups.includes(config.monitor.host);
  return [...databases, ...folders, { kind: 'host' }, ...(watches ? [{ kind: 'monitor' } as const] : [])];
}

/** One repository for each project: hosts share what is alike in them. */
function repositoryOf(storage: Storage, project: string): Pick<BackupPlan, 'repository' | 'sftp'> {
  if (storage.kind === 'folder') return { repository: `${storage.path}/${project}`, sftp: null };
  if (storage.kind === 's3') return { repository: `s3:${storage.address}/${project}`, sftp: null };
  const { user, host, port, path } = storage;
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${BACKUP_KNOWN_HOSTS}`,
    'ConnectTimeout=20',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
  ].flatMap((option) => ['-o', option]);
  return {
    repository: `sftp:${user}@${host}:${path}/${project}`,
    sftp: ['ssh', '-i', BACKUP_KEY, '-p', String(port), ...options, `${user}@${host}`, '-s', 'sftp'],
  };
}

/** A host among those that are backed up. */
export interface BackedUpHost {
  readonly name: string;
  /** Entries of `hosts:` that it belongs to. */
  readonly groups: readonly string[];
  /** The first of all: it makes the storage. Two at once would make one that nobody can read. */
  readonly first: string;
}

/** What one host is told. */
export function backupPlan(
  config: Config & { readonly backups: BackupsConfig },
  { name, groups, first }: BackedUpHost,
): BackupPlan {
  const { to, every, keep } = config.backups;
  const storage = storageOf(to);
  if (storage === undefined) throw new RangeError('the configuration was checked');
  const items = [...coveredOn(config, groups)];
  const madeBy = storage.kind === 'folder' || name === first ? {} : { madeBy: first };
  return { host: name, every, keep, storage: to, ...repositoryOf(storage, config.project), ...madeBy, items };
}

/** The items of an application, or one of them by its key. */
export function itemsOf(items: readonly BackupItem[], app: string, key?: string): readonly BackupItem[] {
  return items.filter((item) => 'app' in item && item.app === app && (key === undefined || item.key === key));
}

/** Names of items with what they are, for people. */
export function describeItem(item: BackupItem): string {
  switch (item.kind) {
    case 'database':
      return `the database ${item.key} of ${item.app}`;
    case 'folder':
      return `the ${item.key} of ${item.app}`;
    case 'host':
      return 'the secrets of the host';
    case 'monitor':
      return 'the state of the monitor';
    default:
      return itemName(item);
  }
}
