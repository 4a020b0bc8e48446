/** Carries a deploy or a rollback out: one host after the other, and back on all of them where one fails. */
import type { Context } from '../context.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Colour } from '../contract/places.ts';
import { other } from '../contract/places.ts';
import { asFailure, Failure } from '../errors.ts';
import { connect } from '../ssh/openssh.ts';
import { type AuditEntry, audit } from './audit.ts';
import { liveRelease, prunable, running } from './decide.ts';
import type { AppFacts } from './facts.ts';
import { HOOK_SECONDS } from './functions.ts';
import { guardSteps } from './guard.ts';
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
import type { ReleaseHost } from './types.ts';

/** One host, and what is to be done there. */
export interface HostPlan {
  readonly host: ReleaseHost;
  readonly facts: AppFacts;
  /** Absent: the wanted version serves there already. */
  readonly rollout?: HostRollout | undefined;
  /** Absent: nothing is to be done at all. */
  readonly commit?: Omit<HostCommit, 'remove' | 'audit' | 'guard'> | undefined;
  /** The release that the host goes back to by itself where the new one fails within this time (milliseconds); absent: nobody watches. */
  readonly guard?: { readonly previous: Manifest; readonly watch: number } | undefined;
}

export interface Undertaking {
  readonly action: 'deploy' | 'rollback';
  readonly app: string;
  readonly by: string;
  /** Releases kept on each host. */
  readonly keep: number;
  readonly plans: readonly HostPlan[];
}

/** For everything on a host that is not waiting for the application itself. */
const OVERHEAD_MS = 10 * 60_000;

/**
 * @throws Failure kind `host`: the version of before serves on every host again (or still).
 */
export async function carryOut(undertaking: Undertaking, context: Context): Promise<void> {
  const { plans } = undertaking;
  const [only, ...others] = plans.filter(({ commit }) => commit !== undefined);
  if (only === undefined) return;
  if (others.length === 0) {
    await attempt(undertaking, [only], context, () => alone(undertaking, only, context));
    return;
  }
  const work = [only, ...others];
  await attempt(undertaking, work, context, async (switched) => {
    for (const plan of work) {
      if (plan.rollout === undefined) continue;
      await runReleaseScript(plan.host, scriptRun(undertaking, plan, rolloutScript(plan.rollout)), context);
      switched.push(plan);
    }
  });
  const ended = await Promise.allSettled(
    work.map((plan) => {
      const commit = commitOf(undertaking, plan, context);
      return runReleaseScript(plan.host, scriptRun(undertaking, plan, commitScript(commit)), context);
    }),
  );
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** A single host: one script from beginning to end. */
async function alone(undertaking: Undertaking, plan: HostPlan, context: Context): Promise<void> {
  const commit = commitOf(undertaking, plan, context);
  const script = plan.rollout === undefined ? commitScript(commit) : deployScript(plan.rollout, commit);
  await runReleaseScript(plan.host, scriptRun(undertaking, plan, script), context);
}

/** Runs `work`; where it fails, hosts that have switched go back, and the failure is written into the audit log of every host that took part. */
async function attempt(
  undertaking: Undertaking,
  plans: readonly HostPlan[],
  context: Context,
  work: (switched: HostPlan[]) => Promise<void>,
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
    const away = plans.length > 1 ? await revert(undertaking, switched, context) : [];
    if (!interrupted) await tellAudit(undertaking, plans, failure, context);
    if (away.length === 0) throw thrown;
    throw new Failure(failure.kind, failure.message, {
      ...failure,
      output: [...failure.output, ...away.map(({ name, why }) => `${name} could not go back: ${why}`)],
      next: `${away.map(({ name }) => name).join(', ')} may serve the new version still: run pipeline rollback ${undertaking.app} once reachable.`,
      cause: failure,
    });
  }
}

