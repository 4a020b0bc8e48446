/** What the monitor says of the hosts, for commands that show it beside what they see themselves. */

import type { Config } from '../config/schema.ts';
import { withConnections } from '../environment/fleet.ts';
import { asFailure } from '../errors.ts';
import type { SshTarget } from '../ssh/connection.ts';
import { wordsOf } from '../ssh/failures.ts';
import type { Caller } from './caller.ts';
import { askHub, type HubStatus } from './place.ts';

export interface Watched {
  readonly monitor: string;
  /** Why nobody watches; empty where a hub works. */
  readonly trouble: string;
  /** Seconds since the last sample of each host that was heard. */
  readonly lastSeen: Readonly<Record<string, number>>;
  /** What alerts now. */
  readonly alerts: HubStatus['alerts'];
}

/** Name of the group whose first host is the monitor. */
export function monitorGroup({ monitor }: Pick<Config, 'monitor'>): string {
  return monitor?.host ?? 'monitor';
}

/** Asks the hub. Undefined where there is none: never set up. A monitor that does not answer is a finding. */
export async function watched(target: SshTarget | undefined, caller: Caller): Promise<Watched | undefined> {
  if (target === undefined) return undefined;
  const { name } = target;
  try {
    return await withConnections([target], caller.context, async ([connection]) => {
      if (connection === undefined) throw new Error('one connection was asked for');
      const look = '[ -e /etc/systemd/system/pipeline-hub.service ] && echo yes || true';
      const label = 'is there a hub';
      const isThere = await connection.check(look, { label, signal: caller.context.signal });
      if (isThere.trim() !== 'yes') return undefined;
      const { now, working, hosts, alerts } = (await askHub(connection, ['status'], caller)) as HubStatus;
      const ago = Object.entries(hosts).map(([host, { at }]) => [
        host,
        Math.max(0, Math.round((now - at) / 1000)),
      ]);
      return {
        monitor: name,
        trouble: working ? '' : `The hub on ${name} does not work: journalctl -u pipeline-hub says why`,
        lastSeen: Object.fromEntries(ago),
        alerts: alerts.filter(({ state }) => state === 'firing'),
      };
    });
  } catch (thrown) {
    caller.context.signal.throwIfAborted();
    const failure = asFailure(thrown);
    if (failure.kind === 'internal') throw failure;
    return {
      monitor: name,
      trouble: `The monitor ${name} does not answer: ${wordsOf(failure)}`,
      lastSeen: {},
      alerts: [],
    };
  }
}
