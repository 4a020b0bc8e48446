/** `pipeline backup now | list | verify`: what is in the storage, made new, and tried out. */
import { coveredOn, itemsOf } from '../../backup/coverage.ts';
import { onHost } from '../../backup/on-host.ts';
import type { BackedUpHost } from '../../backup/restore.ts';
import type { Config } from '../../config/schema.ts';
import { type BackupItem, type CheckedBackup, itemName, type Snapshot } from '../../contract/backup.ts';
import { whoami } from '../../environment/audit.ts';
import { allSettledOrFirst } from '../../environment/fleet.ts';
import { Failure } from '../../errors.ts';
import { age, bytes } from '../../format.ts';
import { appOf } from '../app-hosts.ts';
import { type BackupPlace, withBackupHosts } from '../backup-hosts.ts';
import { argument, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { table } from '../table.ts';

interface Work {
  readonly host: BackedUpHost;
  readonly items: readonly BackupItem[];
}

/** Hosts that have something of it; of no application: all that they have. */
function workOf(place: BackupPlace, app: string | undefined): readonly Work[] {
  if (app !== undefined) appOf(place.config, app);
  const work = place.hosts.flatMap((host): Work[] => {
    const all = coveredOn(place.config, host.groups);
    const items = app === undefined ? all : itemsOf(all, app);
    return items.length === 0 ? [] : [{ host, items }];
  });
  if (work.length > 0) return work;
  throw new Failure('usage', `${app ?? place.config.project} has nothing that is backed up`, {
    next: 'Databases of applications and what they write to their state folder are.',
  });
}

export const now: Handler<typeof definitions.backupNow> = async (options, session) => {
  const { output, context } = session;
  const app = argument(session, 0);
  return withBackupHosts(session, options.inventory, async (place) => {
    const made = await allSettledOrFirst(
      workOf(place, app).map(async ({ host, items }) => {
        const names = items.map(itemName);
        const answer = await onHost(host.connection, ['now', whoami(context), ...names], context);
        const { items: known } = answer.the('status').status;
        return known
          .filter(({ item }) => names.includes(item))
          .map(({ item, at, snapshot, bytes: size }) => ({
            host: host.name,
            item,
            at,
            snapshot,
            bytes: size,
          }));
      }),
    );
    const backups = made.flat().filter(({ snapshot }) => snapshot !== null);
    for (const line of table(
      ['host', 'what', 'backup', 'size'],
      backups.map((one) => [one.host, one.item, (one.snapshot ?? '').slice(0, 8), bytes(one.bytes)]),
    ))
      output.line(line);
    return { json: { backups } };
  });
};

export const list: Handler<typeof definitions.backupList> = async (options, session) => {
  const app = argument(session, 0);
  return withBackupHosts(session, options.inventory, async (place) => {
    const work = workOf(place, app);
    const answers = await allSettledOrFirst(
      work.map(({ host }) => onHost(host.connection, ['list'], session.context)),
    );
    // Hosts that share a storage each see all of it.
    const all = new Map(
      answers
        .flatMap((answer) => answer.the('snapshots').snapshots)
        .filter(({ item }) => app === undefined || item.startsWith(`${app}/`))
        .map((one) => [one.id, one]),
    );
    const backups = [...all.values()].sort((a, b) => b.at - a.at);
    showList(backups, session);
    return { json: { backups: backups.map((one) => ({ ...one, at: new Date(one.at).toISOString() })) } };
  });
};

function showList(backups: readonly Snapshot[], { output, context }: Session): void {
  if (backups.length === 0) output.line('There is no backup yet. Make one: pipeline backup now');
  const at = context.now().getTime();
  const rows = backups.map((one) => [
    new Date(one.at).toISOString().slice(0, 16).replace('T', ' '),
    `${age(at - one.at)} ago`,
    one.host,
    one.item,
    one.id.slice(0, 8),
    one.before ? 'before a restore' : '',
  ]);
  if (rows.length > 0)
    for (const line of table(['at (UTC)', '', 'host', 'what', 'backup', ''], rows)) output.line(line);
}

export const verify: Handler<typeof definitions.backupVerify> = async (options, session) => {
  const { output, context } = session;
  const app = argument(session, 0);
  return withBackupHosts(session, options.inventory, async (place) => {
    const checked = await allSettledOrFirst(
      workOf(place, app).map(async ({ host, items }) => {
        const answer = await onHost(host.connection, ['verify', ...items.map(itemName)], context);
        return answer.the('checked').checked.map((one) => ({ host: host.name, ...one }));
      }),
    );
    const all = checked.flat();
    const at = context.now().getTime();
    const rows = all.map((one) => [one.host, one.item, `${age(at - one.at)} old`, words(one, session)]);
    for (const line of table(['host', 'what', 'newest backup', 'restored on trial'], rows)) output.line(line);
    const bad = all.filter(({ error }) => error !== '');
    if (bad.length > 0) throw notBack(bad, place.config);
    return { json: { verified: all.map((one) => ({ ...one, at: new Date(one.at).toISOString() })) } };
  });
};

function words({ error, said }: CheckedBackup, { output }: Session): string {
  return error === ''
    ? output.colors.green(said === '' ? 'comes back' : `comes back: ${said}`)
    : output.colors.red(error);
}

function notBack(bad: readonly (CheckedBackup & { readonly host: string })[], { project }: Config): Failure {
  const [first] = bad;
  return new Failure('host', `${bad.length} of the newest backups of ${project} do not come back`, {
    host: first?.host,
    step: 'backup verify',
    output: bad.map(({ host, item, error }) => `${host}: ${item}: ${error}`),
    next:
      'Make new ones, which are tried at once: pipeline backup now. Earlier ones may be well: ' +
      'pipeline backup list',
  });
}
