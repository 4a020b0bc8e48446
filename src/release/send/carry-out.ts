/** Carries out a deploy or a rollback: one host after the other, and back on all of them if one fails. */
import type { Context } from '../../context.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { other } from '../../contract/places.ts';
import {
  type AuditLine,
  BUILD_SECONDS,
  HOOK_SECONDS,
  type ReleaseOrder,
  type RolloutOrder,
  type Settle,
} from '../../contract/release.ts';
import { type AuditEntry, audit } from '../../environment/audit.ts';
import { asFailure, Failure } from '../../errors.ts';
import { converge } from '../../host/converge.ts';
import { ROLLOUT_UNIT } from '../../roles/node-service.ts';
import { connect } from '../../ssh/openssh.ts';
import { stopJobs } from '../jobs/elsewhere.ts';
import { guardOrder, placedIn, settleOrder, takeOverOrder } from '../order/order.ts';
import { dividingOrder, rolloutOrder } from '../order/rollout.ts';
import { leftOver, liveRelease, prunable } from '../plan/decide.ts';
import type { PlannedHost, ReleasePlan } from '../plan/plan.ts';
import type { PlannedSettle, PlannedTakeOver } from '../plan/planned.ts';
import type { PlannedRollout } from '../plan/rollout.ts';
import { hidden } from '../secrets.ts';
import { convergeProgram, programName } from './program.ts';
import { type OrderRun, runOrder } from './run.ts';
import { inStage } from './stage.ts';

/** For everything on a host but waiting for the application. */
const OVERHEAD_MS = 10 * 60_000;

/** A host with something to do. */
interface Busy extends PlannedHost {
  readonly settle: PlannedSettle;
}

/**
 * @throws Failure kind `host`: the previous version serves on every host, again or still.
 */
