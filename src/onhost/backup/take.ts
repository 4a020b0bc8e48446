/** Takes one backup: of a database, of a folder, of what the host keeps, of the monitor. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { type BackupItem, type ServedRelease, servedReleasesSchema } from '../../contract/backup.ts';
import { BACKUP_SERVED, BACKUP_STATE } from '../../contract/backup-paths.ts';
import { type Manifest, manifestSchema } from '../../contract/manifest.ts';
import { APPS, appRoot, colourLink, other } from '../../contract/places.ts';
import { Failure } from '../../errors.ts';
import { must } from './engine.ts';
import { engineOf } from './engines.ts';
import type { Repository, Written } from './repository.ts';
import { type BackupWorld, lastLine } from './world.ts';

/** Generated secrets of applications; what is known of databases; those of the monitor. */
const KEPT = [APPS, '/etc/pipeline/databases'];
const MONITOR = '/etc/pipeline/monitor';
const REDIS = '/var/lib/pipeline-redis/appendonlydir';
/** Which releases serve, as a host made anew reads it. */
const SERVED = `${BACKUP_STATE}/releases.json`;
/** Second names for Redis's files, on the same disk, which stay while Redis writes on. */
const REDIS_COPY = '/var/lib/pipeline-redis/.backup';

/** Hooks of a release may take an hour. */
const RELEASE_MS = 2 * 3_600_000;
const RELEASE_PAUSE_MS = 2000;

/** @returns undefined where there is nothing yet @throws Failure kind `host` */
export async function takeBackup(
  world: BackupWorld,
  repository: Repository,
  item: BackupItem,
  before = false,
): Promise<Written | undefined> {
  switch (item.kind) {
    case 'database': {
      const engine = engineOf(world, item);
      if (!(await engine.holdsData())) return undefined;
      const write = (stop?: () => Promise<boolean>) =>
        repository.writeStream(engine.dump(), engine.file, item, { before, stop });
      // Before a restore, nobody releases: its command holds the locks.
      return before ? write() : besideReleases(world, item.app, write);
    }
    case 'folder':
      if (!(await world.files.exists(item.path))) return undefined;
      return repository.writePaths([item.path], item, before);
    case 'host':
      return takeHost(world, repository, item);
    case 'monitor':
      return takeMonitor(world, repository, item);
  }
}

/**
 * A release comes first: its migration would wait for what a dump has locked, and requests behind that. A
 * dump that is under way is given up, and made after it.
 */
async function besideReleases(
  world: BackupWorld,
  app: string,
  write: (stop: () => Promise<boolean>) => Promise<Written | undefined>,
): Promise<Written> {
  const end = world.now() + RELEASE_MS;
  const isReleasing = () => world.isReleasing(app);
  while (world.now() < end) {
    if (await isReleasing()) {
      await world.sleep(RELEASE_PAUSE_MS);
      continue;
    }
    const written = await write(isReleasing);
    if (written !== undefined) return written;
  }
  throw new Failure('host', `releases of ${app} have been under way for ${RELEASE_MS / 3_600_000} h`, {
    next: 'It is tried again once they have ended.',
  });
}

/** Whether there is anything by now of an item of which there was nothing: a deploy may have made it. */
export async function isThere(world: BackupWorld, item: BackupItem): Promise<boolean> {
  if (item.kind === 'database') return engineOf(world, item).holdsData();
  if (item.kind === 'host') return false;
  return world.files.exists(item.kind === 'monitor' ? MONITOR : item.path);
}

/** The release that each application sends its visitors to on this host. */
export async function servedReleases(world: BackupWorld): Promise<readonly ServedRelease[]> {
  const served: ServedRelease[] = [];
  for (const app of await world.files.list('/srv')) {
    const green = await world.weights(app).catch(() => undefined);
    const colour = green !== undefined && green > 50 ? 'green' : 'blue';
    const manifest = (await manifestOf(world, app, colour)) ?? (await manifestOf(world, app, other(colour)));
    if (manifest === undefined) continue;
    const { release, commit, ref, at } = manifest;
    served.push({ app, release, commit, ref, at });
  }
  return served;
}

async function manifestOf(
  { files }: BackupWorld,
  app: string,
  colour: 'blue' | 'green',
): Promise<Manifest | undefined> {
  const target = await files.readLink(colourLink(app, colour));
  if (target === undefined) return undefined;
  const folder = target.startsWith('/') ? target : join(appRoot(app), target);
  const text = await files.read(`${folder}/release.json`);
  return text === undefined ? undefined : manifestSchema.safeParse(JSON.parse(text)).data;
}

