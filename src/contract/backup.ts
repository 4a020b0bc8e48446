/**
 * Backups of one host: what the operator writes there (BACKUP_PLAN), what `onhost backup` tells, and what the
 * agent reads of it (BACKUP_STATUS).
 */
import * as z from 'zod';

/** Key of an application's folders that outlive its releases (`persist:`). */
export const FILES_KEY = 'files';
/** Key of an application's state folder, which is its home. */
export const STATE_KEY = 'state';

const databaseItem = z.object({
  kind: z.literal('database'),
  app: z.string(),
  key: z.string(),
  engine: z.enum(['mariadb', 'mongodb', 'ferretdb']),
  /** Of the database on its server. */
  name: z.string(),
  port: z.int(),
});
const folderItem = z.object({
  kind: z.literal('folder'),
  app: z.string(),
  key: z.string(),
  path: z.string(),
});
/** Generated secrets, and which releases serve: what a host made anew needs first. */
const hostItem = z.object({ kind: z.literal('host') });
/** Secrets and Redis of the monitor. */
const monitorItem = z.object({ kind: z.literal('monitor') });

const itemSchema = z.discriminatedUnion('kind', [databaseItem, folderItem, hostItem, monitorItem]);
/** One thing that is backed up by itself. */
export type BackupItem = Readonly<z.output<typeof itemSchema>>;
export type DatabaseItem = Readonly<z.output<typeof databaseItem>>;
export type FolderItem = Readonly<z.output<typeof folderItem>>;

export const backupPlanSchema = z.object({
  host: z.string(),
  /** Milliseconds. */
  every: z.number(),
  keep: z.object({ daily: z.int(), weekly: z.int() }),
  /** What restic calls it. */
  repository: z.string(),
  /** For people. */
  storage: z.string(),
  /** sftp: the program that reaches it; s3 and a folder: none. */
  sftp: z.array(z.string()).nullable(),
  /** The host that makes a storage which several share, at its first use; absent: this one. */
  madeBy: z.string().optional(),
  items: z.array(itemSchema),
});
export type BackupPlan = Readonly<z.output<typeof backupPlanSchema>>;

/** `shop/orders`, `shop/files`, `host`, `monitor`: names it in tags, in the status and to people. */
export function itemName(item: BackupItem): string {
  return 'app' in item ? `${item.app}/${item.key}` : item.kind;
}

const itemStatusSchema = z.object({
  /** As `itemName` has it. */
  item: z.string(),
  /** When the newest backup was begun, ms since 1970; null: none yet. */
  at: z.number().nullable(),
  /** When it was asked for first: from then on one is due. */
  since: z.number(),
  snapshot: z.string().nullable(),
  bytes: z.number(),
  /** How long it took, ms. */
  took: z.number(),
  /** Why the last attempt failed; empty: it did not. */
  error: z.string(),
  /** What was backed up, where that tells whether there is anything new. */
  content: z.string().default(''),
  /** When one was last restored on trial, ms since 1970; null: never. */
  verifiedAt: z.number().nullable(),
  /** When that was last tried, whatever came of it. */
  verifyTriedAt: z.number().nullable(),
  /** Why that failed; empty: it did not. */
  verifyError: z.string(),
});
export type ItemStatus = Readonly<z.output<typeof itemStatusSchema>>;

export const backupStatusSchema = z.object({
  /** Milliseconds. */
  every: z.number(),
  items: z.array(itemStatusSchema),
});
export type BackupStatus = Readonly<z.output<typeof backupStatusSchema>>;

const snapshotSchema = z.object({
  id: z.string(),
  host: z.string(),
  item: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  /** Taken before a restore replaced what was there. */
  before: z.boolean(),
});
/** One backup in the storage. */
export type Snapshot = Readonly<z.output<typeof snapshotSchema>>;

const checkedSchema = z.object({
  item: z.string(),
  snapshot: z.string(),
  at: z.number(),
  /** Why it does not come back as it was; empty: it does. */
  error: z.string(),
  /** What was compared, for people: `3 tables, 1234 rows`. */
  said: z.string(),
});
export type CheckedBackup = Readonly<z.output<typeof checkedSchema>>;

/** What a restore does, written on the host before it begins. */
export const restoreOrderSchema = z.object({
  item: itemSchema,
  snapshot: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  /** Restore beside what is there, under this name, and leave it alone; null: replace it. */
  into: z.string().nullable(),
});
export type RestoreOrder = Readonly<z.output<typeof restoreOrderSchema>>;

const pendingSchema = z.object({
  order: restoreOrderSchema,
  /** `loading`: nothing was replaced. `ready`: it is beside. `replacing`: it takes its place. */
  phase: z.enum(['loading', 'ready', 'replacing']),
  /** How far the engine is in replacing. */
  step: z.string(),
});
/** A restore that was begun on a host and has not ended: its order, and how far it is. */
export type PendingRestore = Readonly<z.output<typeof pendingSchema>>;
export const pendingRestoreSchema = pendingSchema;

const servedSchema = z.object({
  app: z.string(),
  release: z.string(),
  commit: z.string().nullable(),
  ref: z.string(),
  /** When it was deployed first, ISO 8601 in UTC. */
  at: z.string(),
});
/** The release that an application sends its visitors to on a host. */
export type ServedRelease = Readonly<z.output<typeof servedSchema>>;
export const servedReleasesSchema = z.array(servedSchema);

/** A line that `onhost backup` prints. */
export const backupEventSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('step'),
    item: z.string(),
    state: z.enum(['started', 'done', 'failed']),
    detail: z.string(),
  }),
  z.object({ event: z.literal('snapshots'), snapshots: z.array(snapshotSchema) }),
  z.object({ event: z.literal('checked'), checked: z.array(checkedSchema) }),
  z.object({ event: z.literal('status'), status: backupStatusSchema }),
  z.object({ event: z.literal('end') }),
  z.object({ event: z.literal('pending'), restores: z.array(pendingSchema) }),
  /** `before`: on the host that this one replaces. */
  z.object({
    event: z.literal('served'),
    releases: servedReleasesSchema,
    before: servedReleasesSchema,
  }),
  z.object({
    event: z.literal('failed'),
    kind: z.enum(['usage', 'host']),
    detail: z.string(),
    next: z.string(),
    output: z.array(z.string()),
  }),
]);
export type BackupEvent = Readonly<z.output<typeof backupEventSchema>>;
