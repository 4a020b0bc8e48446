/** An application that stands still on all of its hosts while its data changes places. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { standstillNote } from '../contract/backup-paths.ts';
import { Failure } from '../errors.ts';
import { type AppOnHosts, closeForRestore, openAfterRestore, type ReleaseHost } from '../release/index.ts';
import { withValues } from '../ssh/script.ts';
import guarded from './guarded.sh' with { type: 'text' };
import { PROGRAM } from './on-host.ts';
import startApp from './start-app.sh' with { type: 'text' };
import stopApp from './stop-app.sh' with { type: 'text' };

const GUARD_MS = 10 * 60_000;
/** How long an application has to become well, at least. */
const LEAST_WELL_MS = 60_000;

/** A drop-in of all instances, processes and jobs. */
function conditionOf(app: string): string {
  return `/etc/systemd/system/pipeline-${app}@.service.d/restore.conf`;
}

/** Instances, processes and jobs. */
function unitsOf(app: string): readonly string[] {
  return [`pipeline-${app}@*.service`, `pipeline-${app}@*.timer`];
}

/**
 * Stops the application everywhere, behind its page of maintenance; what did run starts again with
 * `startAgain`.
 * @throws Failure kind `locked`: a new release is being let in
 */
export async function standStill(request: AppOnHosts, context: Context): Promise<void> {
  const { app, hosts } = request;
  await Promise.all(hosts.map((host) => untilUnguarded(app, host, context)));
  await closeForRestore(request, context);
  const values = { units: unitsOf(app), noted: standstillNote(app), condition: conditionOf(app) };
  await onAll(hosts, withValues(stopApp, values), `stop ${app}`, context);
}

/**
 * Starts what `standStill` stopped, also what an earlier run did, and opens the site once it answers.
 * @throws Failure kind `host`: it does not become well; it is open all the same
 */
export async function startAgain(request: AppOnHosts, context: Context): Promise<void> {
  const { app, hosts, config } = request;
  const within = config.apps[app]?.health.within ?? 0;
  const values = {
    noted: standstillNote(app),
    condition: conditionOf(app),
    app,
    program: PROGRAM,
    seconds: String(Math.ceil(Math.max(within, LEAST_WELL_MS) / 1000)),
  };
  const said = await onAll(hosts, withValues(startApp, values), `start ${app}`, context);
  await openAfterRestore(request, context);
  const unwell = said.find((one) => one.text !== '');
  if (unwell === undefined) return;
  throw new Failure('host', `${unwell.host}: with its data back, ${app} is not well: ${unwell.text}`, {
    host: unwell.host,
    next: `See why: pipeline logs ${app} --since 5m. What was there before is in pipeline backup list.`,
  });
}

/** @returns what each host said, without words of its own */
async function onAll(
  hosts: readonly ReleaseHost[],
  script: string,
  stage: string,
  context: Context,
): Promise<readonly { readonly host: string; readonly text: string }[]> {
  return Promise.all(
    hosts.map(async ({ name, connection }) => {
      context.progress({ host: name, stage, state: 'started' });
      const text = await connection.check(script, { label: stage, signal: context.signal });
      context.progress({ host: name, stage, state: 'done' });
      return { host: name, text: text.trim().replace(/^unwell /, '') };
    }),
  );
}

/** A host that watches a new release would take a stop for its failure. */
async function untilUnguarded(
  app: string,
  { name, connection }: ReleaseHost,
  context: Context,
): Promise<void> {
  const end = context.now().getTime() + GUARD_MS;
  const options = { label: `is ${app} watched`, signal: context.signal };
  while (context.now().getTime() < end) {
    const said = await connection.check(withValues(guarded, { app }), options);
    if (said.includes('rollout'))
      throw new Failure('locked', `${app}: a rollout is under way`, {
        host: name,
        next: `End it with pipeline rollout promote ${app}, or abort. Then run the command again.`,
      });
    if (!said.includes('guard')) return;
    context.progress({ host: name, stage: 'watch over the new release', state: 'running' });
    await sleep(1000, undefined, { signal: context.signal });
  }
  throw new Failure('locked', `${name} still watches a new release of ${app}`, {
    host: name,
    next: 'Run the command again once that has ended.',
  });
}
