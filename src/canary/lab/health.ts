/** From a service's unit, second by second, to events that bear on the verdict. Pure. */

import type { SideName } from '../../judge/sides.ts';
import type { UnitLine } from '../../metrics/live.ts';
import type { ReportEvent } from '../../report/document.ts';

export interface SideHealth {
  readonly restarts: number | null;
  /** Seconds in a row in which the service was not running. */
  readonly down: number;
  readonly dead: boolean;
}

export const UNKNOWN_HEALTH: SideHealth = { restarts: null, down: 0, dead: false };

/** Seconds that a service may be down, e.g. between a crash and its restart, before it counts as dead. */
const GRACE_SECONDS = 5;

/**
 * What a line says about the service. `at`: seconds since the first request. `grace`: seconds that it may be
 * down; longer where faults are done to it.
 */
export function observeUnit(
  health: SideHealth,
  side: SideName,
  line: UnitLine,
  at: number | null,
  grace = GRACE_SECONDS,
): { readonly health: SideHealth; readonly events: readonly ReportEvent[] } {
  const running = line.state === 'active' && line.sub === 'running';
  const down = running ? 0 : health.down + line.seconds;
  // systemd will not start a failed unit again, and nobody but us stops one.
  const gone = line.state === 'failed' || line.state === 'inactive' || line.state === 'absent';
  const dead = health.dead || (gone && grace === GRACE_SECONDS && down >= 1) || down >= grace;
  const events: ReportEvent[] = [];
  if (health.restarts !== null && line.restarts > health.restarts) {
    const times = line.restarts - health.restarts;
    events.push({
      at,
      side,
      kind: 'restarted',
      detail: `The ${side}'s service stopped and was started again${times > 1 ? `, ${times} times` : ''}.`,
    });
  }
  if (dead && !health.dead) {
    events.push({
      at,
      side,
      kind: 'died',
      detail: `The ${side}'s service is ${line.state} (${line.sub}) and did not come back.`,
    });
  }
  return { health: { restarts: line.restarts, down, dead }, events };
}
