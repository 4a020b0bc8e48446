/**
 * What happens once a release stays: the other version finishes and ends, and the host watches the new one.
 */
import { AUDIT_LOG, other, releaseFolder } from '../contract/places.ts';
import type { AuditLine, Settle } from '../contract/release.ts';
import { drain, enable, stopColour, unitsUp } from './colours.ts';
import { beginGuard, forgetSuspended } from './guard-files.ts';
import { runHook } from './hooks.ts';
import type { Host } from './host.ts';
import { putJobs } from './jobs/put.ts';
import { endProcesses, ensureProcesses } from './processes.ts';
import { prune } from './prune.ts';
import { type Scene, sayer, sceneOf, type Tell, within } from './scene.ts';

export async function settle(order: Settle, host: Host, tell: Tell): Promise<void> {
  const scene = sceneOf(host, order, tell);
  const { app } = order.manifest;
  await within('processes', 'they cannot be handed over', () => ensureProcesses(scene));
  await within('jobs', 'their timers cannot be put in place', () => putJobs(scene));
  await within('drain', 'cannot record what became of the release', async () => {
    await host.write(`${scene.folder}/state`, 'live\n', 0o644);
    if (order.withdrawn !== null) {
      await host.write(`${releaseFolder(app, order.withdrawn)}/state`, 'withdrawn\n', 0o644);
    }
    await enable(host, app, order.colour);
  });
  if (order.guard?.standby === true) await keepStandby(scene, order.guard.previous.manifest.release);
  else await retire(scene);
  if (order.remove.length > 0) await prune(scene, order.remove);
  if (order.audit !== null) await tellAudit(host, order.audit);
  if (order.guard !== null) await watch(scene, order.guard);
  await forgetSuspended(host, app);
  if (order.afterDeploy !== null) await runHook(scene, 'after_deploy', order.afterDeploy);
}

/** Lets the other colour finish its requests, then stops it. */
export async function retire({ host, tell, settings, placed }: Scene): Promise<void> {
  const { app, drain: ms } = placed.manifest;
  const colour = other(placed.colour);
  await host.remove(`${settings}/standby`);
  if ((await unitsUp(host, app, colour)).length === 0) {
    await stopColour(host, app, colour);
    return;
  }
  const say = sayer(tell, 'drain');
  say.started(colour);
  const { most, cut } = await drain(host, app, colour, ms, tell);
  await endProcesses(host, app, colour, tell);
  await stopColour(host, app, colour);
  say.done(
    cut === 0
      ? `${colour} finished ${most} requests, stopped`
      : `${colour} stopped with ${cut} requests still under way after ${ms / 1000} s`,
  );
}

/** The previous processes stand by, without visitors, until the watch ends: Tomcat takes long to start. */
async function keepStandby({ host, tell, settings, placed }: Scene, release: string): Promise<void> {
  const colour = other(placed.colour);
  await endProcesses(host, placed.manifest.app, colour, tell);
  await host.write(`${settings}/standby`, `${colour} ${release}\n`, 0o644);
  sayer(tell, 'drain').skipped(`${colour} stands by while the host watches`);
}

/** The deploy has succeeded, whatever becomes of the watch. */
async function watch(scene: Scene, guard: NonNullable<Settle['guard']>): Promise<void> {
  const say = sayer(scene.tell, 'guard');
  try {
    await beginGuard(scene.host, { watched: scene.placed, order: guard });
    say.done(`the host watches it for ${Math.ceil(guard.watch / 1000)} s`);
  } catch {
    // Nobody would stop it later.
    if (guard.standby) await retire(scene);
    say.skipped('the host cannot watch it');
  }
}

/** Appends one line. */
export async function tellAudit(host: Host, line: AuditLine): Promise<void> {
  await host.append(AUDIT_LOG, `${JSON.stringify(line)}\n`);
}
