/** Removes releases that are no longer kept, and what only they needed. */
import { INCOMING, MIGRATED, NODE_ROOT } from '../contract/places.ts';
import { DEPENDENCIES } from './build/dependencies.ts';
import { BUILDS } from './build/tree.ts';
import type { Host } from './host.ts';
import type { Scene } from './scene.ts';

/** flock's exit code where somebody else holds the lock. */
const LOCKED = 1;
const DAY_MS = 24 * 3600 * 1000;

export async function prune({ host, root }: Scene, releases: readonly string[]): Promise<void> {
  for (const release of releases) {
    if (!(await inUse(host, `${root}/releases/${release}`))) await host.remove(`${root}/releases/${release}`);
  }
  await pruneLinked(host, root, 'dependencies', DEPENDENCIES);
  await pruneLinked(host, root, 'build', BUILDS);
  const manifests = await allManifests(host);
  for (const version of await host.list(NODE_ROOT)) {
    const used = manifests.some((text) => text.includes(`"node":"${version}"`));
    const own = host.executable.startsWith(`${NODE_ROOT}/${version}/`);
    if (!used && !own) await host.remove(`${NODE_ROOT}/${version}`);
  }
  for (const war of await host.list(MIGRATED)) {
    if (!war.endsWith('.war')) continue;
    const hash = war.slice(0, -'.war'.length);
    const used = manifests.some((text) => text.includes(`"artifact":"${hash}"`));
    if (!used) await host.remove(`${MIGRATED}/${war}`);
  }
  for (const name of await host.list(INCOMING)) {
    const changed = await host.changedAt(`${INCOMING}/${name}`);
    if (changed !== undefined && host.now() - changed > DAY_MS) await host.remove(`${INCOMING}/${name}`);
  }
}

/** A job that began in the release holds a lock on it: it goes with a later deploy. */
async function inUse(host: Host, folder: string): Promise<boolean> {
  const { code } = await host.run('flock', '--nonblock', `${folder}/release.json`, 'true');
  return code === LOCKED;
}

/** Removes what no release of the application has a link to any more. */
async function pruneLinked(host: Host, root: string, link: string, below: string): Promise<void> {
  const used = new Set<string | undefined>();
  for (const release of await host.list(`${root}/releases`)) {
    used.add((await host.readLink(`${root}/releases/${release}/${link}`))?.split('/').at(-1));
  }
  for (const name of await host.list(`${root}/${below}`)) {
    if (!used.has(name)) await host.remove(`${root}/${below}/${name}`);
  }
}

/** Of all applications, which share Node and migrated WARs. */
async function allManifests(host: Host): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const app of await host.list('/srv')) {
    for (const release of await host.list(`/srv/${app}/releases`)) {
      const text = await host.read(`/srv/${app}/releases/${release}/release.json`);
      if (text !== undefined) texts.push(text);
    }
  }
  return texts;
}
