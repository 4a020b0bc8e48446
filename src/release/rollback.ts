/** Back to an earlier release, from what is still on the hosts. */
import { appNamed } from '../build/build.ts';
import type { Context } from '../context.ts';
import { whoami } from '../environment/audit.ts';
import { lookAtFront, placeFront } from './front/front.ts';
import { lookAt } from './look/look.ts';
import { outcome } from './plan/outcome.ts';
import { planRelease } from './plan/plan.ts';
import { carryOut } from './send/carry-out.ts';
import { ready } from './send/prepare.ts';
import type { DeployResult, RollbackRequest } from './types.ts';

/**
 * Puts an earlier release into service again, the same careful way as a deploy. The caller holds the lock.
 * @throws Failure kind `usage` where no such release is on every host, naming those that are; else as `deploy`.
 */
export async function rollback(request: RollbackRequest, context: Context): Promise<DeployResult> {
  const started = performance.now();
  const { config, app, hosts } = request;
  const definition = appNamed(config, app);
  const by = request.by ?? whoami(context);
  const [found, front] = await Promise.all([
    lookAt(app, hosts, context),
    lookAtFront(request, definition, context, 'back'),
  ]);
  const aim = { action: 'rollback', app, by, definition, release: request.release } as const;
  const plan = planRelease(aim, { hosts: found, front });
  const { manifest } = plan;
  for (const planned of plan.hosts)
    if (planned.settle !== undefined) await ready(planned, undefined, context);
  await carryOut(plan, context);
  const fronted = await placeFront(app, plan.front, context);
  const { ref, commit, subject, release } = manifest;
  const seconds = (performance.now() - started) / 1000;
  return { app, ref, commit, subject, release, ...outcome(plan.hosts, fronted), seconds };
}