export async function carryOut(
  plan: ReleasePlan,
  context: Context,
  letIn?: PlannedRollout | undefined,
): Promise<void> {
  const work = plan.hosts.filter((planned): planned is Busy => planned.settle !== undefined);
  const send = async (planned: Busy, order: ReleaseOrder) =>
    runOrder(planned.host, await orderRun(plan, planned, order), context);
  const settle = (planned: Busy) => settleOrder(planned.settle, settling(plan, planned, context));
  const [only] = work;
  const former = plan.formerJobs ?? [];
  const moving = former.length > 0 && letIn === undefined;
  if (letIn !== undefined) await stopJobs(former, plan.app, context);
  if (work.length === 1 && only !== undefined && !moving) {
    const order =
      letIn === undefined ? both(only.takeOver, settle(only)) : shared(plan, only, letIn, context);
    await attempt(plan, work, context, () => send(only, order));
    return;
  }
  if (letIn !== undefined) {
    await attempt(plan, work, context, async (switched) => {
      for (const planned of work) {
        await send(planned, shared(plan, planned, letIn, context));
        switched.push(planned);
      }
      await divide(plan, letIn, context);
    });
    return;
  }
  await attempt(plan, work, context, async (switched) => {
    for (const planned of work) {
      if (planned.takeOver === undefined) continue;
      await send(planned, { verb: 'take-over', takeOver: takeOverOrder(planned.takeOver), settle: null });
      switched.push(planned);
    }
  });
  // They may miss a time of this moment, and never have it twice.
  await stopJobs(former, plan.app, context);
  const settled = work.map((planned) => send(planned, { verb: 'settle', settle: settle(planned) }));
  const ended = await Promise.allSettled(settled);
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** A single host: one order does everything. */
function both(takeOver: PlannedTakeOver | undefined, settle: Settle): ReleaseOrder {
  return takeOver === undefined
    ? { verb: 'settle', settle }
    : { verb: 'take-over', takeOver: takeOverOrder(takeOver), settle };
}

function auditOf({
  at: _,
  action: __,
  result: ___,
  message: ____,
  ...rest
}: AuditLine): RolloutOrder['audit'] {
  return rest;
}

/** Its balancer lets visitors in, and decides. */
async function divide(plan: ReleasePlan, letIn: PlannedRollout, context: Context): Promise<void> {
  const { app, manifest, front } = plan;
  const previous = plan.hosts
    .map(({ facts }) => liveRelease(facts)?.manifest)
    .find((one) => one !== undefined);
  if (previous === undefined) throw new Error('a rollout has two versions');
  const { host } = letIn;
  await inStage(host, 'prepare', context, async () => {
    await converge(host.connection, [ROLLOUT_UNIT], context);
    await convergeProgram(host.connection, context);
  });
  const order = {
    verb: 'divide',
    rollout: dividingOrder(letIn, manifest, previous, front, auditOf(entry(plan, manifest, context))),
  } as const;
  const secrets = front.certificate?.kind === 'given' ? [front.certificate.key] : [];
  const run = {
    ...{ label: `divide ${app}`, order, program: await programName(), timeoutMs: OVERHEAD_MS },
    ...{ secrets: [...secrets, letIn.seed], subject: `${app} ${manifest.release}` },
    next: 'The version of before serves on every host.',
  };
  await runOrder(host, run, context);
}

/** A host: both versions serve until it is decided which of them stays. */
function shared(plan: ReleasePlan, planned: Busy, letIn: PlannedRollout, context: Context): ReleaseOrder {
  const { takeOver, facts } = planned;
  const live = liveRelease(facts);
  if (takeOver === undefined || live === undefined) throw new Error('a rollout has two versions');
  const settle = settleOrder(planned.settle, settling(plan, planned, context));
  const audit = auditOf(settle.audit ?? entry(plan, takeOver.manifest, context));
  return {
    verb: 'let-in',
    takeOver: takeOverOrder({ ...takeOver, site: undefined }),
    rollout: rolloutOrder(letIn, takeOver, live.manifest, settle, audit),
  };
}

/**
 * Runs `work`; if it fails, hosts that have switched go back, and every host that took part has the failure
 * in its audit log.
 */
async function attempt(
  plan: ReleasePlan,
  plans: readonly Busy[],
  context: Context,
  work: (switched: Busy[]) => Promise<void>,
): Promise<void> {
  // So do hosts that an earlier, killed run switched.
  const switched = plans.filter(
    ({ takeOver, settle, facts }) => takeOver === undefined && leftOver(facts, other(settle.colour)),
  );
  try {
    await work(switched);
  } catch (thrown) {
    const failure = asFailure(thrown);
    const interrupted = context.signal.aborted;
    const away = plans.length > 1 ? await revert(plan, switched, context) : [];
    if (!interrupted) await tellAudit(plan, plans, failure, context);
    if (away.length === 0) throw thrown;
    const names = away.map(({ name }) => name).join(', ');
    throw new Failure(failure.kind, failure.message, {
      ...failure,
      output: [...failure.output, ...away.map(({ name, why }) => `${name} could not go back: ${why}`)],
      next: `${names} may still serve the new version: run pipeline rollback ${plan.app} once reachable.`,
      cause: failure,
    });
  }
}

/**
 * Back to the version that stands by, over new connections: the others end with Ctrl-C.
 * @returns hosts where that failed.
 */
async function revert(
  plan: ReleasePlan,
  switched: readonly Busy[],
  context: Context,
): Promise<readonly { readonly name: string; readonly why: string }[]> {
  const lasting: Context = { ...context, signal: AbortSignal.timeout(120_000) };
  const ended = await Promise.all(
    switched.map(async (planned) => {
      const { name } = planned.host;
      const connection = connect(planned.host.connection.target, lasting);
      try {
        await runOrder({ name, connection }, await orderRun(plan, planned, revertOrder(planned)), lasting);
        return undefined;
      } catch (error) {
        context.progress({ host: name, stage: 'revert', state: 'failed' });
        return { name, why: asFailure(error).message };
      } finally {
        await connection.close();
      }
    }),
  );
  return ended.filter((one) => one !== undefined);
}

function revertOrder({ takeOver, settle }: Busy): ReleaseOrder {
  const { manifest, slot, colour, first } = settle;
  const placed = placedIn(manifest, slot, colour, first);
  return takeOver === undefined
    ? { verb: 'revert', placed, old: other(colour), proven: true }
    : { verb: 'revert', placed, old: takeOver.old, proven: takeOver.proven };
}

/** Milliseconds that installing dependencies and building on the host may take. */
function building({ command }: Manifest): number {
  return 1000 * BUILD_SECONDS * [command?.lock, command?.build].filter((one) => one != null).length;
}

async function orderRun(
  { action, app, hosts }: ReleasePlan,
  { host, facts, takeOver, settle }: Busy,
  order: ReleaseOrder,
): Promise<OrderRun> {
  const { manifest, colour } = settle;
  const waits =
    manifest.instances * (manifest.health.within + manifest.health.timeout) + ends(manifest, facts);
  const hooks = 1000 * HOOK_SECONDS * Object.values(manifest.hooks).filter((hook) => hook !== null).length;
  const serving = hosts.some(({ facts }) => liveRelease(facts) !== undefined)
    ? `The version of before serves${hosts.length > 1 ? ' on every host' : ''}.`
    : 'Nothing serves yet.';
  const log = `pipeline prod ssh ${host.name} -- journalctl -u 'pipeline-${app}@${colour}*' -n 200`;
  return {
    label: `${action} ${app}`,
    order,
    program: await programName(),
    timeoutMs: OVERHEAD_MS + building(manifest) + hooks + waits + manifest.probation + manifest.drain,
    secrets: hidden({ ...takeOver?.secrets.values, ...sensitive(takeOver) }),
    subject: `${app} ${manifest.release}`,
    next: `${serving} The whole log: ${log}`,
  };
}

/** How long processes of either version may take to end, in milliseconds. */
function ends(manifest: Manifest, facts: PlannedHost['facts']): number {
  const both = [...(manifest.processes ?? []), ...(liveRelease(facts)?.manifest.processes ?? [])];
  return 2 * both.reduce((most, { stopWithin }) => Math.max(most, stopWithin), 0);
}

function sensitive(takeOver: PlannedTakeOver | undefined): Record<string, string> {
  return takeOver?.certificate?.kind === 'given' ? { key: takeOver.certificate.key } : {};
}

/** What settling needs besides its plan: what the host had, and who asks. */
function settling(
  plan: ReleasePlan,
  { facts, settle, guard }: Busy,
  context: Context,
): Pick<Settle, 'remove' | 'audit' | 'guard'> {
  const { manifest, withdrawn, colour, slot, first } = settle;
  const before = liveRelease(facts)?.manifest.release;
  const kept = facts.releases.filter((one) => one.manifest.release !== manifest.release);
  const releases = [{ manifest, state: 'live' as const, digest: '' }, ...kept].sort((a, b) =>
    a.manifest.release < b.manifest.release ? 1 : -1,
  );
  const line = entry(plan, manifest, context);
  const { at: _, result: __, ...failing } = line;
  return {
    remove: prunable(releases, plan.keep, manifest.release, before),
    audit: {
      ...line,
      previous: before === manifest.release ? undefined : before,
      message: withdrawn === undefined ? undefined : `left ${withdrawn}`,
    },
    guard:
      guard === undefined
        ? null
        : guardOrder(guard.watch, placedIn(guard.previous, slot, other(colour), first), failing),
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
  plans: readonly Busy[],
  failure: Failure,
  context: Context,
): Promise<void> {
  await Promise.all(
    plans.map(async ({ host, settle: { manifest } }) => {
      const line = { ...entry(plan, manifest, context), result: 'failed', message: failure.message };
      await audit(host.connection, line, context).catch((error: unknown) =>
        context.trace(`${host.name}: the audit log could not be told: ${asFailure(error).message}`),
      );
    }),
  );
}