/** Back to the version that stands by, over connections of their own: those of before end with Ctrl-C. Returns hosts where that failed. */
async function revert(
  undertaking: Undertaking,
  switched: readonly HostPlan[],
  context: Context,
): Promise<readonly { readonly name: string; readonly why: string }[]> {
  const lasting: Context = { ...context, signal: AbortSignal.timeout(120_000) };
  const ended = await Promise.all(
    switched.map(async (plan) => {
      const { manifest, colour, old, proven } = revertOf(plan);
      const connection = connect(plan.host.connection.target, lasting);
      try {
        const script = revertScript(manifest, colour, old, proven);
        const host = { name: plan.host.name, connection };
        context.progress({ host: plan.host.name, stage: 'revert', state: 'started' });
        await runReleaseScript(host, scriptRun(undertaking, plan, script), lasting);
        context.progress({ host: plan.host.name, stage: 'revert', state: 'done' });
        return undefined;
      } catch (error) {
        context.progress({ host: plan.host.name, stage: 'revert', state: 'failed' });
        return { name: plan.host.name, why: asFailure(error).message };
      } finally {
        await connection.close();
      }
    }),
  );
  return ended.filter((one) => one !== undefined);
}

function revertOf(plan: HostPlan): {
  readonly manifest: Manifest;
  readonly colour: Colour;
  readonly old: Colour | null;
  readonly proven: boolean;
} {
  if (plan.rollout !== undefined) return plan.rollout;
  if (plan.commit === undefined) throw new RangeError(`nothing was done on ${plan.host.name}`);
  return { ...plan.commit, old: other(plan.commit.colour), proven: true };
}

function scriptRun({ action, app, plans }: Undertaking, plan: HostPlan, script: string): ScriptRun {
  const manifest = plan.rollout?.manifest ?? plan.commit?.manifest;
  if (manifest === undefined) throw new RangeError(`nothing is to be done on ${plan.host.name}`);
  const waits = manifest.instances * (manifest.health.within + manifest.health.timeout);
  const hooks = 1000 * HOOK_SECONDS * Object.values(manifest.hooks).filter((hook) => hook !== null).length;
  const serving = plans.some(({ facts }) => liveRelease(facts) !== undefined)
    ? `The version of before serves${plans.length > 1 ? ' on every host' : ''}.`
    : 'Nothing serves yet.';
  const colour = plan.rollout?.colour ?? plan.commit?.colour ?? 'blue';
  return {
    label: `${action} ${app}`,
    script,
    timeoutMs: OVERHEAD_MS + hooks + waits + manifest.probation + manifest.drain,
    secrets: hidden({ ...plan.rollout?.secrets.values, ...sensitive(plan.rollout) }),
    subject: `${app} ${manifest.release}`,
    next: `${serving} The whole log: pipeline prod ssh ${plan.host.name} -- journalctl -u 'pipeline-${app}@${colour}*' -n 200`,
  };
}

function sensitive(rollout: HostRollout | undefined): Record<string, string> {
  return rollout?.certificate?.kind === 'given' ? { key: rollout.certificate.key } : {};
}

function commitOf(undertaking: Undertaking, plan: HostPlan, context: Context): HostCommit {
  if (plan.commit === undefined) throw new RangeError(`nothing is to be done on ${plan.host.name}`);
  const { manifest, withdrawn, colour, slot } = plan.commit;
  const before = liveRelease(plan.facts)?.manifest.release;
  const kept = plan.facts.releases.filter((one) => one.manifest.release !== manifest.release);
  const releases = [{ manifest, state: 'live' as const, digest: '' }, ...kept].sort((a, b) =>
    a.manifest.release < b.manifest.release ? 1 : -1,
  );
  const audit = entry(undertaking, manifest, context);
  return {
    ...plan.commit,
    guard: plan.guard && guardSteps({ ...plan.guard, manifest, colour, slot, audit }),
    remove: prunable(releases, undertaking.keep, manifest.release, before),
    audit: {
      ...audit,
      result: 'live',
      previous: before === manifest.release ? undefined : before,
      message: withdrawn === undefined ? undefined : `left ${withdrawn}`,
    },
  };
}

function entry({ action, app, by }: Undertaking, manifest: Manifest, context: Context): AuditEntry {
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
  undertaking: Undertaking,
  plans: readonly HostPlan[],
  failure: Failure,
  context: Context,
): Promise<void> {
  await Promise.all(
    plans.map(async ({ host, rollout, commit }) => {
      const manifest = rollout?.manifest ?? commit?.manifest;
      if (manifest === undefined) return;
      const line = { ...entry(undertaking, manifest, context), result: 'failed', message: failure.message };
      await audit(host.connection, line, context).catch((error: unknown) =>
        context.trace(`${host.name}: the audit log could not be told: ${asFailure(error).message}`),
      );
    }),
  );
}
