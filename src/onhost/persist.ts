/** Folders that outlive releases: each release has a link to them. */
import { posix } from 'node:path';
import type { Manifest } from '../contract/manifest.ts';
import { colourLink, persistFolder, systemUser } from '../contract/places.ts';
import { serving } from './colours.ts';
import { failed, type Scene, sayer } from './scene.ts';

/** nginx reads what a site's folder of files has. */
const READER = 'www-data';

/** Links the folders into a release that is being made. `made`: its folder so far. */
export async function linkPersistent(scene: Scene, made: string): Promise<void> {
  const { host, placed } = scene;
  const { app, directory, persist = [] } = placed.manifest;
  for (const name of persist) {
    const kept = persistFolder(app, name);
    const path = posix.join(directory, name);
    await noLinkAbove(scene, made, path);
    const own = `${made}/app/${path}`;
    if ((await host.readLink(own)) === kept) continue;
    if (!(await host.exists(kept))) await seed(scene, name, own);
    await host.remove(own);
    await host.link(kept, own);
    // nginx follows a link to files of the same owner alone.
    await must(scene, 'chown', '-h', systemUser(app), own);
  }
}

/** A link in the artifact could lead out of the release. */
async function noLinkAbove({ host }: Scene, made: string, path: string): Promise<void> {
  const parts = path.split('/');
  for (let count = 1; count < parts.length; count++) {
    const above = parts.slice(0, count).join('/');
    if ((await host.readLink(`${made}/app/${above}`)) === undefined) continue;
    throw failed('place', `persist: ${path} lies below ${above}, which is a link in the artifact`);
  }
}

/** Makes the folder once, from what the artifact has there, and what the live release has. */
async function seed(scene: Scene, name: string, own: string): Promise<void> {
  const { host, placed } = scene;
  const { app } = placed.manifest;
  const kept = persistFolder(app, name);
  const made = `${persistFolder(app, '.new')}`;
  await host.remove(made);
  await host.makeFolder(posix.dirname(kept));
  await host.makeFolder(made);
  for (const from of [own, await liveFolder(scene, name)]) {
    if (from === undefined || (await host.run('test', '-e', from)).code !== 0) continue;
    if ((await host.run('test', '-d', from)).code !== 0) {
      throw failed('place', `persist: ${name} is a file in the artifact, not a folder`);
    }
    await must(scene, 'cp', '-rdT', '--preserve=mode,timestamps', from, made);
  }
  await must(scene, 'chown', '-Rh', `${systemUser(app)}:${READER}`, made);
  await must(scene, 'chmod', '-R', 'u+rwX,g+rX,g-w,o-rwx', made);
  // What is written there later belongs to that group too.
  await must(scene, 'find', made, '-type', 'd', '-exec', 'chmod', 'g+s', '{}', '+');
  await host.rename(made, kept);
  sayer(scene.tell, 'place').running(`${name} outlives releases from now on: ${kept}`);
}

/** Where the live release has it; undefined: nothing is live, or it has a link. */
async function liveFolder({ host, placed }: Scene, name: string): Promise<string | undefined> {
  const { app } = placed.manifest;
  const colour = await serving(host, app);
  if (colour === null) return undefined;
  const live = colourLink(app, colour);
  const text = await host.read(`${live}/release.json`);
  if (text === undefined) return undefined;
  const { directory } = JSON.parse(text) as Manifest;
  const folder = `${live}/app/${posix.join(directory, name)}`;
  return (await host.readLink(folder)) === undefined ? folder : undefined;
}

async function must({ host }: Scene, program: string, ...args: readonly string[]): Promise<void> {
  const { code, said } = await host.run(program, ...args);
  if (code !== 0) throw failed('place', `persist: ${said.trim().split('\n').at(-1) ?? `${program} failed`}`);
}