/** Tells whether there is anything new: what serves, and the names and values of secrets. */
export async function hostContent(world: BackupWorld): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(await servedReleases(world)));
  for (const app of await world.files.list(APPS)) {
    const folder = `${APPS}/${app}/secrets`;
    for (const name of await world.files.list(folder))
      hash.update(`\0${app}/${name}\0${(await world.files.read(`${folder}/${name}`)) ?? ''}`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** A host that has nothing yet may replace one whose backup has all of it: it must not come before that. */
async function takeHost(
  world: BackupWorld,
  repository: Repository,
  item: BackupItem,
): Promise<Written | undefined> {
  const { files } = world;
  const served = await servedReleases(world);
  const apps = await Promise.all((await files.list(APPS)).map((app) => files.list(`${APPS}/${app}`)));
  if (served.length === 0 && apps.flat().length === 0) return undefined;
  await files.write(SERVED, `${JSON.stringify(served)}\n`, 0o600);
  const there = await existing(world, KEPT);
  return repository.writePaths([SERVED, ...there], item);
}

async function existing({ files }: BackupWorld, paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map(async (path) => ((await files.exists(path)) ? [path] : [])));
  return found.flat();
}

async function takeMonitor(
  world: BackupWorld,
  repository: Repository,
  item: BackupItem,
): Promise<Written | undefined> {
  const there = await existing(world, [MONITOR]);
  if (there.length === 0) return undefined;
  await linkRedis(world);
  try {
    return await repository.writePaths([...there, ...(await existing(world, [REDIS_COPY]))], item);
  } finally {
    await world.files.remove(REDIS_COPY);
  }
}

/**
 * Second names for the files that Redis's manifest lists: those before the last are never written again, the
 * last one grows, and any part of it is a state that Redis had. Once more where Redis changed them meanwhile.
 */
async function linkRedis({ files, sleep, ...world }: BackupWorld): Promise<void> {
  let why = '';
  for (let attempt = 0; attempt < 10; attempt++) {
    await files.remove(REDIS_COPY);
    const listed = (await files.list(REDIS)).find((one) => one.endsWith('.manifest'));
    if (listed === undefined) return;
    const manifest = await files.read(`${REDIS}/${listed}`);
    await files.makeFolder(REDIS_COPY, 0o700);
    const command = { program: 'cp', args: ['-al', `${REDIS}/.`, REDIS_COPY] };
    const linked = await world.run(command);
    why = lastLine(linked);
    if (linked.code === 0 && (await files.read(`${REDIS}/${listed}`)) === manifest) return;
    await sleep(500);
  }
  throw new Failure('host', `Redis's files in ${REDIS} change all the time: ${why}`);
}

/** Puts what `takeMonitor` kept in its place, on a host where nothing runs yet. */
export async function placeMonitor(world: BackupWorld, restored: string): Promise<void> {
  const { files } = world;
  await place(world, `${restored}${MONITOR}`, MONITOR);
  if (!(await files.exists(`${restored}${REDIS_COPY}`))) return;
  await files.makeFolder(dirname(REDIS), 0o750);
  await place(world, `${restored}${REDIS_COPY}`, REDIS);
  // The user comes with the package; without it, systemd gives Redis its folder when it starts.
  if ((await world.run({ program: 'id', args: ['redis'] })).code !== 0) return;
  const args = ['-R', 'redis:redis', dirname(REDIS)];
  await must(world, 'give Redis its files', { program: 'chown', args });
}

/** Puts secrets of applications in their place, and keeps what served for `servedBefore`. */
export async function placeHost(world: BackupWorld, restored: string): Promise<void> {
  const { files } = world;
  const apps = `${restored}${APPS}`;
  for (const app of await files.list(apps)) {
    const secrets = `${apps}/${app}/secrets`;
    if (await files.exists(secrets)) {
      await files.makeFolder(`${APPS}/${app}`);
      await place(world, secrets, `${APPS}/${app}/secrets`);
    }
  }
  const served = await files.read(`${restored}${SERVED}`);
  if (served !== undefined) await files.write(BACKUP_SERVED, served, 0o600);
}

/** What served on the host that this one replaces, as its last backup says. */
export async function servedBefore({ files }: BackupWorld): Promise<readonly ServedRelease[]> {
  const text = await files.read(BACKUP_SERVED);
  return text === undefined ? [] : servedReleasesSchema.parse(JSON.parse(text));
}

/** Moves a folder, also to another disk; what was there goes. */
async function place(world: BackupWorld, from: string, to: string): Promise<void> {
  await world.files.remove(`${to}.new`);
  await must(world, `place ${to}`, { program: 'cp', args: ['-a', from, `${to}.new`] });
  await world.files.remove(to);
  await world.files.move(`${to}.new`, to);
}
