/** An application that stands still on all of its hosts while its data changes places. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { APPS } from '../contract/places.ts';
import { Failure } from '../errors.ts';
import type { ReleaseHost } from '../release/index.ts';
import { withValues } from '../ssh/script.ts';
import guarded from './guarded.sh' with { type: 'text' };
import startApp from './start-app.sh' with { type: 'text' };
import stopApp from './stop-app.sh' with { type: 'text' };

const GUARD_MS = 10 * 60_000;

function notedIn(app: string): string {
  return `${APPS}/${app}/stopped`;
}

/** Instances, processes and jobs. */
function unitsOf(app: string): readonly string[] {
  return [`pipeline-${app}@*.service`, `pipeline-${app}@*.timer`];
}

/**
 * Stops the application everywhere; what did run starts again with `startAgain`.
 * @throws Failure kind `locked`: a new release is being let in
 */
export async function standStill(
  app: string,
  hosts: readonly ReleaseHost[],
  context: Context,
): Promise<void> {
  await Promise.all(hosts.map((host) => untilUnguarded(app, host, context)));
  await onAll(
    hosts,
    withValues(stopApp, { units: unitsOf(app), noted: notedIn(app) }),
    `stop ${app}`,
    context,
  );
}

/** Starts what `standStill` stopped, also what an earlier run did. */
export function startAgain(app: string, hosts: readonly ReleaseHost[], context: Context): Promise<void> {
  return onAll(hosts, withValues(startApp, { noted: notedIn(app) }), `start ${app}`, context);
}

async function onAll(
  hosts: readonly ReleaseHost[],
  script: string,
  stage: string,
  context: Context,
): Promise<void> {
  await Promise.all(
    hosts.map(async ({ name, connection }) => {
      context.progress({ host: name, stage, state: 'started' });
      await connection.check(script, { label: stage, signal: context.signal });
      context.progress({ host: name, stage, state: 'done' });
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
