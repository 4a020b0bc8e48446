/**
 * What a guard is told, in a folder of the application. Its unit is enabled, so neither a reboot nor a kill
 * ends the watch: what is done is decided by what is there (`reason`: it has failed; the weights: who
 * serves).
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
  const { manifest, slot, colour, instances } = watched;
  const state: GuardState = { watched: { manifest, slot, colour, instances }, order };
  await host.write(`${folder}/until`, `${host.now() + order.watch}\n`, 0o600);
  await host.write(`${folder}/order.json`, JSON.stringify(state), 0o600);
  await enableGuard(host, app);
  await host.restart(guardUnit(app));
}

/** Nobody watches over the release of before any more. Ends a guard of an older version of pipeline too. */
export async function endGuard(host: Host, app: string): Promise<void> {
  if (!(await host.exists(guardFolder(app)))) return;
  await disableGuard(host, app);
  await host.stop(guardUnit(app));
  await host.remove(guardFolder(app));
}
