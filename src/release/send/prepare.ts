/** Makes a host ready for applications: once, and again when its needs change. */
import { createHash } from 'node:crypto';
import type { Context } from '../../context.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { APPS } from '../../contract/places.ts';
import { type Converged, converge } from '../../host/converge.ts';
import type { Resource } from '../../host/resource.ts';
import type { Agreed } from '../../host/theirs.ts';
import { rolesFor, withPackages } from '../../roles/index.ts';
import type { AppFacts } from '../look/facts.ts';
import type { PlannedHost } from '../plan/plan.ts';
import type { ReleaseHost } from '../types.ts';
import { bringProgram } from './program.ts';
import { inStage } from './stage.ts';

/** These roles need nothing that only the whole environment knows. */
export const PARAMS = { fleet: [], operators: [], sshPorts: [], exposures: [] };

const ROLES = ['node-service', 'tomcat'] as const;
type AppRole = (typeof ROLES)[number];

/** What every application needs, and its runtime besides. */
function needed(runtime: Manifest['runtime']): readonly AppRole[] {
  return runtime === 'tomcat' ? ROLES : ['node-service'];
}

/** Fingerprint of a role's resources; the host keeps it. */
export function preparation(role: AppRole): string {
  return createHash('sha256')
    .update(JSON.stringify(rolesFor(role, PARAMS)))
    .digest('hex')
    .slice(0, 16);
}

/**
 * What preparing a host would change, and what of somebody else's that concerns; nothing where it is
 * prepared. Touches nothing.
 */
export async function preparing(
  { host, facts, takeOver }: PlannedHost,
  context: Context,
): Promise<Pick<Converged, 'changes' | 'theirs'>> {
  if (takeOver === undefined) return { changes: [], theirs: [] };
  const { resources } = preparationOf(facts, takeOver.manifest);
  return converge(host.connection, resources, context, { dryRun: true });
}

/**
 * Makes a host ready for its plan.
 * @param agreed what of somebody else's may go
 * @returns the versions of Node that it then has.
 */
export async function ready(
  { host, facts, takeOver }: PlannedHost,
  agreed: Agreed | undefined,
  context: Context,
): Promise<Pick<AppFacts, 'nodes'>> {
  const brought = await bringProgram(host.connection, facts, takeOver?.manifest.node ?? null, context);
  if (takeOver !== undefined) await prepare(host, facts, takeOver.manifest, agreed, context);
  return brought;
}

/**
 * What is missing for a runtime. An nginx that has pipeline's folder for sites is left alone.
 * `done` is what the host knows of it afterwards.
 */
function preparationOf(
  facts: AppFacts,
  { runtime, packages = [] }: Manifest,
): { readonly resources: readonly Resource[]; readonly done: readonly string[] } {
  const before = facts.prepared.split(' ');
  const roles = needed(runtime).filter(
    (role) => facts.missing.length > 0 || !before.includes(preparation(role)),
  );
  const proxy = facts.missing.some((one) => one === 'nginx' || one === 'sites');
  const all = roles.length > 0 && proxy ? ['nginx', ...roles] : roles;
  const own = packages.length === 0 ? [] : [packagesMark(packages)];
  const lacks = own.some((mark) => !before.includes(mark));
  return {
    resources: withPackages(
      all.flatMap((role) => rolesFor(role, PARAMS)),
      lacks ? packages : [],
    ),
    done: [
      ...ROLES.filter((role) => roles.includes(role) || before.includes(preparation(role))).map(preparation),
      ...new Set([...before.filter((mark) => mark.startsWith('packages-')), ...own]),
    ],
  };
}

/** Says in the host's file of what it is prepared for that these packages were there. */
function packagesMark(packages: readonly string[]): string {
  const hash = createHash('sha256')
    .update([...packages].sort().join(' '))
    .digest('hex');
  return `packages-${hash.slice(0, 16)}`;
}

async function prepare(
  host: ReleaseHost,
  facts: AppFacts,
  manifest: Manifest,
  agreed: Agreed | undefined,
  context: Context,
): Promise<void> {
  const { resources, done } = preparationOf(facts, manifest);
  if (resources.length === 0) return;
  await inStage(host, 'prepare', context, async () => {
    await converge(host.connection, resources, context, { agreed });
    await host.connection.check(`echo ${done.join(' ')} >${APPS}/.prepared`, {
      label: 'prepared for applications',
      signal: context.signal,
    });
  });
}
