/** What a trouble means to the visitors of an application. Pure. */
import type { AlertState } from '../types.ts';

export type Impact = 'well' | 'look' | 'broken';

/** Why, in a word that says nothing of hosts. */
export type Reason = 'errors' | 'latency' | 'unreachable' | 'partly' | 'other';

export interface Impaired {
  readonly impact: Impact;
  readonly reason?: Reason | undefined;
}

/** @param hosts those that ask for the application's health */
export function impactOn(app: string, hosts: readonly string[], states: readonly AlertState[]): Impaired {
  const firing = states.filter(({ state }) => state === 'firing');
  const own = firing.filter(({ kind, subject }) => kind === 'app' && subject === app);
  const down = hosts.filter((host) =>
    firing.some(({ key }) => key === `check|${host}|${app}` || key === `host_silent|${host}|`),
  );
  if (hosts.length > 0 && down.length === hosts.length) return { impact: 'broken', reason: 'unreachable' };
  const grave = own.find(({ severity }) => severity === 'critical');
  if (grave !== undefined) return { impact: 'broken', reason: reasonOf(grave) };
  if (own[0] !== undefined) return { impact: 'look', reason: reasonOf(own[0]) };
  return down.length > 0 ? { impact: 'look', reason: 'partly' } : { impact: 'well' };
}

function reasonOf({ rule }: AlertState): Reason {
  return rule === 'errors' || rule === 'latency' ? rule : 'other';
}
