/** Makes a host ready for applications, where it is not: once, and again when what is needed has changed. */
import { createHash } from 'node:crypto';
import type { Context } from '../../context.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { APPS } from '../../contract/places.ts';
import { converge } from '../../host/converge.ts';
import { rolesFor } from '../../roles/index.ts';
import type { AppFacts } from '../look/facts.ts';
import type { PlannedHost } from '../plan/plan.ts';
import type { ReleaseHost } from '../types.ts';
import { bringProgram } from './program.ts';
import { inStage } from './stage.ts';

/** The roles ask for nothing that only the whole environment knows. */
const PARAMS = { fleet: [], operators: [], sshPorts: [], exposures: [] };

const ROLES = ['node-service', 'tomcat'] as const;
type AppRole = (typeof ROLES)[number];

/** What every application needs, and what its runtime needs besides. */
function needed(runtime: Manifest['runtime']): readonly AppRole[] {
  return runtime === 'tomcat' ? ROLES : ['node-service'];
}

/** Fingerprint of what a role makes of a host; kept there. */
export function preparation(role: AppRole): string {
  return createHash('sha256')
    .update(JSON.stringify(rolesFor(role, PARAMS)))
    .digest('hex')
    .slice(0, 16);
}

/**
 * Everything that carrying out a plan needs of a host.
 * @returns the versions of Node that it has then.
 */
export async function ready(
  { host, facts, takeOver }: PlannedHost,
  context: Context,
): Promise<Pick<AppFacts, 'nodes'>> {
  const brought = await bringProgram(host.connection, facts, takeOver?.manifest.node ?? null, context);
  if (takeOver !== undefined) await prepare(host, facts, takeOver.manifest.runtime, context);
  return brought;
}

/** nginx is left as it is where it is there with pipeline's folder for sites. */
async function prepare(
  host: ReleaseHost,
  facts: AppFacts,
  runtime: Manifest['runtime'],
  context: Context,
): Promise<void> {
  const done = facts.prepared.split(' ');
  const roles = needed(runtime).filter(
    (role) => facts.missing.length > 0 || !done.includes(preparation(role)),
  );
  if (roles.length === 0) return;
  const proxy = facts.missing.some((one) => one === 'nginx' || one === 'sites');
  const all = proxy ? ['nginx', ...roles] : roles;
  const now = ROLES.filter((role) => roles.includes(role) || done.includes(preparation(role))).map(
    preparation,
  );
  await inStage(host, 'prepare', context, async () => {
    await converge(
      host.connection,
      all.flatMap((role) => rolesFor(role, PARAMS)),
      context,
    );
    await host.connection.check(`echo ${now.join(' ')} >${APPS}/.prepared`, {
      label: 'prepared for applications',
      signal: context.signal,
    });
  });
}
