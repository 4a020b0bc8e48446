/** Carries a deploy or a rollback out: one host after the other, and back on all of them where one fails. */
import type { Context } from '../context.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Colour } from '../contract/places.ts';
import { other } from '../contract/places.ts';
import { type AuditEntry, audit } from '../environment/audit.ts';
import { asFailure, Failure } from '../errors.ts';
import { connect } from '../ssh/openssh.ts';
import { liveRelease, prunable, running } from './decide.ts';
import { HOOK_SECONDS } from './functions.ts';
import { guardSteps } from './guard.ts';
import type { PlannedHost, ReleasePlan } from './plan.ts';
import {
  commitScript,
  deployScript,
  type HostCommit,
  type HostRollout,
  revertScript,
  rolloutScript,
} from './rollout.ts';
import { runReleaseScript, type ScriptRun } from './run.ts';
import { hidden } from './secrets.ts';

/** For everything on a host that is not waiting for the application itself. */
const OVERHEAD_MS = 10 * 60_000;

/**
 * @throws Failure kind `host`: the version of before serves on every host again (or still).
 */
export async function carryOut(plan: ReleasePlan, context: Context): Promise<void> {
  const [only, ...others] = plan.hosts.filter(({ commit }) => commit !== undefined);
  if (only === undefined) return;
  if (others.length === 0) {
    await attempt(plan, [only], context, () => alone(plan, only, context));
    return;
  }
  const work = [only, ...others];
  await attempt(plan, work, context, async (switched) => {
    for (const planned of work) {
      if (planned.rollout === undefined) continue;
      await runReleaseScript(planned.host, scriptRun(plan, planned, rolloutScript(planned.rollout)), context);
      switched.push(planned);
    }
  });
  const ended = await Promise.allSettled(
    work.map((planned) => {
      const commit = commitOf(plan, planned, context);
      return runReleaseScript(planned.host, scriptRun(plan, planned, commitScript(commit)), context);
    }),
  );
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** A single host: one script from beginning to end. */
async function alone(plan: ReleasePlan, planned: PlannedHost, context: Context): Promise<void> {
  const commit = commitOf(plan, planned, context);
  const script = planned.rollout === undefined ? commitScript(commit) : deployScript(planned.rollout, commit);
  await runReleaseScript(planned.host, scriptRun(plan, planned, script), context);
}

/** Runs `work`; where it fails, hosts that have switched go back, and the failure is written into the audit log of every host that took part. */
async function attempt(
  plan: ReleasePlan,
  plans: readonly PlannedHost[],
  context: Context,
  work: (switched: PlannedHost[]) => Promise<void>,
): Promise<void> {
  // Hosts that an earlier, killed run has switched go back too.
  const switched = plans.filter(
    ({ rollout, commit, facts }) =>
      rollout === undefined && commit !== undefined && running(facts, other(commit.colour)),
  );
  try {
    await work(switched);
  } catch (thrown) {
    const failure = asFailure(thrown);
    const interrupted = context.signal.aborted;
    const away = plans.length > 1 ? await revert(plan, switched, context) : [];
    if (!interrupted) await tellAudit(plan, plans, failure, context);
    if (away.length === 0) throw thrown;
    throw new Failure(failure.kind, failure.message, {
      ...failure,
      output: [...failure.output, ...away.map(({ name, why }) => `${name} could not go back: ${why}`)],
      next: `${away.map(({ name }) => name).join(', ')} may serve the new version still: run pipeline rollback ${plan.app} once reachable.`,
      cause: failure,
    });
  }
}

/** Back to the version that stands by, over connections of their own: those of before end with Ctrl-C. Returns hosts where that failed. */
async function revert(
  plan: ReleasePlan,
  switched: readonly PlannedHost[],
  context: Context,
): Promise<readonly { readonly name: string; readonly why: string }[]> {
  const lasting: Context = { ...context, signal: AbortSignal.timeout(120_000) };
  const ended = await Promise.all(
    switched.map(async (planned) => {
      const { manifest, colour, old, proven } = revertOf(planned);
      const connection = connect(planned.host.connection.target, lasting);
      try {
        const script = revertScript(manifest, colour, old, proven);
        const host = { name: planned.host.name, connection };
        context.progress({ host: planned.host.name, stage: 'revert', state: 'started' });
        await runReleaseScript(host, scriptRun(plan, planned, script), lasting);
        context.progress({ host: planned.host.name, stage: 'revert', state: 'done' });
        return undefined;
      } catch (error) {
        context.progress({ host: planned.host.name, stage: 'revert', state: 'failed' });
        return { name: planned.host.name, why: asFailure(error).message };
      } finally {
        await connection.close();
      }
    }),
  );
  return ended.filter((one) => one !== undefined);
}

function revertOf(planned: PlannedHost): {
  readonly manifest: Manifest;
  readonly colour: Colour;
  readonly old: Colour | null;
  readonly proven: boolean;
} {
  if (planned.rollout !== undefined) return planned.rollout;
  if (planned.commit === undefined) throw new RangeError(`nothing was done on ${planned.host.name}`);
  return { ...planned.commit, old: other(planned.commit.colour), proven: true };
}

function scriptRun({ action, app, hosts }: ReleasePlan, planned: PlannedHost, script: string): ScriptRun {
  const manifest = planned.rollout?.manifest ?? planned.commit?.manifest;
  if (manifest === undefined) throw new RangeError(`nothing is to be done on ${planned.host.name}`);
  const waits = manifest.instances * (manifest.health.within + manifest.health.timeout);
  const hooks = 1000 * HOOK_SECONDS * Object.values(manifest.hooks).filter((hook) => hook !== null).length;
  const serving = hosts.some(({ facts }) => liveRelease(facts) !== undefined)
    ? `The version of before serves${hosts.length > 1 ? ' on every host' : ''}.`
    : 'Nothing serves yet.';
  const colour = planned.rollout?.colour ?? planned.commit?.colour ?? 'blue';
  return {
    label: `${action} ${app}`,
    script,
    timeoutMs: OVERHEAD_MS + hooks + waits + manifest.probation + manifest.drain,
    secrets: hidden({ ...planned.rollout?.secrets.values, ...sensitive(planned.rollout) }),
    subject: `${app} ${manifest.release}`,
    next: `${serving} The whole log: pipeline prod ssh ${planned.host.name} -- journalctl -u 'pipeline-${app}@${colour}*' -n 200`,
  };
}

function sensitive(rollout: HostRollout | undefined): Record<string, string> {
  return rollout?.certificate?.kind === 'given' ? { key: rollout.certificate.key } : {};
}

function commitOf(plan: ReleasePlan, planned: PlannedHost, context: Context): HostCommit {
  if (planned.commit === undefined) throw new RangeError(`nothing is to be done on ${planned.host.name}`);
  const { manifest, withdrawn, colour, slot } = planned.commit;
  const before = liveRelease(planned.facts)?.manifest.release;
  const kept = planned.facts.releases.filter((one) => one.manifest.release !== manifest.release);
  const releases = [{ manifest, state: 'live' as const, digest: '' }, ...kept].sort((a, b) =>
    a.manifest.release < b.manifest.release ? 1 : -1,
  );
  const audit = entry(plan, manifest, context);
  return {
    ...planned.commit,
    guard: planned.guard && guardSteps({ ...planned.guard, manifest, colour, slot, audit }),
    remove: prunable(releases, plan.keep, manifest.release, before),
    audit: {
      ...audit,
      result: 'live',
      previous: before === manifest.release ? undefined : before,
      message: withdrawn === undefined ? undefined : `left ${withdrawn}`,
    },
  };
}

function entry({ action, app, by }: ReleasePlan, manifest: Manifest, context: Context): AuditEntry {
  const { release, commit, ref, subject } = manifest;
  return {
    at: context.now().toISOString(),
    by,
    action,
    result: 'live',
    app,
    release,
    commit: commit ?? undefined,
    ref,
    subject,
  };
}

async function tellAudit(
  plan: ReleasePlan,
  plans: readonly PlannedHost[],
  failure: Failure,
  context: Context,
): Promise<void> {
  await Promise.all(
    plans.map(async ({ host, rollout, commit }) => {
      const manifest = rollout?.manifest ?? commit?.manifest;
      if (manifest === undefined) return;
      const line = { ...entry(plan, manifest, context), result: 'failed', message: failure.message };
      await audit(host.connection, line, context).catch((error: unknown) =>
        context.trace(`${host.name}: the audit log could not be told: ${asFailure(error).message}`),
      );
    }),
  );
}
