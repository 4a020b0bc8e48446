/** From an artifact to a live version. */
import { appNamed } from '../build/build.ts';
import type { AppConfig } from '../config/schema.ts';
import type { Context } from '../context.ts';
import type { Manifest } from '../contract/manifest.ts';
import { other, releaseName } from '../contract/places.ts';
import {
  appDatabases,
  bringDatabase,
  type DatabaseOutcome,
  databaseVariables,
  lookAtDatabases,
  withPasswords,
} from '../database/index.ts';
import { type AuditEntry, audit, whoami } from './audit.ts';
import { carryOut, type HostPlan } from './carry-out.ts';
import { decide, liveRelease, releaseIn, running } from './decide.ts';
import type { AppFacts, KeptRelease } from './facts.ts';
import { lookAtFront, placeFront } from './front/front.ts';
import { liveSite, siteWith } from './front/host-site.ts';
import { type HostFacts, lookAt } from './look.ts';
import { outcome } from './outcome.ts';
import { prepare } from './prepare.ts';
import type { HostRollout } from './rollout.ts';
import { hidden, resolveSecrets } from './secrets.ts';
import { sendArtifact, sendNode } from './send.ts';
import type { DeployRequest, DeployResult } from './types.ts';
import { type Wanted, wantedRelease } from './wanted.ts';

/**
 * Puts the artifact into service on every host, one host after the other; no request is dropped. The caller holds the lock (`withLock`). May be
 * killed at any moment: the same call again finishes the work.
 * @throws Failure kind `host` where the new version does not start, is not healthy, or fails in its probation: the old one serves on, on every
 *   host, and `output` holds the new version's own last log lines. Kind `usage` for what the definition lacks (a secret, a certificate).
 */
export async function deploy(request: DeployRequest, context: Context): Promise<DeployResult> {
  const started = performance.now();
  const { config, app, artifact, hosts } = request;
  const definition = appNamed(config, app);
  const by = request.by ?? whoami(context);
  const databases = appDatabases(app, definition, hosts, request.databaseHosts);
  const [found, secrets, front] = await Promise.all([
    lookAt(app, hosts, context),
    resolveSecrets(app, withPasswords(definition), hosts, config.directory, context),
    lookAtFront(request, definition, context, 'forward'),
  ]);
  const { edge } = front;
  const { certificate } = edge;
  const given = { ...databaseVariables(databases), ...secrets.values };
  const [wanted, seen] = await Promise.all([
    wantedRelease(app, definition, artifact, given, config.directory),
    lookAtDatabases(databases, secrets.values, config, context),
  ]);
  const manifest = nameRelease(wanted, found, by, context.now());
  const isWanted = (release: KeptRelease) => release.digest === wanted.digest;

  const plans = found.map((at, index): HostPlan => {
    const decision = decide(at.facts, isWanted, liveSite(app, definition, at, edge));
    if (decision.kind === 'nothing') return at;
    if (decision.kind === 'finish') {
      const site = siteWith(app, definition, at, decision.release.manifest, decision.colour, edge);
      const { manifest } = decision.release;
      const common = { manifest, slot: at.slot, colour: decision.colour, hooks: false };
      const commit = decision.site ? { ...common, site: { site, certificate } } : common;
      const stands = running(at.facts, other(decision.colour))
        ? releaseIn(at.facts, other(decision.colour))
        : undefined;
      return { ...at, commit, guard: guardOf(definition, manifest, stands) };
    }
    const { colour, old } = decision;
    const site = siteWith(app, definition, at, manifest, colour, edge);
    const common = { manifest, slot: at.slot, colour, hooks: index === 0 };
    const there = at.facts.releases.find((one) => one.manifest.release === manifest.release);
    const rollout: HostRollout = {
      ...common,
      old,
      placed: there === undefined ? newRelease(wanted, at.facts) : undefined,
      secrets,
      site,
      certificate,
      proven: there?.state === 'live',
    };
    return {
      ...at,
      rollout,
      commit: common,
      guard: guardOf(definition, manifest, old === null ? undefined : liveRelease(at.facts)),
    };
  });

  const occasion = {
    change: plans.some(({ rollout }) => rollout !== undefined),
    release: manifest.release,
    reseed: request.reseed ?? false,
    seed: { config, definition, artifact, values: given, hidden: hidden(secrets.values) },
  };
  const kept: DatabaseOutcome[] = [];
  // One after the other: two may need the same package on the same host.
  for (const one of seen) kept.push(await bringDatabase(one, config, occasion, context));
  await tellOfDatabases(kept, { app, by, release: manifest.release }, context);
  const ready = await Promise.all(plans.map((plan) => bring(plan, request, context)));
  await carryOut({ action: 'deploy', app, by, keep: definition.keep, plans: ready }, context);
  const fronted = await placeFront(request, definition, front, manifest.runtime, context);
  const done = result(request, manifest, ready, fronted, started);
  return { ...done, changed: done.changed || kept.some(({ changed }) => changed) };
}

