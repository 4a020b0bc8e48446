/** A rollout with everything that its verdict is computed from; plain JSON. */
import type { RolloutStatus } from '../contract/rollout.ts';
import type { UnitEvent } from '../judge/units/types.ts';

/** What stands in `format` of every report of a rollout. */
export const ROLLOUT_FORMAT = 'pipeline-rollout-report';

/**
 * What a host keeps, line by line. `resumed`: another process went on with what was known at that time; what
 * stands before it and is later had not been decided on.
 */
export type KeptEvent = UnitEvent | { readonly kind: 'resumed'; readonly at: number };

export interface RolloutReport {
  readonly format: typeof ROLLOUT_FORMAT;
  readonly version: 1;
  readonly status: RolloutStatus;
  readonly events: readonly KeptEvent[];
}

export function rolloutReport(status: RolloutStatus, events: readonly KeptEvent[]): RolloutReport {
  return { format: ROLLOUT_FORMAT, version: 1, status, events };
}
