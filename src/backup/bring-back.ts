/** Brings what a lost host had to the one that replaces it, before anything runs there. */
import type { Context } from '../context.ts';
import { itemName } from '../contract/backup.ts';
import { BACKUP_REPLACING, BACKUP_SERVED } from '../contract/backup-paths.ts';
import { whoami } from '../environment/audit.ts';
import type { Connection } from '../ssh/connection.ts';
import { withValues } from '../ssh/script.ts';
import { type KnownReleases, type LastBackup, lastBackups } from './lost.ts';
import noteReplaced from './note-replaced.sh' with { type: 'text' };
import { onHost } from './on-host.ts';

/** Notes on the host what is done. @returns all that is */
export async function noteDone(
  connection: Connection,
  word: string,
  context: Context,
): Promise<readonly string[]> {
  const script = withValues(noteReplaced, { noted: BACKUP_REPLACING, served: BACKUP_SERVED, word });
  const said = await connection.check(script, { label: 'note what is done', signal: context.signal });
  return said.split('\n').filter((line) => line !== '');
}

/** Whether an earlier run replaced the host and did not finish; false where it does not answer. */
export async function isReplacing(connection: Connection, context: Context): Promise<boolean> {
  const options = { label: 'is it being replaced', signal: context.signal, timeoutMs: 30_000 };
  const { exitCode } = await connection.script(`[ -e ${BACKUP_REPLACING} ]`, options);
  return exitCode === 0;
}

/**
 * Restores the newest backup of each item, each once: what an earlier run brought back has been used since.
 * @returns what came back
 */
export async function bringBack(
  connection: Connection,
  items: Parameters<typeof lastBackups>[1],
  context: Context,
): Promise<readonly LastBackup[]> {
  const host = connection.target.name;
  const done = await noteDone(connection, '', context);
  const { snapshots } = (await onHost(connection, ['list'], context)).the('snapshots');
  const backups = lastBackups(host, items, snapshots);
  // Secrets first: what follows may need them.
  const order = backups.toSorted((a, b) => Number(b.item.kind === 'host') - Number(a.item.kind === 'host'));
  for (const { item, snapshot } of order) {
    const name = itemName(item);
    if (done.includes(name)) continue;
    if (snapshot !== null) {
      const asked = { item, snapshot: snapshot.id, at: snapshot.at, into: null };
      await onHost(connection, ['prepare'], context, asked);
      await onHost(connection, ['finish', whoami(context)], context, asked);
    }
    await noteDone(connection, name, context);
  }
  return backups;
}

/** What a host says that it serves, and what the one before it served. */
export async function servedOn(connection: Connection, context: Context): Promise<KnownReleases> {
  const { releases, before } = (await onHost(connection, ['served'], context)).the('served');
  return { live: releases, before };
}
