/**
 * A guard's order, in a folder of the application. Its unit is enabled, so neither reboot nor kill ends the
 * watch; files decide what is left to do (`reason`: the release has failed; the weights: who serves).
 */
import { settingsFolder } from '../contract/places.ts';
import type { GuardOrder, Placed } from '../contract/release.ts';
import { disableGuard, enableGuard } from './colours.ts';
import type { Host } from './host.ts';

export interface GuardState {
  readonly watched: Placed;
  readonly order: GuardOrder;
}

export function guardFolder(app: string): string {
  return `${settingsFolder(app)}/guard`;
}

function guardUnit(app: string): string {
  return `pipeline-guard@${app}.service`;
}

export async function beginGuard(host: Host, { watched, order }: GuardState): Promise<void> {
  const { manifest, slot, colour, instances, processes, jobs } = watched;
  const state: GuardState = { watched: { manifest, slot, colour, instances, processes, jobs }, order };
  await watchUntil(host, state, host.now() + order.watch);
}

async function watchUntil(host: Host, state: GuardState, until: number): Promise<void> {
  const { app } = state.watched.manifest;
  const folder = guardFolder(app);
  await host.remove(folder);
  await host.makeFolder(folder, 0o700);
  await host.write(`${folder}/until`, `${until}\n`, 0o600);
  await host.write(`${folder}/previous`, `${state.order.previous.manifest.release}\n`, 0o600);
  await host.write(`${folder}/order.json`, JSON.stringify(state), 0o600);
  await enableGuard(host, app);
  await host.restart(guardUnit(app));
}

/** A watch that was ended before its time. */
export interface EndedGuard {
  readonly state: GuardState;
  readonly until: number;
}

/**
 * Ends the watch over the previous release, also one that an older pipeline began.
 * @returns what to resume it with; undefined: there was none, or it has gone back already
 */
export async function endGuard(host: Host, app: string): Promise<EndedGuard | undefined> {
  const folder = guardFolder(app);
  if (!(await host.exists(folder))) return undefined;
  const [order, until, reason] = await Promise.all(
    ['order.json', 'until', 'reason'].map((name) => host.read(`${folder}/${name}`)),
  );
  await disableGuard(host, app);
  await host.stop(guardUnit(app));
  await host.remove(folder);
  if (order === undefined || until === undefined || reason !== undefined) return undefined;
  return { state: JSON.parse(order) as GuardState, until: Number(until) };
}

/** Goes on with it: what it watched serves on. */
export async function resumeGuard(host: Host, ended: EndedGuard | undefined): Promise<void> {
  if (ended !== undefined && host.now() < ended.until) await watchUntil(host, ended.state, ended.until);
}
