/** What the timer and `pipeline backup` do: back up, look, restore on trial. */

import {
  type BackupEvent,
  type BackupItem,
  type BackupPlan,
  backupPlanSchema,
  type CheckedBackup,
  itemName,
  type Snapshot,
} from '../../contract/backup.ts';
import { BACKUP_PLAN, BACKUP_REPLACING } from '../../contract/backup-paths.ts';
import { AUDIT_LOG } from '../../contract/places.ts';
import { asFailure, Failure } from '../../errors.ts';
import { bytes, counted, duration } from '../../format.ts';
import { DAMAGED, Repository } from './repository.ts';
import { dueTrial, isDue, note, readStatus } from './status.ts';
import { hostContent, isThere, takeBackup } from './take.ts';
import { tryOut } from './trial.ts';
import type { BackupWorld } from './world.ts';

export type Tell = (event: BackupEvent) => void;

/** @throws Failure kind `usage`: this host has no backups */
export async function readPlan(world: BackupWorld): Promise<BackupPlan> {
  const text = await world.files.read(BACKUP_PLAN);
  if (text === undefined)
    throw new Failure('usage', 'this host has no backups', {
      next: 'Add backups: to pipeline.yml, then run: pipeline prod up',
    });
  return backupPlanSchema.parse(JSON.parse(text));
}

/** Items by name; none given: all. @throws Failure kind `usage` for a name that is none */
export function itemsNamed(plan: BackupPlan, names: readonly string[]): readonly BackupItem[] {
  if (names.length === 0) return plan.items;
  return names.map((name) => {
    const found = plan.items.find((item) => itemName(item) === name);
    if (found !== undefined) return found;
    throw new Failure('usage', `this host backs up no ${name}`, {
      next:
        `It backs up ${plan.items.map(itemName).join(', ')}. After a change of pipeline.yml: ` +
        'pipeline prod up',
    });
  });
}

/**
 * Backs up each of the items, and goes on where one fails. Old backups go once the new ones are there.
 * @throws Failure kind `host`: the first failure
 */
export async function backUpItems(
  world: BackupWorld,
  plan: BackupPlan,
  items: readonly BackupItem[],
  by: string,
  tell: Tell,
): Promise<void> {
  const failures: Failure[] = [];
  const repository = await opened(world, plan, items, by);
  for (const item of items) {
    const failure = await backUpOne(world, plan, repository, item, by, tell);
    if (failure !== undefined) failures.push(failure);
  }
  const [first] = failures;
  if (first !== undefined) throw first;
  // What comes after each deploy need not tidy up too.
  if (!items.some((item) => 'app' in item)) return;
  const left = await repository.prune();
  if (left !== '') tell({ event: 'step', item: 'old backups', state: 'failed', detail: left });
}

/** A storage that cannot be used is every item's failure. */
async function opened(
  world: BackupWorld,
  plan: BackupPlan,
  items: readonly BackupItem[],
  by: string,
): Promise<Repository> {
  try {
    return await Repository.open(world, plan);
  } catch (error) {
    const { message } = asFailure(error);
    for (const item of items) await noteFailure(world, plan, item, by, message);
    throw error;
  }
}

async function backUpOne(
  world: BackupWorld,
  plan: BackupPlan,
  repository: Repository,
  item: BackupItem,
  by: string,
  tell: Tell,
): Promise<Failure | undefined> {
  const name = itemName(item);
  const at = world.now();
  tell({ event: 'step', item: name, state: 'started', detail: '' });
  try {
    const content = item.kind === 'host' ? await hostContent(world) : '';
    const written = await takeBackup(world, repository, item);
    const took = world.now() - at;
    const known = { at, error: '', took, content };
    await note(world, plan, item, (before) => ({
      ...before,
      ...known,
      ...(written ?? { snapshot: null, bytes: 0 }),
    }));
    const detail = written === undefined ? 'nothing yet' : `${bytes(written.bytes)} in ${duration(took)}`;
    tell({ event: 'step', item: name, state: 'done', detail });
    if ('app' in item && written !== undefined) await audit(world, item, by, 'done', detail);
    return written && (await tryAgain(world, plan, repository, item, { id: written.snapshot, at }, tell));
  } catch (error) {
    const failure = asFailure(error);
    await noteFailure(world, plan, item, by, failure.message);
    tell({ event: 'step', item: name, state: 'failed', detail: failure.message });
    return failure;
  }
}

