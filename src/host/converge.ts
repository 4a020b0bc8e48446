/** A host becomes what it should be: facts, plan, apply, and facts again, which must agree. */

import type { Context } from '../context.ts';
import type { Connection } from '../ssh/connection.ts';
import { apply } from './apply.ts';
import { type Facts, gatherFacts } from './facts.ts';
import { type Change, plan } from './plan.ts';
import type { Resource } from './resource.ts';

export interface Converged {
  /** What was changed; with `dryRun` what would be. Empty: nothing to do. */
  readonly changes: readonly Change[];
  /** As gathered before the changes. */
  readonly facts: Facts;
  readonly seconds: number;
}

/**
 * Makes the host what `resources` say. Where nothing is to do this is one round trip.
 * @throws Failure kind `host` where a step fails, or where the host is not what it should be afterwards.
 */
export async function converge(
  connection: Connection,
  resources: readonly Resource[],
  context: Context,
  options: { readonly dryRun?: boolean } = {},
): Promise<Converged> {
  const started = context.now().getTime();
  const facts = await gatherFacts(connection, resources, context);
  const { changes, ...rest } = plan(facts, resources);
  if (changes.length > 0 && !options.dryRun) await apply(connection, { changes, ...rest }, context);
  return { changes, facts, seconds: (context.now().getTime() - started) / 1000 };
}
