/** Which hosts are heard, and what the agents of the others say. */

import { withConnections } from '../environment/fleet.ts';
import type { SshTarget } from '../ssh/connection.ts';
import type { Caller } from './caller.ts';
import { agentSays, type HubStatus, type MonitorPlace } from './place.ts';

/** Silent for longer is worth a look. */
const SILENT_SECONDS = 15;

export interface HeardHost {
  readonly target: SshTarget;
  /** Seconds since its last sample; undefined: never heard. */
  readonly ago: number | undefined;
  readonly silent: boolean;
}

export function hostsHeard(status: HubStatus, { config, inventory }: MonitorPlace): readonly HeardHost[] {
  const patience = Math.max(SILENT_SECONDS, (3 * (config.monitor?.interval ?? 0)) / 1000);
  return inventory.targets.map((target) => {
    const at = status.hosts[target.name]?.at;
    const ago = at === undefined ? undefined : Math.max(0, Math.round((status.now - at) / 1000));
    return { target, ago, silent: ago === undefined || ago > patience };
  });
}

/**
 * What the agents of silent hosts say, by host; nothing while no hub works, since no agent is to blame then.
 */
export function silentAgents(
  heard: readonly HeardHost[],
  { working }: HubStatus,
  caller: Caller,
): Promise<ReadonlyMap<string, string>> {
  const silent = heard.filter((one) => one.silent && working).map(({ target }) => target);
  return withConnections(
    silent,
    caller.context,
    async (connections) =>
      new Map(
        await Promise.all(
          connections.map(async (one) => [one.target.name, await agentSays(one, caller)] as const),
        ),
      ),
  );
}
