/**
 * Hosts that ran an application's jobs and do so no more: its first host is another one now. A job must not
 * run there and here.
 */
import type { Context } from '../../context.ts';
import { jobTimer } from '../../contract/places.ts';
import { asFailure } from '../../errors.ts';
import { quote } from '../../ssh/quote.ts';
import { withValues } from '../../ssh/script.ts';
import type { PlannedHost } from '../plan/plan.ts';
import { inStage } from '../send/stage.ts';
import type { AppOnHosts, ReleaseHost } from '../types.ts';
import stopScript from './stop-jobs.sh' with { type: 'text' };

/** Hosts with timers of the application's jobs, besides its first. One that cannot be reached is told of. */
export async function jobsElsewhere(
  { app, others = [] }: AppOnHosts,
  [, ...further]: readonly Pick<PlannedHost, 'host' | 'facts'>[],
  context: Context,
): Promise<readonly ReleaseHost[]> {
  const known = further.filter(({ facts }) => facts.timers.size > 0).map(({ host }) => host);
  const found = await Promise.all(
    others.map(async (host) => ((await hasTimers(host, app, context)) ? host : [])),
  );
  return [...known, ...found.flat()];
}

async function hasTimers(host: ReleaseHost, app: string, context: Context): Promise<boolean> {
  const pattern = `/etc/systemd/system/${jobTimer(app, '*')}`;
  const [start = '', end = ''] = pattern.split('*');
  const script = `compgen -G ${quote(start)}'*'${quote(end)} >/dev/null`;
  const options = { label: `jobs of ${app} elsewhere`, signal: context.signal };
  try {
    return (await host.connection.script(script, options)).exitCode === 0;
  } catch (error) {
    context.signal.throwIfAborted();
    context.progress({
      host: host.name,
      stage: 'jobs',
      state: 'skipped',
      detail: `cannot be reached, so jobs of ${app} would go on there: ${asFailure(error).message}`,
    });
    return false;
  }
}

/** Takes the timers away; a run that is under way ends by itself. */
export async function stopJobs(hosts: readonly ReleaseHost[], app: string, context: Context): Promise<void> {
  for (const host of hosts) {
    await inStage(host, 'jobs', context, () =>
      host.connection.check(withValues(stopScript, { app }), {
        label: `stop jobs of ${app}`,
        signal: context.signal,
      }),
    );
  }
}
