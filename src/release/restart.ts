/** The live release anew: started in the other colour, checked, and switched to. */
import { appNamed } from '../build/build.ts';
import type { Context } from '../context.ts';
import { whoami } from '../environment/audit.ts';
import { lookAtFirewalls, openFirewalls } from './front/firewall.ts';
import { lookAtFront } from './front/front.ts';
import { hostNamed } from './hosts.ts';
import { lookAt } from './look/look.ts';
import { outcome } from './plan/outcome.ts';
import { planRelease } from './plan/plan.ts';
import { lookAfterRollouts } from './rollout.ts';
import { carryOut } from './send/carry-out.ts';
import { ready } from './send/prepare.ts';
import type { AppOnHosts, DeployResult } from './types.ts';

export interface RestartRequest extends AppOnHosts {
  /** Name of one of its hosts; undefined: all, one after the other. */
  readonly host?: string | undefined;
}

/**
 * As carefully as a deploy, and with what the release was placed with. The caller holds the lock.
 * @throws Failure kind `usage`: nothing runs; kind `host`: it does not become healthy, and the processes of
 *   before serve on.
 */
export async function restart(request: RestartRequest, context: Context): Promise<DeployResult> {
  const started = performance.now();
  const { app, host: only } = request;
  const definition = appNamed(request.config, app);
  const name = only === undefined ? undefined : hostNamed(request, only).name;
  const [before, front, firewalls] = await Promise.all([
    lookAt(app, request.hosts, context),
    lookAtFront(request, definition, context, 'back'),
    lookAtFirewalls(request, definition, context),
  ]);
  const hosts = await lookAfterRollouts(before, front, request, context);
  const by = request.by ?? whoami(context);
  const aim = { action: 'restart', app, by, definition, only: name } as const;
  const plan = planRelease(aim, { hosts, front });
  await openFirewalls(firewalls, context);
  for (const planned of plan.hosts)
    if (planned.settle !== undefined) await ready(planned, undefined, context);
  await carryOut(plan, context);
  const { ref, commit, subject, release } = plan.manifest;
  const seconds = (performance.now() - started) / 1000;
  return { app, ref, commit, subject, release, ...outcome(plan.hosts, false), seconds };
}
