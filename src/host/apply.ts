/** Does what was planned: one script over one connection, which reports each step as it starts and ends. */

import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';
import type { Change, HostPlan } from './plan.ts';

export interface Applied {
  readonly changes: readonly Change[];
  readonly seconds: number;
}

/**
 * Runs the plan. May be killed at any moment: the next plan finishes the work.
 * @throws Failure kind `host` naming the step (n of N), the exit code, the last lines, the cause where it is known, and the next step.
 */
export async function apply(connection: Connection, _plan: HostPlan, _context: Context): Promise<Applied> {
  throw new Failure('internal', `applying to ${connection.target.name} is being written`);
}
