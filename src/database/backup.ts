/** Keeps a database aside on its host before a new version touches it. */
import type { Context } from '../context.ts';
import write from './backup.sh' with { type: 'text' };
import { BACKUP_SUFFIX, databaseScript } from './engine.ts';
import { BACKUPS } from './look.ts';
import { runOnDatabaseHost } from './run.ts';
import type { ScriptInput } from './servers.ts';

export interface Backup {
  readonly path: string;
  /** Compressed. */
  readonly bytes: number;
}

/** What must stay free besides the backup itself. */
const SPARE = 64 * 1024 ** 2;
const LIMIT_MS = 2 * 60 * 60_000;

function backupScript(input: ScriptInput, name: string): string {
  const { app, key, definition } = input.database;
  const backups = `${BACKUPS}/${app}/${key}`;
  return databaseScript(input, write, {
    parents: [BACKUPS, `${BACKUPS}/${app}`],
    backups,
    path: `${backups}/${name}.${BACKUP_SUFFIX[definition.engine]}`,
    spare: String(SPARE),
    newest: String(definition.backups),
  });
}

/** @throws Failure kind `host`, before anything was changed */
export async function backUp(input: ScriptInput, name: string, context: Context): Promise<Backup> {
  const run = {
    script: backupScript(input, name),
    secrets: [input.password],
    timeoutMs: LIMIT_MS,
    doing: 'the backup',
    next:
      'Nothing was changed. Make room on the host, or turn backups off with ' +
      `databases.${input.database.key}.backups: 0, and deploy again.`,
  };
  const lines = await runOnDatabaseHost(input.database, run, context);
  const find = (key: string) => lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? '';
  return { path: find('path'), bytes: Number(find('bytes')) };
}
