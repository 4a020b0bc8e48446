/** Hosts that pipeline never changed: what a deploy would change there is shown before it is done. */
import type { Context } from '../../context.ts';
import type { SeenDatabase } from '../../database/index.ts';
import { converge } from '../../host/converge.ts';
import { STAMP_FOLDER } from '../../host/fingerprint.ts';
import { type Agreed, requireAgreed } from '../../host/theirs.ts';
import { rolesFor } from '../../roles/index.ts';
import type { PlannedHost } from '../plan/plan.ts';
import type { FirstTime, ReleaseHost } from '../types.ts';
import { PARAMS, preparing } from './prepare.ts';

/**
 * Looks at hosts that were never converged, and asks.
 * @returns by host, what of somebody else's may go.
 * @throws Failure `usage` where something is in the way that no yes helps with, else what `agree` throws.
 *   Nothing
 *   was touched then.
 */
export async function agreeFirst(
  hosts: readonly PlannedHost[],
  databases: readonly SeenDatabase[],
  agree: ((hosts: readonly FirstTime[]) => Promise<void>) | undefined,
  context: Context,
): Promise<ReadonlyMap<string, Agreed>> {
  if (agree === undefined) return new Map();
  const unprepared = hosts.filter(({ takeOver, facts }) => takeOver !== undefined && facts.prepared === '');
  const absent = databases.filter(({ facts }) => facts.server === 'absent');
  const candidates = new Map(
    [...unprepared.map(({ host }) => host), ...absent.map(({ input }) => input.database.host)].map((host) => [
      host.name,
      host,
    ]),
  );
  const looked = await Promise.all(
    [...candidates.values()].map(async (host): Promise<FirstTime[]> => {
      if (await wasConverged(host, context)) return [];
      const planned = unprepared.find((one) => one.host.name === host.name);
      const engines = absent.filter(({ input }) => input.database.host.name === host.name);
      const parts = await Promise.all([
        ...(planned === undefined ? [] : [preparing(planned, context)]),
        ...engines.map(({ input }) =>
          converge(host.connection, rolesFor(input.database.definition.engine, PARAMS), context, {
            dryRun: true,
          }),
        ),
      ]);
      const changes = parts.flatMap((part) => part.changes);
      return [{ host: host.name, changes, theirs: parts.flatMap((part) => part.theirs) }];
    }),
  );
  const found = looked.flat();
  if (found.length === 0) return new Map();
  const agreed = new Map(found.map(({ host, theirs }) => [host, new Set(theirs.map(({ id }) => id))]));
  for (const { host, theirs } of found) requireAgreed(host, theirs, agreed.get(host));
  await agree(found);
  return agreed;
}

async function wasConverged({ connection }: ReleaseHost, context: Context): Promise<boolean> {
  const options = { label: 'was it ever converged', signal: context.signal };
  return (await connection.script(`[ -d ${STAMP_FOLDER} ]`, options)).exitCode === 0;
}
