/** `canary --data`: what both sides' databases are filled with instead of the seed. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AppConfig } from '../config/schema.ts';
import { appDatabases, newestBackup } from '../database/index.ts';
import { Failure } from '../errors.ts';
import { withAppHosts } from './app-hosts.ts';
import type { Session } from './command.ts';

/**
 * Files of this machine by the key of the database.
 * @param what `backup`: the newest that production's hosts keep; else a file, for the only database
 * @param folder where backups are put
 * @throws Failure kind `usage` where there is none
 */
export async function readData(
  what: string,
  app: string,
  { databases }: Pick<AppConfig, 'databases'>,
  folder: string,
  session: Session,
): Promise<ReadonlyMap<string, string>> {
  const keys = Object.keys(databases);
  const [key, ...more] = keys;
  if (key === undefined)
    throw new Failure('usage', `${app} has no database to fill.`, { next: 'Leave out --data.' });
  if (what === 'backup') return newestBackups(app, folder, session);
  if (more.length > 0) {
    throw new Failure(
      'usage',
      `${app} has several databases (${keys.join(', ')}), and --data names one file.`,
      {
        next: 'Take the newest backups of production: --data backup.',
      },
    );
  }
  const file = resolve(session.context.cwd, what);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() === true) return new Map([[key, file]]);
  throw new Failure('usage', `--data: there is no file ${what}.`, {
    next: 'Name a backup of the database, or take the newest of production: --data backup.',
  });
}

async function newestBackups(
  app: string,
  folder: string,
  session: Session,
): Promise<ReadonlyMap<string, string>> {
  return withAppHosts(session, app, undefined, async ({ config, hosts, databaseHosts }) => {
    const definition = config.apps[app];
    if (definition === undefined) throw new Error(`${app} was found before`);
    const found = new Map<string, string>();
    for (const database of appDatabases(app, definition, hosts, databaseHosts)) {
      const file = join(folder, database.key);
      if (!(await newestBackup(database, file, session.context))) {
        throw new Failure('usage', `${database.host.name} keeps no backup of the database ${database.key}.`, {
          host: database.host.name,
          next: 'One is made before each deploy (backups: of the database); or leave out --data.',
        });
      }
      found.set(database.key, file);
    }
    return found;
  });
}
