/**
 * A guard's order, in a folder of the application. Its unit is enabled, so neither reboot nor kill ends the
 * watch; files decide what is left to do (`reason`: the release has failed; the weights: who serves).
 */
import { colourLink, settingsFolder } from '../contract/places.ts';
import type { GuardOrder, Placed } from '../contract/release.ts';
import { rolloutFolder } from '../contract/rollout.ts';
import { disableGuard, enableGuard, serving } from './colours.ts';
import type { Host } from './host.ts';

export interface GuardState {
  readonly watched: Placed;
  readonly order: GuardOrder;
}

export function guardFolder(app: string): string {
  return `${settingsFolder(app)}/guard`;
}

/** Where a watch waits while another release takes over, which may fail. */
function suspendedFolder(app: string): string {
  return `${settingsFolder(app)}/guard-suspended`;
}

function guardUnit(app: string): string {
  return `pipeline-guard@${app}.service`;
}

export async function beginGuard(host: Host, { watched, order }: GuardState): Promise<void> {
  const { manifest, slot, colour, instances, processes, jobs } = watched;
  const state: GuardState = { watched: { manifest, slot, colour, instances, processes, jobs }, order };
  const { app } = manifest;
  const folder = guardFolder(app);
  await host.remove(folder);
  await host.makeFolder(folder, 0o700);
  await host.write(`${folder}/until`, `${host.now() + order.watch}\n`, 0o600);
  await host.write(`${folder}/previous`, `${order.previous.manifest.release}\n`, 0o600);
  await host.write(`${folder}/release`, `${manifest.release}\n`, 0o600);
  await host.write(`${folder}/order.json`, JSON.stringify(state), 0o600);
  await watchOn(host, app);
}

async function watchOn(host: Host, app: string): Promise<void> {
  await enableGuard(host, app);
  await host.restart(guardUnit(app));
}

/**
 * Suspends the watch over the previous release; ends one that has gone back already, or that an older
 * pipeline began. It stays enabled: a host that reboots in between goes on with it.
 */
export async function suspendGuard(host: Host, app: string): Promise<void> {
  const folder = guardFolder(app);
  if (!(await host.exists(folder))) return;
  await host.stop(guardUnit(app));
  await host.remove(suspendedFolder(app));
  if (await watches(host, folder)) {
    await host.rename(folder, suspendedFolder(app));
    return;
  }
  await disableGuard(host, app);
  await host.remove(folder);
}

/** Goes on with a suspended watch, if what it watched serves on and its time is not over. */
export async function resumeGuard(host: Host, app: string): Promise<void> {
  // It was stopped, and not moved away any more.
  const stopped = await watches(host, guardFolder(app));
  if (stopped || (await takeUpGuard(host, app))) await watchOn(host, app);
}

/** @returns whether there was one to go on with: it is in its place again. */
export async function takeUpGuard(host: Host, app: string): Promise<boolean> {
  const folder = suspendedFolder(app);
  if (!(await watches(host, folder))) return false;
  const { watched } = JSON.parse((await host.read(`${folder}/order.json`)) ?? '') as GuardState;
  if (host.now() >= Number(await host.read(`${folder}/until`))) return false;
  if ((await serving(host, app)) !== watched.colour || (await host.exists(rolloutFolder(app)))) return false;
  const release = `releases/${watched.manifest.release}`;
  if ((await host.readLink(colourLink(app, watched.colour))) !== release) return false;
  await host.remove(guardFolder(app));
  await host.rename(folder, guardFolder(app));
  return true;
}

/** Another release stays: the watch over the one before is over. */
export async function forgetSuspended(host: Host, app: string): Promise<void> {
  if (!(await host.exists(suspendedFolder(app)))) return;
  await host.remove(suspendedFolder(app));
  if (!(await host.exists(guardFolder(app)))) await disableGuard(host, app);
}

/** Whether there is a whole order in this folder that has not gone back. */
async function watches(host: Host, folder: string): Promise<boolean> {
  const [order, until, reason] = await Promise.all(
    ['order.json', 'until', 'reason'].map((name) => host.read(`${folder}/${name}`)),
  );
  return order !== undefined && until !== undefined && reason === undefined;
}