/** Backups and seeds, and the release that they were made before, are in the audit log of the database's host. */
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

/** What the host watches for after the deploy: a release with processes that took over from another. */
function guardOf(
  { watch }: AppConfig,
  manifest: Manifest,
  previous: KeptRelease | undefined,
): HostPlan['guard'] {
  const itself = previous === undefined || previous.manifest.release === manifest.release;
  return watch === 0 || itself || manifest.runtime === 'static'
    ? undefined
    : { previous: previous.manifest, watch };
}

function newRelease(wanted: Wanted, facts: AppFacts): NonNullable<HostRollout['placed']> {
  const same = facts.releases.find(({ manifest }) => manifest.tree === wanted.manifest.tree);
  return { ...wanted, sameTree: same?.manifest.release };
}

/**
 * Gives the wanted version its name: the one that it has where it serves already or an earlier, killed run has placed it, else a new one that
 * sorts after all others, whatever this machine's clock says.
 */
function nameRelease(wanted: Wanted, found: readonly HostFacts[], by: string, now: Date): Manifest {
  const candidates = found.flatMap(({ facts }) => {
    const newest = facts.releases[0];
    return [liveRelease(facts), newest?.state === 'unfinished' ? newest : undefined];
  });
  const known = candidates.find((one) => one?.digest === wanted.digest);
  if (known !== undefined) return known.manifest;
  const newest = Math.max(
    0,
    ...found.flatMap(({ facts }) => facts.releases.map(({ manifest }) => Date.parse(manifest.at) || 0)),
  );
  const at = new Date(Math.max(now.getTime(), newest + 1_000));
  const { commit, artifact } = wanted.manifest;
  return { ...wanted.manifest, release: releaseName(at, commit ?? artifact), at: at.toISOString(), by };
}

/** Prepares the host and brings what it lacks. */
async function bring(plan: HostPlan, { artifact }: DeployRequest, context: Context): Promise<HostPlan> {
  const { host, facts, rollout } = plan;
  if (rollout === undefined) return plan;
  const { placed, manifest } = rollout;
  await prepare(host, facts, manifest.runtime, context);
  const node = await sendNode(host, facts, manifest.node, context);
  if (placed === undefined) return plan;
  if (placed.sameTree === undefined) await sendArtifact(host, facts, artifact, context);
  return { ...plan, rollout: { ...rollout, placed: { ...placed, node } } };
}

function result(
  { app, artifact }: DeployRequest,
  manifest: Manifest,
  plans: readonly HostPlan[],
  fronted: boolean,
  started: number,
): DeployResult {
  return {
    app,
    ref: artifact.ref,
    commit: artifact.commit,
    subject: artifact.subject,
    release: manifest.release,
    ...outcome(plans, fronted),
    seconds: (performance.now() - started) / 1000,
  };
}
