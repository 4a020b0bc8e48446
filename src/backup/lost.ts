/** What a lost host had, from all who know: pure. */
import type { AppConfig, Config } from '../config/schema.ts';
import type { BackupItem, ServedRelease, Snapshot } from '../contract/backup.ts';
import { itemName } from '../contract/backup.ts';
import { describeItem } from './coverage.ts';
import { minutes } from './decide.ts';

/** The newest backup of each thing that a host had; null: there is none. */
export interface LastBackup {
  readonly item: BackupItem;
  readonly snapshot: Snapshot | null;
}

/** @param snapshots newest first; undefined: nobody is left to ask */
export function lastBackups(
  host: string,
  items: readonly BackupItem[],
  snapshots: readonly Snapshot[],
): readonly LastBackup[] {
  return items.map((item) => {
    const own = snapshots.filter((one) => one.host === host && one.item === itemName(item) && !one.before);
    return { item, snapshot: own[0] ?? null };
  });
}

/**
 * The first sentence of a replacement: what nobody can bring back.
 * @param backups undefined: nobody is left to ask
 */
export function lostWords(host: string, backups: readonly LastBackup[] | undefined, now: number): string {
  if (backups === undefined)
    return `${host} is made anew. How old its newest backup is, no other host can say: the new one will.`;
  const data = backups.filter(({ item }) => item.kind !== 'host');
  const had = data.flatMap(({ snapshot }) => (snapshot === null ? [] : [now - snapshot.at]));
  if (data.length === 0) return `${host} is made anew; nothing that it holds is lost with it.`;
  if (had.length === 0)
    return `${host} is made anew, and all that it held is lost: no backup of it is elsewhere.`;
  return `${host} is made anew, and what was written there in the last ${minutes(Math.max(...had))} is lost.`;
}

/** Each thing with its newest backup, for people. */
export function backupLines(backups: readonly LastBackup[], now: number): readonly string[] {
  return backups.map(({ item, snapshot }) => {
    const what = describeItem(item);
    if (snapshot === null) return `${what}: no backup`;
    const at = new Date(snapshot.at).toISOString().slice(0, 16).replace('T', ' ');
    return `${what}: as of ${at} UTC, ${minutes(now - snapshot.at)} ago`;
  });
}

/** Applications that a group of hosts serves, spreads visitors over, or keeps a database of. */
export function appsOf({ apps }: Config, group: string): readonly string[] {
  const concerns = ({ hosts, site, databases }: AppConfig) =>
    hosts.includes(group) ||
    site.balancer === group ||
    Object.values(databases).some(({ host }) => host === group);
  return Object.entries(apps)
    .filter(([, app]) => concerns(app))
    .map(([name]) => name);
}

/** Releases that hosts tell of. */
export interface KnownReleases {
  /** They serve now: on other hosts, or where the lost one still answers. */
  readonly live: readonly ServedRelease[];
  /** They served when the lost host was backed up last. */
  readonly before: readonly ServedRelease[];
}

/**
 * What served before the loss. What serves elsewhere is true now; a backup may be from before a deploy or a
 * rollback. Where hosts differ, the newest: a release is named by its time.
 */
export function releaseToBring(app: string, { live, before }: KnownReleases): ServedRelease | undefined {
  const newest = (all: readonly ServedRelease[]) =>
    all.filter((one) => one.app === app).sort((a, b) => (a.release < b.release ? 1 : -1))[0];
  return newest(live) ?? newest(before);
}
