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
  const { app } = watched.manifest;
  const folder = guardFolder(app);
  await host.remove(folder);
  await host.makeFolder(folder, 0o700);
  const { manifest, slot, colour, instances, processes, jobs } = watched;
  const state: GuardState = { watched: { manifest, slot, colour, instances, processes, jobs }, order };
  await host.write(`${folder}/until`, `${host.now() + order.watch}\n`, 0o600);
  await host.write(`${folder}/order.json`, JSON.stringify(state), 0o600);
  await enableGuard(host, app);
  await host.restart(guardUnit(app));
}

/** Ends the watch over the previous release, also one that an older pipeline began. */
export async function endGuard(host: Host, app: string): Promise<void> {
  if (!(await host.exists(guardFolder(app)))) return;
  await disableGuard(host, app);
  await host.stop(guardUnit(app));
  await host.remove(guardFolder(app));
}
