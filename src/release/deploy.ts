/** From an artifact to a live version. */
import { appNamed } from '../build/build.ts';
import { ONE_HOST } from '../config/persist-schema.ts';
import type { Context } from '../context.ts';
import {
  appDatabases,
  bringDatabase,
  type DatabaseOutcome,
  databaseVariables,
  lookAtDatabases,
  withPasswords,
} from '../database/index.ts';
import { type AuditEntry, audit, whoami } from '../environment/audit.ts';
import { Failure } from '../errors.ts';
import type { Agreed } from '../host/theirs.ts';
import { lookAtFirewalls, openFirewalls } from './front/firewall.ts';
import { lookAtFront, placeFront } from './front/front.ts';
import { jobsElsewhere } from './jobs/elsewhere.ts';
import { lookAt } from './look/look.ts';
import { outcome } from './plan/outcome.ts';
import { type PlannedHost, planRelease, type ReleasePlan } from './plan/plan.ts';
import { checkExclusive } from './plan/processes.ts';
import { planRollout } from './plan/rollout.ts';
import { wantedRelease } from './plan/wanted.ts';
import { lookAfterRollouts } from './rollout.ts';
import { hidden, resolveSecrets } from './secrets.ts';
import { carryOut } from './send/carry-out.ts';
import { agreeFirst } from './send/first-time.ts';
import { ready } from './send/prepare.ts';
import { sendArtifact, sendNode } from './send/send.ts';
import type { DeployRequest, DeployResult } from './types.ts';

/**
 * Puts the artifact into service, one host after the other, and drops no request. The caller holds the lock
 * (`withLock`). After a kill at any moment, the same call finishes the work.
 * @throws Failure kind `host` if the new version does not start, is not healthy, or fails its probation: the
 *   old one keeps serving on every host, and `output` has the new version's last log lines. Kind `usage` if
 *   the definition lacks something (a secret, a certificate).
 */
export async function deploy(request: DeployRequest, context: Context): Promise<DeployResult> {
  const started = performance.now();
  const { config, app, artifact, hosts } = request;
  const definition = appNamed(config, app);
  checkExclusive(app, definition, hosts);
  const by = request.by ?? whoami(context);
  requireOneHost(request, definition.persist);
  const databases = appDatabases(app, definition, hosts, request.databaseHosts);
  const [before, secrets, front, firewalls] = await Promise.all([
    lookAt(app, hosts, context),
    resolveSecrets(app, withPasswords(definition), hosts, config.directory, context),
    lookAtFront(request, definition, context, 'forward'),
    lookAtFirewalls(request, definition, context),
  ]);
  const found = await lookAfterRollouts(before, front, request, context);
  const given = { ...databaseVariables(databases), ...secrets.values };
  const [wanted, seen] = await Promise.all([
    wantedRelease(app, definition, artifact, given, config.directory),
    lookAtDatabases(databases, secrets.values, config, context),
  ]);
  const aim = { action: 'deploy', app, by, definition, wanted, secrets, now: context.now() } as const;
  const plan = planRelease(aim, { hosts: found, front });
  const letIn =
    request.canary &&
    planRollout(plan, request.canary.steps, { definition, secrets, balancers: request.balancers });
  const agreed = await agreeFirst(plan.hosts, seen, request.agree, context);
  const opened = await openFirewalls(firewalls, context);

  const occasion = {
    change: plan.hosts.some(({ takeOver }) => takeOver !== undefined),
    release: plan.manifest.release,
    reseed: request.reseed ?? false,
    seed: { config, definition, artifact, values: given, hidden: hidden(secrets.values) },
  };
  const kept: DatabaseOutcome[] = [];
  // One after the other: two may need the same package on the same host.
  for (const one of seen) kept.push(await bringDatabase(one, config, occasion, context));
  await tellOfDatabases(kept, { app, by, release: plan.manifest.release }, context);
  const ready = await Promise.all(
    plan.hosts.map((host) => bring(host, request, agreed.get(host.host.name), context)),
  );
  const formerJobs = await jobsElsewhere(request, ready, context);
  await carryOut({ ...plan, hosts: ready, formerJobs }, context, letIn);
  // The site of a balancer that divides is the rollout's.
  const fronted = letIn?.balanced === true || (await placeFront(app, plan.front, context));
  const done = result(request, plan, fronted, started);
  const rollout = letIn && { id: letIn.id, host: letIn.host };
  return { ...done, rollout, changed: done.changed || opened || kept.some(({ changed }) => changed) };
}

/** An inventory's group may have more hosts than the configuration says. */
function requireOneHost({ app, hosts }: DeployRequest, persist: readonly string[]): void {
  const [folder] = persist;
  if (folder === undefined || hosts.length < 2) return;
  throw new Failure('usage', `${app}: persist: "${folder}" ${ONE_HOST}`, {
    next: `Its hosts are ${hosts.map(({ name }) => name).join(', ')}.`,
  });
}

/** Writes backups and seeds into the audit log of the database's host, with the release that they precede. */
async function tellOfDatabases(
  outcomes: readonly DatabaseOutcome[],
  entry: Pick<AuditEntry, 'app' | 'by' | 'release'>,
  context: Context,
): Promise<void> {
  for (const { database, backup, seeded } of outcomes) {
    const tell = (action: string, message: string) =>
      audit(
        database.host.connection,
        { ...entry, at: context.now().toISOString(), action, result: 'done', message },
        context,
      );
    if (backup !== undefined) await tell('backup', `${backup.path}, ${backup.bytes} bytes`);
    if (seeded) await tell('seed', `database ${database.definition.name}`);
  }
}

/** Prepares the host and brings what it lacks. */
async function bring(
  planned: PlannedHost,
  { artifact }: DeployRequest,
  agreed: Agreed | undefined,
  context: Context,
): Promise<PlannedHost> {
  const { host, takeOver } = planned;
  if (planned.settle === undefined) return planned;
  const { nodes } = await ready(planned, agreed, context);
  if (takeOver?.placed === undefined) return planned;
  const { placed, manifest } = takeOver;
  const facts = { ...planned.facts, nodes };
  const node = await sendNode(host, facts, manifest.node, context);
  if (placed.sameTree === undefined) await sendArtifact(host, facts, artifact, context);
  return { ...planned, takeOver: { ...takeOver, placed: { ...placed, node } } };
}

function result(
  { app, artifact }: DeployRequest,
  { manifest, hosts }: ReleasePlan,
  fronted: boolean,
  started: number,
): DeployResult {
  return {
    app,
    ref: artifact.ref,
    commit: artifact.commit,
    subject: artifact.subject,
    release: manifest.release,
    ...outcome(hosts, fronted),
    seconds: (performance.now() - started) / 1000,
  };
}
