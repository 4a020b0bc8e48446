/** What is known of backups on this host, and what is due. */

import {
  type BackupItem,
  type BackupPlan,
  type BackupStatus,
  backupStatusSchema,
  type ItemStatus,
  itemName,
} from '../../contract/backup.ts';
import { BACKUP_STATUS } from '../../contract/backup-paths.ts';
import type { BackupWorld } from './world.ts';

const DAY_MS = 86_400_000;
/** How often a backup is restored on trial by itself. */
export const VERIFY_EVERY_MS = 30 * DAY_MS;
/** A trial that failed is repeated after this. */
const TRY_AGAIN_MS = DAY_MS;

/** Items of the plan, each with what is known of it. Pure. */
export function merged(plan: BackupPlan, known: BackupStatus | undefined, now: number): BackupStatus {
  const items = plan.items.map((item): ItemStatus => {
    const name = itemName(item);
    return (
      known?.items.find((one) => one.item === name) ?? {
        item: name,
        at: null,
        since: now,
        snapshot: null,
        bytes: 0,
        took: 0,
        error: '',
        content: '',
        verifiedAt: null,
        verifyTriedAt: null,
        verifyError: '',
      }
    );
  });
  return { every: plan.every, items };
}

/** Whether it is time for a backup; a tenth early, so that ticks do not make every one late. Pure. */
export function isDue({ at, error }: ItemStatus, every: number, now: number): boolean {
  return at === null || error !== '' || now - at >= every * 0.9;
}

/** The item whose backup is restored on trial next; undefined: none is due. Pure. */
export function dueTrial(status: BackupStatus, now: number): ItemStatus | undefined {
  const waits = ({ at, since, verifiedAt, verifyTriedAt, verifyError }: ItemStatus) => {
    if (at === null) return false;
    if (verifyError !== '') return now - (verifyTriedAt ?? 0) >= TRY_AGAIN_MS;
    return now - (verifiedAt ?? since + DAY_MS - VERIFY_EVERY_MS) >= VERIFY_EVERY_MS;
  };
  const due = status.items.filter(waits);
  return due.sort((a, b) => (a.verifiedAt ?? 0) - (b.verifiedAt ?? 0))[0];
}

export async function readStatus(world: BackupWorld, plan: BackupPlan): Promise<BackupStatus> {
  const text = await world.files.read(BACKUP_STATUS);
  return merged(plan, text === undefined ? undefined : readable(text), world.now());
}

function readable(text: string): BackupStatus | undefined {
  try {
    return backupStatusSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Changes what is known of one item. The agent reads it: it holds no secret. */
export async function note(
  world: BackupWorld,
  plan: BackupPlan,
  item: BackupItem,
  change: (before: ItemStatus) => ItemStatus,
): Promise<void> {
  const status = await readStatus(world, plan);
  const name = itemName(item);
  const items = status.items.map((one) => (one.item === name ? change(one) : one));
  await world.files.write(BACKUP_STATUS, `${JSON.stringify({ ...status, items })}\n`, 0o644);
}
