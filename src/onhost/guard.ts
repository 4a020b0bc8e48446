/**
 * The first minute of a new release: after the deploy the host watches it, and goes back to the previous one
 * if it fails.
 */
import type { ReleaseEvent } from '../contract/release.ts';
import { disableGuard, serving } from './colours.ts';
import { type GuardState, guardFolder, takeUpGuard } from './guard-files.ts';
import { FAILED_CHECKS } from './health.ts';
import type { Host } from './host.ts';
import { Interrupt } from './interrupt.ts';
import { takeOver } from './release.ts';
import { sceneOf } from './scene.ts';
import { retire, settle, tellAudit } from './settle.ts';

/**
 * How often a process may end by itself within the watch: some services exit on some requests, in their old
 * version too.
 */
const ENDS = 3;

/** Runs `work` while nobody else changes the application. */
export type WithLock = <T>(app: string, work: () => Promise<T>) => Promise<T>;

/**
 * Takes the lock only to act, so that nobody waits for it.
 * @returns whether the host serves what it should; false: the way back failed.
 */
export async function guard(
  app: string,
  host: Host,
  lock: WithLock,
  print: (line: string) => void,
): Promise<boolean> {
  const folder = guardFolder(app);
  const order = () => host.read(`${folder}/order.json`);
  // A release that was to take over died with its host.
  const up = async () => ((await takeUpGuard(host, app)) ? order() : undefined);
  const text = (await order()) ?? (await lock(app, up));
  if (text === undefined) return true;
  const state = JSON.parse(text) as GuardState;
  const why = (await host.read(`${folder}/reason`))?.trim() || (await watch(state, host));
  if (why === null) {
    await lock(app, () => endWell(state, host));
    return true;
  }
  await host.write(`${folder}/reason`, `${why}\n`, 0o600);
  return lock(app, () => goBack(state, why, host, print));
}

/** @returns why it failed; null: it did not. */
async function watch({ watched, order }: GuardState, host: Host): Promise<string | null> {
  const { app, health } = watched.manifest;
  const { folder } = sceneOf(host, watched, () => {});
  const began = host.now();
  const since = host.journalTime();
  const until = Number((await host.read(`${guardFolder(app)}/until`)) ?? began + order.watch);
  const seen = new Map<string, { readonly restarts: number; bad: number; well: boolean }>();
  for (const { unit } of [...watched.instances, ...(watched.processes ?? [])]) {
    seen.set(unit, { restarts: (await host.unit(unit)).restarts, bad: 0, well: false });
  }
  while (host.now() < until) {
    await host.sleep(1000);
    for (const { name, unit } of watched.processes ?? []) {
      const ended = (await host.unit(unit)).restarts - (seen.get(unit)?.restarts ?? 0);
      if (ended <= ENDS) continue;
      return `${name} ended ${ended} times by itself (exit code ${await host.lastExit(unit, since)})`;
    }
    for (const { unit, address, port } of watched.instances) {
      const one = seen.get(unit);
      if (one === undefined) continue;
      const ended = (await host.unit(unit)).restarts - one.restarts;
      if (ended > ENDS) {
        return `it ended ${ended} times by itself (exit code ${await host.lastExit(unit, since)})`;
      }
      const { healthy, said } = await host.check(folder, `${address}:${port}`);
      one.bad = healthy ? 0 : one.bad + 1;
      one.well ||= healthy;
      // After a reboot it may take as long to start as a new version may.
      if (one.bad >= FAILED_CHECKS && (one.well || host.now() - began >= health.within)) return said;
    }
  }
  return null;
}

async function endWell({ watched, order }: GuardState, host: Host): Promise<void> {
  const { app } = watched.manifest;
  if (order.standby && (await serving(host, app)) === watched.colour) {
    await retire(sceneOf(host, watched, () => {}));
  }
  await forget(host, app);
  await host.remove(guardFolder(app));
}

async function forget(host: Host, app: string): Promise<void> {
  await disableGuard(host, app);
}

/** Does not repeat what an interrupted run did. */
async function goBack(
  { watched, order }: GuardState,
  why: string,
  host: Host,
  print: (line: string) => void,
): Promise<boolean> {
  const { app, release } = watched.manifest;
  const { previous } = order;
  let last = '';
  const tell = (event: ReleaseEvent) => {
    if (event.event === 'log') print(event.line);
    else if (event.event !== 'end') print(`${event.event} ${event.step} ${event.detail}`);
  };
  const back = { ...previous, site: null, audit: null, afterDeploy: null, guard: null };
  try {
    await returnTo(watched.colour, back, host, tell);
  } catch (error) {
    last = error instanceof Error ? error.message : String(error);
  }
  await forget(host, app);
  const became = last === '' ? `went back to ${previous.manifest.release}` : couldNot(previous, last);
  if (last === '') {
    await host.write(`${sceneOf(host, watched, tell).folder}/state`, 'failed\n', 0o644);
  }
  const message = `${why}; ${became}`;
  print(`<3>${app} ${release} failed in its first minute: ${message}`);
  await tellAudit(host, {
    ...order.audit,
    at: new Date(host.now()).toISOString(),
    result: 'failed',
    message,
  });
  return last === '';
}

function couldNot({ manifest }: GuardState['watched'], why: string): string {
  return `${manifest.release} could not be started: ${why}`;
}

async function returnTo(
  from: GuardState['watched']['colour'],
  back: GuardState['watched'] & { readonly site: null; readonly audit: null } & {
    readonly afterDeploy: null;
    readonly guard: null;
  },
  host: Host,
  tell: (event: ReleaseEvent) => void,
): Promise<void> {
  const stays = { ...back, withdrawn: null, remove: [] };
  if ((await serving(host, back.manifest.app)) !== from) {
    await settle(stays, host, tell);
    return;
  }
  const order = {
    ...back,
    old: from,
    placing: null,
    keepSecrets: {},
    beforeCutOver: null,
    proven: true,
  };
  await takeOver(order, host, tell, new Interrupt());
  await settle(stays, host, tell);
}
