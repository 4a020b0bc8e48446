/** What hosts know of their application, before anything is decided. */
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { chooseSlot } from '../plan/decide.ts';
import type { ReleaseHost } from '../types.ts';
import { type AppFacts, gatherAppFacts } from './facts.ts';

/** A host with what it knows. */
export interface SeenHost {
  readonly host: ReleaseHost;
  readonly facts: AppFacts;
  readonly slot: number;
}

/**
 * What each host knows of the application, and the slot of ports that it has or will have there.
 * @throws Failure kind `locked`: nothing may run of it before a restore is finished
 */
export async function lookAt(
  app: string,
  hosts: readonly ReleaseHost[],
  context: Context,
): Promise<readonly SeenHost[]> {
  return Promise.all(
    hosts.map(async (host) => {
      const facts = await gatherAppFacts(host.connection, app, context);
      if (facts.standsStill) throw standsStill(app, host);
      const slot = chooseSlot(facts);
      if (slot !== undefined) return { host, facts, slot };
      throw new Failure('host', `${host.name} has no ports left for ${app}`, {
        host: host.name,
        next: 'Remove unused applications, or programs that listen on ports 21000 to 29999.',
      });
    }),
  );
}

function standsStill(app: string, { name }: ReleaseHost): Failure {
  return new Failure('locked', `${app} stands still on ${name}: a restore of its data was interrupted`, {
    host: name,
    next: `Finish that first: pipeline restore ${app}`,
  });
}
