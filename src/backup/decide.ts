/** Which backup is meant, and what its restore would lose: pure. */
import type { BackupItem, PendingRestore, RestoreOrder, Snapshot } from '../contract/backup.ts';
import { itemName } from '../contract/backup.ts';
import { Failure } from '../errors.ts';
import { age } from '../format.ts';
import { describeItem } from './coverage.ts';

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * What was meant by WHEN: nothing (the newest), the beginning of a backup's identifier, how long ago (`2h`),
 * or a time (`2026-11-28`, `2026-11-28T03:00`): then the newest that is no younger.
 * @param snapshots of one item, newest first
 * @throws Failure kind `usage`: there is none
 */
export function chosenSnapshot(
  item: BackupItem,
  snapshots: readonly Snapshot[],
  when: string | undefined,
  now: number,
): Snapshot {
  const own = snapshots.filter((one) => one.item === itemName(item));
  const found =
    when === undefined
      ? own.find(({ before }) => !before)
      : (own.find(({ id }) => when.length >= 4 && id.startsWith(when)) ?? notAfter(own, when, now));
  if (found !== undefined) return found;
  const oldest = own.at(-1);
  const have =
    oldest === undefined ? 'there is none' : `the oldest is of ${new Date(oldest.at).toISOString()}`;
  throw new Failure(
    'usage',
    `there is no backup of ${describeItem(item)}${when === undefined ? '' : ` as of ${when}`}: ${have}`,
    { next: 'pipeline backup list shows those that there are.' },
  );
}

function notAfter(own: readonly Snapshot[], when: string, now: number): Snapshot | undefined {
  const limit = timeOf(when, now);
  if (limit === undefined)
    throw new Failure('usage', `"${when}" is neither a time nor a backup`, {
      next:
        'Write a time like 2h, 2026-11-28 or 2026-11-28T03:00 (UTC), or an identifier of ' +
        'pipeline backup list.',
    });
  return own.find(({ at, before }) => at <= limit && !before);
}

/** The end of a day, a minute or a second that is named; UTC unless it says otherwise. */
function timeOf(when: string, now: number): number | undefined {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(when) ?? [];
  if (unit !== undefined) return now - Number(count) * UNITS[unit as keyof typeof UNITS];
  const [, day, time, zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?))?(Z|[+-]\d\d:\d\d)?$/.exec(when) ?? [];
  if (day === undefined) return undefined;
  const full = time === undefined ? '23:59:59' : time.length === 5 ? `${time}:59` : time;
  const at = Date.parse(`${day}T${full}${zone}`);
  return Number.isNaN(at) ? undefined : at + 999;
}

/** What is done about one thing. */
export interface PlannedRestore {
  readonly order: RestoreOrder;
  /** Host that has it. */
  readonly host: string;
  /** An earlier run was ended while this took its place: it is finished, whatever else is asked for. */
  readonly resumed: boolean;
}

/**
 * Orders for the items of one host. What an earlier run left in the middle of replacing comes first.
 * @throws Failure kind `usage` as `chosenSnapshot` does
 */
export function plannedRestores(
  host: string,
  items: readonly BackupItem[],
  snapshots: readonly Snapshot[],
  pending: readonly PendingRestore[],
  asked: { readonly when: string | undefined; readonly into: string | null; readonly now: number },
): readonly PlannedRestore[] {
  return items.map((item) => {
    const name = itemName(item);
    const half = pending.find((one) => itemName(one.order.item) === name && one.phase === 'replacing');
    if (half !== undefined) return { order: half.order, host, resumed: true };
    const { id, at } = chosenSnapshot(item, snapshots, asked.when, asked.now);
    return { order: { item, snapshot: id, at, into: asked.into }, host, resumed: false };
  });
}

/** What people are told before they say yes. */
export function lossWords({ order, resumed }: PlannedRestore, now: number): string {
  const what = describeItem(order.item);
  const at = new Date(order.at).toISOString().slice(0, 16).replace('T', ' ');
  if (resumed) return `An earlier restore of ${what} to ${at} UTC was interrupted: this finishes it.`;
  if (order.into !== null) return `${what} as of ${at} UTC comes into ${order.into}; nothing is replaced.`;
  return (
    `${what} goes back to ${at} UTC: what was written in the last ${minutes(now - order.at)} is lost ` +
    '(what is there now is backed up first).'
  );
}

/** `14 minutes`, and in hours or days where that says more. */
export function minutes(ms: number): string {
  const count = Math.max(1, Math.ceil(ms / 60_000));
  const more = count >= 90 ? ` (${age(ms)})` : '';
  return `${count} minute${count === 1 ? '' : 's'}${more}`;
}