/** Where the one before did not come back, the new one may stand on the same damage: it is tried at once. */
async function tryAgain(
  world: BackupWorld,
  plan: BackupPlan,
  repository: Repository,
  item: BackupItem,
  made: Pick<Snapshot, 'id' | 'at'>,
  tell: Tell,
): Promise<Failure | undefined> {
  const { items } = await readStatus(world, plan);
  if (!items.some((one) => one.item === itemName(item) && one.verifyError !== '')) return undefined;
  const { error } = await tryNewest(world, plan, repository, item, made, tell);
  if (error === '') return undefined;
  return new Failure('host', `the new backup of ${itemName(item)} does not come back: ${error}`, {
    next: DAMAGED,
  });
}

/** The audit log has each failure once, however often it is tried again. */
async function noteFailure(
  world: BackupWorld,
  plan: BackupPlan,
  item: BackupItem,
  by: string,
  message: string,
): Promise<void> {
  const status = await readStatus(world, plan);
  const before = status.items.find((one) => one.item === itemName(item));
  await note(world, plan, item, (one) => ({ ...one, error: message }));
  if (before?.error === '') await audit(world, item, by, 'failed', message);
}

export async function audit(
  world: BackupWorld,
  item: BackupItem,
  by: string,
  result: string,
  message: string,
  action = 'backup',
): Promise<void> {
  const about = 'app' in item ? { app: item.app, message: `${item.key}: ${message}` } : { message };
  const line = { at: new Date(world.now()).toISOString(), by, action, result, ...about };
  await world.files.append(AUDIT_LOG, `${JSON.stringify(line)}\n`);
}

/** What the timer does, and what comes after a deploy: whatever is due, which usually is nothing. */
export async function tick(world: BackupWorld, plan: BackupPlan, tell: Tell): Promise<void> {
  // What is on a host that is being made anew is not what its backups are for.
  if (await world.files.exists(BACKUP_REPLACING)) return;
  const now = world.now();
  const status = await readStatus(world, plan);
  const content = await hostContent(world);
  const due: BackupItem[] = [];
  for (const item of plan.items) {
    const known = status.items.find((one) => one.item === itemName(item));
    const isNew = item.kind === 'host' ? known?.content !== content : known?.snapshot === null;
    if (known === undefined || isDue(known, plan.every, now)) due.push(item);
    // One that does not answer says so when it is backed up.
    else if (isNew && (item.kind === 'host' || (await isThere(world, item).catch(() => true))))
      due.push(item);
  }
  const by = `timer@${plan.host}`;
  if (due.length > 0) return backUpItems(world, plan, due, by, tell);
  const trial = dueTrial(status, now);
  const item = plan.items.find((one) => itemName(one) === trial?.item);
  if (item !== undefined) await verifyItems(world, plan, [item], tell);
}

/** Newest first: those of this host, or of another that is gone. */
export async function listSnapshots(world: BackupWorld, plan: BackupPlan): Promise<readonly Snapshot[]> {
  return (await Repository.open(world, plan)).snapshots();
}

/**
 * Restores the newest backup of each on trial. @returns what came of each
 * @throws Failure kind `host`: all of them were tried, and the storage is damaged elsewhere
 */
export async function verifyItems(
  world: BackupWorld,
  plan: BackupPlan,
  items: readonly BackupItem[],
  tell: Tell,
): Promise<readonly CheckedBackup[]> {
  const repository = await Repository.open(world, plan);
  const snapshots = await repository.snapshots();
  const damage = await repository.damage();
  const checked: CheckedBackup[] = [];
  for (const item of items) {
    const newest = snapshots.find(
      (one) => one.item === itemName(item) && one.host === plan.host && !one.before,
    );
    if (newest !== undefined) checked.push(await tryNewest(world, plan, repository, item, newest, tell));
  }
  if (checked.length === 0)
    throw new Failure('usage', `there is no backup yet of ${counted(items.length, 'thing')} asked for`, {
      next: 'Make one: pipeline backup now',
    });
  if (damage !== undefined && checked.every(({ error }) => error === '')) throw damage;
  return checked;
}

async function tryNewest(
  world: BackupWorld,
  plan: BackupPlan,
  repository: Repository,
  item: BackupItem,
  { id, at }: Pick<Snapshot, 'id' | 'at'>,
  tell: Tell,
): Promise<CheckedBackup> {
  const name = itemName(item);
  tell({ event: 'step', item: name, state: 'started', detail: 'restored on trial' });
  const { error, said } = await tryOut(world, repository, item, id);
  const verifyTriedAt = world.now();
  await note(world, plan, item, (before) => ({
    ...before,
    verifyTriedAt,
    verifyError: error,
    verifiedAt: error === '' ? verifyTriedAt : before.verifiedAt,
  }));
  tell({ event: 'step', item: name, state: error === '' ? 'done' : 'failed', detail: error || said });
  return { item: name, snapshot: id, at, error, said };
}
