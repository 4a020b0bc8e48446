/** Brings an application's data back, on all the hosts that have a part of it. */
import type { Config } from '../config/schema.ts';
import type { Context } from '../context.ts';
import type { PendingRestore, Snapshot } from '../contract/backup.ts';
import { whoami } from '../environment/audit.ts';
import { Failure } from '../errors.ts';
import type { AppOnHosts, ReleaseHost } from '../release/index.ts';
import { coveredOn, itemsOf } from './coverage.ts';
import { type PlannedRestore, plannedRestores } from './decide.ts';
import { onHost } from './on-host.ts';
import { standStill, startAgain } from './standstill.ts';

/** A host with the entries of `hosts:` that it belongs to. */
export interface BackedUpHost extends ReleaseHost {
  readonly groups: readonly string[];
}

export interface RestoreRequest {
  readonly config: Config;
  readonly app: string;
  /** Key of a database, or `files`; absent: all of it. */
  readonly key: string | undefined;
  /** As `chosenSnapshot` reads it; absent: the newest. */
  readonly when: string | undefined;
  readonly into: string | null;
}

/** What is done on one host. */
export interface HostRestore {
  readonly host: BackedUpHost;
  readonly planned: readonly PlannedRestore[];
}

/**
 * Asks the hosts what they have. Touches nothing.
 * @throws Failure kind `usage`: there is no such key, or no such backup
 */
export async function planRestore(
  { config, app, key, when, into }: RestoreRequest,
  hosts: readonly BackedUpHost[],
  context: Context,
): Promise<readonly HostRestore[]> {
  const wanted = hosts.flatMap((host) => {
    const items = itemsOf(coveredOn(config, host.groups), app, key);
    return items.length === 0 ? [] : [{ host, items }];
  });
  const count = wanted.reduce((sum, { items }) => sum + items.length, 0);
  if (count === 0) throw unknownKey(config, app, key, hosts);
  if (into !== null && count > 1)
    throw new Failure('usage', `--into is for one thing, and ${app} has ${count}`, {
      next: `Name one: pipeline restore ${app} KEY --into ${into}`,
    });
  const now = context.now().getTime();
  return Promise.all(
    wanted.map(async ({ host, items }) => {
      const { snapshots, pending } = await known(host, context);
      const own = snapshots.filter((one) => one.host === host.name);
      const there = key === undefined ? items.filter((item) => hasAny(item, own, pending)) : items;
      if (there.length === 0) throw noBackup(app, host);
      const asked = { when, into, now };
      return { host, planned: plannedRestores(host.name, there, own, pending, asked) };
    }),
  );
}

function hasAny(
  item: Parameters<typeof plannedRestores>[1][number],
  snapshots: readonly Snapshot[],
  pending: readonly PendingRestore[],
): boolean {
  const name = 'app' in item ? `${item.app}/${item.key}` : item.kind;
  return (
    snapshots.some((one) => one.item === name) ||
    pending.some(({ order }) => 'app' in order.item && `${order.item.app}/${order.item.key}` === name)
  );
}

async function known(host: BackedUpHost, context: Context) {
  const pending = (await onHost(host.connection, ['pending'], context)).the('pending').restores;
  const listed = await onHost(host.connection, ['list'], context);
  return { pending, snapshots: listed.the('snapshots').snapshots };
}

function unknownKey(
  config: Config,
  app: string,
  key: string | undefined,
  hosts: readonly BackedUpHost[],
): Failure {
  const keys = hosts.flatMap(({ groups }) =>
    itemsOf(coveredOn(config, groups), app).flatMap((item) => ('app' in item ? [item.key] : [])),
  );
  const has = keys.length === 0 ? 'has nothing that is backed up' : `has ${[...new Set(keys)].join(', ')}`;
  return new Failure('usage', `${app} ${has}${key === undefined ? '' : `, and no ${key}`}`, {
    next: 'Databases are named by their key in databases:, folders of persist: are files, the rest is state.',
  });
}

function noBackup(app: string, { name }: BackedUpHost): Failure {
  return new Failure('usage', `there is no backup of ${app} of the host ${name}`, {
    next: 'pipeline backup list shows those that there are; pipeline backup now makes one.',
  });
}

/**
 * Loads everything beside what is there, then stops the application, and puts all of it in place. After a
 * kill at any moment, the same call finishes it; until then the application stands still.
 * @param runs the application on the hosts that run it
 * @throws Failure as the hosts say: what was not replaced serves on
 */
export async function restore(
  runs: AppOnHosts,
  work: readonly HostRestore[],
  context: Context,
): Promise<void> {
  const { app } = runs;
  const by = whoami(context);
  const all = work.flatMap(({ host, planned }) =>
    planned.map(({ order, resumed }) => ({ host, order, resumed })),
  );
  for (const { host, order, resumed } of all)
    if (!resumed) await onHost(host.connection, ['prepare'], context, order);
  if (all.every(({ order }) => order.into !== null)) return;
  await standStill(runs, context);
  let failure: unknown;
  for (const { host, order } of all) {
    if (failure !== undefined) break;
    await onHost(host.connection, ['finish', by], context, order).catch((thrown: unknown) => {
      failure = thrown;
    });
  }
  context.signal.throwIfAborted();
  if (failure !== undefined && (await isHalf(app, work, context))) throw failure;
  await startAgain(runs, context);
  if (failure !== undefined) throw failure;
}

/** Whether something of it was begun to be replaced, and is not done: then nothing may use it. */
async function isHalf(app: string, work: readonly HostRestore[], context: Context): Promise<boolean> {
  const asked = await Promise.all(
    work.map(
      async ({ host }) => (await onHost(host.connection, ['pending'], context)).the('pending').restores,
    ),
  );
  return asked
    .flat()
    .some(({ order, phase }) => phase === 'replacing' && 'app' in order.item && order.item.app === app);
}
