/** A database's content out of one server and into another of the same engine: as a backup. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Context } from '../context.ts';
import { withValues } from '../ssh/script.ts';
import copyIn from './copy-in.sh' with { type: 'text' };
import copyOut from './copy-out.sh' with { type: 'text' };
import { BACKUP_SUFFIX, databaseScript } from './engine.ts';
import { BACKUPS } from './look.ts';
import newest from './newest-backup.sh' with { type: 'text' };
import { runOnDatabaseHost, stageOf } from './run.ts';
import type { AppDatabase, ScriptInput } from './servers.ts';

const LIMIT_MS = 60 * 60_000;

/** Writes what it holds into a file of this machine. @throws Failure kind `host` */
export async function copyOutOf(input: ScriptInput, file: string, context: Context): Promise<void> {
  await intoFile(input.database, databaseScript(input, copyOut), file, [input.password], context);
}

/**
 * Writes the newest backup that its host keeps (one is made before each deploy) into a file of this machine.
 * @returns false: there is none
 * @throws Failure kind `host`
 */
export async function newestBackup(database: AppDatabase, file: string, context: Context): Promise<boolean> {
  const { app, key, definition } = database;
  const values = { backups: `${BACKUPS}/${app}/${key}`, suffix: BACKUP_SUFFIX[definition.engine] };
  return (await intoFile(database, withValues(newest, values), file, [], context)) > 0;
}

/** What a script on the host prints. @returns bytes */
async function intoFile(
  database: AppDatabase,
  script: string,
  file: string,
  secrets: readonly string[],
  context: Context,
): Promise<number> {
  const to = createWriteStream(file, { mode: 0o600 });
  let bytes = 0;
  try {
    await database.host.connection.check(script, {
      label: `${stageOf(database)}: copy`,
      timeoutMs: LIMIT_MS,
      signal: context.signal,
      secrets,
      onOutput: async (chunk) => {
        bytes += chunk.length;
        if (!to.write(chunk)) await once(to, 'drain');
      },
    });
  } finally {
    to.end();
    await finished(to);
  }
  return bytes;
}

/** Replaces what it holds by a file that `copyOutOf` wrote, or a backup. @throws Failure kind `host` */
export async function copyInto(input: ScriptInput, file: string, context: Context): Promise<void> {
  const { database, password } = input;
  const { app, key, host } = database;
  const sent = `/var/lib/pipeline/copy-${app}.${key}`;
  await host.connection.upload({ path: file }, sent, { mode: '0600', signal: context.signal });
  const run = {
    script: databaseScript(input, copyIn, { sent }),
    secrets: [password],
    timeoutMs: LIMIT_MS,
    doing: 'the copy',
    next: 'The whole output: the same command with --verbose.',
  };
  await runOnDatabaseHost(database, run, context);
}
