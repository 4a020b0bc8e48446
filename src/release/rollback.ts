/** Back to an earlier release that is still on the hosts. */
import { appNamed } from '../build/build.ts';
import type { Context } from '../context.ts';
import { other } from '../contract/places.ts';
import { whoami } from '../environment/audit.ts';
import { lookAtFirewalls, openFirewalls } from './front/firewall.ts';
import { lookAtFront, placeFront } from './front/front.ts';
import { jobsElsewhere } from './jobs/elsewhere.ts';
import { lookAt, type SeenHost } from './look/look.ts';
import { liveRelease } from './plan/decide.ts';
import { outcome } from './plan/outcome.ts';
import { planRelease } from './plan/plan.ts';
import { clearRollout, dividerOf, hasRollout, tellRollout } from './rollout.ts';
import { carryOut } from './send/carry-out.ts';
import { ready } from './send/prepare.ts';
import type { DeployResult, RollbackRequest } from './types.ts';

/**
 * Puts an earlier release into service again, as carefully as a deploy. The caller holds the lock.
 * @throws Failure kind `usage` if no such release is on every host, naming those that are; else as `deploy`.
 */
export async function rollback(request: RollbackRequest, context: Context): Promise<DeployResult> {
  const started = performance.now();
  const { config, app, hosts } = request;
  const definition = appNamed(config, app);
  const by = request.by ?? whoami(context);
  const [before, front, firewalls] = await Promise.all([
    lookAt(app, hosts, context),
    lookAtFront(request, definition, context, 'back'),
    lookAtFirewalls(request, definition, context),
  ]);
  const letIn = before.some(({ facts }) => facts.rollout);
  const left = hasRollout(before, front);
  if (left) await endRollout(request, by, context);
  const found = left ? await lookAt(app, hosts, context) : before;
  if (letIn && request.release === undefined) return tookBack(app, found, started);
  const aim = { action: 'rollback', app, by, definition, release: request.release } as const;
  const plan = planRelease(aim, { hosts: found, front });
  const { manifest } = plan;
  await openFirewalls(firewalls, context);
  for (const planned of plan.hosts)
    if (planned.settle !== undefined) await ready(planned, undefined, context);
  const formerJobs = await jobsElsewhere(request, plan.hosts, context);
  await carryOut({ ...plan, formerJobs }, context);
  const fronted = await placeFront(app, plan.front, context);
  const { ref, commit, subject, release } = manifest;
  const seconds = (performance.now() - started) / 1000;
  return { app, ref, commit, subject, release, ...outcome(plan.hosts, fronted), seconds };
}

async function endRollout(request: RollbackRequest, by: string, context: Context): Promise<void> {
  if (await clearRollout(request, context)) return;
  await tellRollout(dividerOf(request), request.app, 'abort', context, by);
  await clearRollout(request, context);
}

/** The version that was let in is gone again: what serves is what served before. */
function tookBack(app: string, found: readonly SeenHost[], started: number): DeployResult {
  const live = found.map(({ facts }) => liveRelease(facts)?.manifest).find((one) => one !== undefined);
  if (live === undefined) throw new Error('a rollout has a version of before');
  const { release, ref, commit, subject } = live;
  const hosts = found.map(({ host, facts }) => {
    const colour = facts.live ?? 'blue';
    return { host: host.name, previous: facts.colours[other(colour)] ?? null, changed: true, colour };
  });
  const seconds = (performance.now() - started) / 1000;
  const previous = hosts[0]?.previous ?? null;
  return { app, ref, commit, subject, release, previous, changed: true, hosts, watch: 0, seconds };
}
