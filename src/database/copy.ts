/** A database's content out of one server and into another of the same engine: as a backup. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Context } from '../context.ts';
import copyIn from './copy-in.sh' with { type: 'text' };
import copyOut from './copy-out.sh' with { type: 'text' };
import { databaseScript } from './engine.ts';
import { runOnDatabaseHost, stageOf } from './run.ts';
import type { ScriptInput } from './servers.ts';

const LIMIT_MS = 60 * 60_000;

/** Writes what it holds into a file of this machine. @throws Failure kind `host` */
export async function copyOutOf(input: ScriptInput, file: string, context: Context): Promise<void> {
  const { database, password } = input;
  const to = createWriteStream(file, { mode: 0o600 });
  try {
    await database.host.connection.check(databaseScript(input, copyOut), {
      label: `${stageOf(database)}: copy`,
      timeoutMs: LIMIT_MS,
      signal: context.signal,
      secrets: [password],
      onOutput: async (chunk) => {
        if (!to.write(chunk)) await once(to, 'drain');
      },
    });
  } finally {
    to.end();
    await finished(to);
  }
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
