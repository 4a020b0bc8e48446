/**
 * What a host should be: what its roles ask for, and pipeline's program, if it serves applications or is
 * backed up.
 */
import type { Context } from '../../context.ts';
import type { Change } from '../../host/change.ts';
import { type Converged, type ConvergeOptions, converge } from '../../host/converge.ts';
import { plan } from '../../host/plan.ts';
import type { Resource } from '../../host/resource.ts';
import type { Facts } from '../../host/state.ts';
import type { Connection } from '../../ssh/connection.ts';
import { convergeProgram, programChange } from './program.ts';

export interface WantedHost {
  readonly roles: readonly string[];
  readonly resources: readonly Resource[];
}

function runsProgram({ roles }: WantedHost): boolean {
  return roles.includes('node-service') || roles.includes('backup');
}

/**
 * Makes the host what it should be; with `dryRun` says what would change.
 * @throws Failure as `converge` and `bringProgram` do.
 */
export async function convergeHost(
  connection: Connection,
  wanted: WantedHost,
  context: Context,
  options: Pick<ConvergeOptions, 'dryRun' | 'agreed'> = {},
): Promise<Converged> {
  const started = context.now().getTime();
  const converged = await converge(connection, wanted.resources, context, options);
  const program = runsProgram(wanted) ? await convergeProgram(connection, context, options) : [];
  const seconds = (context.now().getTime() - started) / 1000;
  return { ...converged, changes: [...converged.changes, ...program], seconds };
}

/** What converging a host would change that does not exist yet. */
export async function planFreshHost(facts: Facts, wanted: WantedHost): Promise<readonly Change[]> {
  const { changes } = plan(facts, wanted.resources);
  return runsProgram(wanted) ? [...changes, await programChange()] : changes;
}
