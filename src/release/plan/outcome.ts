/** What became of the hosts: what deploy and rollback return alike. Pure. */

import type { DeployResult, HostOutcome } from '../types.ts';
import { liveRelease } from './decide.ts';
import type { PlannedHost } from './plan.ts';

/** What became of the hosts. @param fronted whether a balancer in front of them changed */
export function outcome(
  plans: readonly PlannedHost[],
  fronted: boolean,
): Pick<DeployResult, 'previous' | 'changed' | 'hosts' | 'watch'> {
  const hosts = plans.map(({ host, facts, takeOver, settle }): HostOutcome => {
    return {
      host: host.name,
      previous: liveRelease(facts)?.manifest.release ?? null,
      changed: settle !== undefined,
      colour: takeOver?.colour ?? settle?.colour ?? facts.live ?? 'blue',
    };
  });
  return {
    previous: hosts.find(({ previous }) => previous !== null)?.previous ?? null,
    changed: fronted || hosts.some(({ changed }) => changed),
    hosts,
    watch: Math.max(0, ...plans.map(({ guard }) => guard?.watch ?? 0)),
  };
}
