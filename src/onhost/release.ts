/**
 * A release takes over on this host: start the new version, wait until it is healthy, move the traffic, watch
 * it, let the old one finish.
 *
 * Whatever happens before the new version has proved itself, the old one keeps serving: see `undo`. From
 * `kept` on everything is finished, even if nobody listens.
 */

import { other } from '../contract/places.ts';
import type { ReleaseOrder, RolloutOrder, Settle, TakeOver } from '../contract/release.ts';
import { rolloutFolder } from '../contract/rollout.ts';
import { drain, enable, moveTo, serving, stopColour } from './colours.ts';
import { resumeGuard, suspendGuard } from './guard-files.ts';
import { becomeHealthy, probation } from './health.ts';
import { hookUnit, runHook } from './hooks.ts';
import type { Host } from './host.ts';
import { type Interrupt, interruptible } from './interrupt.ts';
import { place } from './place.ts';
import { enableProcesses, endProcesses, restoreProcesses, startProcesses } from './processes.ts';
import { backToBaseline, beginRollout, undoRollout } from './rollout/begin.ts';
import { endByBalancer } from './rollout/end.ts';
import { failed, type Scene, sayer, sceneOf, type Tell, within } from './scene.ts';
import { settle } from './settle.ts';
import { needFolder, putSite } from './site.ts';
import { start } from './start.ts';

/** How far a release has come, and so what to undo if it ends. */
type Phase = 'nothing' | 'started' | 'shared' | 'switched' | 'kept';

/** How long a failed version may take to finish its requests. */
const FAILED_DRAIN_MS = 5000;

/** @throws Failure with its step, or Interrupted; then the previous version serves. */
export async function carryOut(
  order: ReleaseOrder,
  host: Host,
  tell: Tell,
  interrupt: Interrupt,
): Promise<void> {
  if (order.verb === 'end-rollout') {
    interrupt.keepGoing();
    await endByBalancer(host, order, tell);
    return;
  }
  if (order.verb !== 'revert') await alone(host, order);
  if (order.verb === 'let-in') {
    await instead(order.takeOver, host, interrupt, () =>
      letIn(order.takeOver, order.rollout, host, tell, interrupt),
    );
  } else if (order.verb === 'divide') {
    await divide(order.rollout, host, tell);
  } else if (order.verb === 'take-over') {
    await instead(order.takeOver, host, interrupt, () => takeOver(order.takeOver, host, tell, interrupt));
    if (order.settle !== null) await keep(order.settle, host, tell, interrupt);
  } else if (order.verb === 'settle') {
    await keep(order.settle, host, tell, interrupt);
  } else {
    interrupt.keepGoing();
    await revert(order, host, tell);
  }
}

/** The first minute of the version that serves goes on where another one fails to take over. */
async function instead(
  { manifest }: TakeOver,
  host: Host,
  interrupt: Interrupt,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await suspendGuard(interruptible(host, interrupt), manifest.app);
    await work();
  } catch (error) {
    interrupt.keepGoing();
    await resumeGuard(host, manifest.app);
    throw error;
  }
}

/** From here on the new version stays. */
async function keep(order: Settle, host: Host, tell: Tell, interrupt: Interrupt): Promise<void> {
  if (order.site !== null) {
    await putSite(sceneOf(interruptible(host, interrupt), order, tell), order.site);
  }
  interrupt.keepGoing();
  await settle(order, host, tell);
}

/** A rollout decides by itself; nothing else changes the application meanwhile. */
async function alone(
  host: Host,
  order: Exclude<ReleaseOrder, { verb: 'revert' | 'end-rollout' }>,
): Promise<void> {
  const { app } =
    order.verb === 'settle'
      ? order.settle.manifest
      : order.verb === 'divide'
        ? order.rollout.settle.manifest
        : order.takeOver.manifest;
  const folder = rolloutFolder(app);
  if (await host.exists(`${folder}/order.json`)) throw failed('lock', 'a rollout is under way');
  // One that was killed before it began.
  if (await host.exists(folder)) await backToBaseline(host, app, await serving(host, app));
}

/** Up to the rollout that decides what becomes of it; ends with both versions running. */
async function letIn(
  order: TakeOver,
  rollout: RolloutOrder,
  host: Host,
  tell: Tell,
  interrupt: Interrupt,
): Promise<void> {
  const scene = sceneOf(interruptible(host, interrupt), order, tell);
  let phase: Phase = 'nothing';
  try {
    await unchanged(scene, order);
    await bring(scene, order);
    await needFolder(scene, rollout.shared);
    await start(scene, () => {
      phase = 'started';
    });
    await becomeHealthy(scene);
    interrupt.check();
    interrupt.keepGoing();
    phase = 'shared';
    await beginRollout(scene, rollout);
  } catch (error) {
    interrupt.keepGoing();
    await undo(sceneOf(host, order, tell), order, phase);
    throw error;
  }
}

/** A balancer begins to divide: its hosts run both versions. */
async function divide(rollout: RolloutOrder, host: Host, tell: Tell): Promise<void> {
  const scene = sceneOf(host, rollout.settle, tell);
  const { app } = rollout.settle.manifest;
  try {
    await beginRollout(scene, rollout);
  } catch (error) {
    await undoRollout(host, app, rollout.baseline.colour);
    throw error;
  }
}

/** Up to and including the switch and the probation; ends with the old version standing by. */
export async function takeOver(order: TakeOver, host: Host, tell: Tell, interrupt: Interrupt): Promise<void> {
  const scene = sceneOf(interruptible(host, interrupt), order, tell);
  let phase: Phase = 'nothing';
  try {
    await unchanged(scene, order);
    await bring(scene, order);
    await start(scene, () => {
      phase = 'started';
    });
    await becomeHealthy(scene);
    if (order.site !== null) await putSite(scene, order.site);
    await startProcesses(scene, 'before');
    await switchOver(scene, () => {
      phase = 'switched';
    });
    await startProcesses(scene, 'after');
    await prove(scene, order);
    interrupt.check();
    interrupt.keepGoing();
    phase = 'kept';
  } catch (error) {
    interrupt.keepGoing();
    await undo(sceneOf(host, order, tell), order, phase);
    throw error;
  }
}

/** Files, secrets and the slot; then the command that runs before traffic moves. */
async function bring(scene: Scene, order: TakeOver): Promise<void> {
  const { host, settings } = scene;
  if (order.placing !== null) await place(scene, order.placing);
  await within('place', 'cannot write the settings', async () => {
    for (const [name, value] of Object.entries(order.keepSecrets)) {
      await host.makeFolder(`${settings}/secrets`, 0o700);
      // A secret that an earlier deploy generated stays: other hosts know it.
      if ((await host.read(`${settings}/secrets/${name}`)) !== undefined) continue;
      await host.write(`${settings}/secrets/${name}`, value, 0o600);
    }
    if (!(await host.exists(`${settings}/slot`)))
      await host.write(`${settings}/slot`, `${order.slot}\n`, 0o644);
  });
  await needFolder(scene, order.site);
  if (order.beforeCutOver !== null) await runHook(scene, 'before_cut_over', order.beforeCutOver);
}

async function switchOver(scene: Scene, begun: () => void): Promise<void> {
  const { host, placed } = scene;
  const { app } = placed.manifest;
  await within('switch', 'cannot enable the unit', async () => {
    await enable(host, app, placed.colour);
    await enableProcesses(scene);
  });
  begun();
  await within('switch', 'cannot move the traffic', () => moveTo(host, app, placed.colour));
  sayer(scene.tell, 'switch').done(`to ${placed.colour}`);
}

/** A first version has nothing to go back to, and files cannot fail. */
async function prove(scene: Scene, order: TakeOver): Promise<void> {
  const ms = order.manifest.probation;
  if (order.old === null || ms === 0 || order.instances.length === 0) return;
  await within('probation', 'it cannot be watched', () => probation(scene, ms));
}

/** The host may have gone back by itself since we looked. */
async function unchanged({ host }: Scene, { manifest, old }: TakeOver): Promise<void> {
  if (old === null || (await serving(host, manifest.app)) === old) return;
  throw failed('lock', 'meanwhile its host changed the version that serves');
}

/** The previous version keeps serving. Does as much as possible, then reports what failed. */
async function undo(scene: Scene, order: Undone, phase: Phase): Promise<void> {
  const { host, placed, root, folder } = scene;
  const { app } = placed.manifest;
  const steps: (() => Promise<unknown>)[] = [() => host.stop(hookUnit(app))];
  if (phase === 'shared') steps.push(() => undoRollout(host, app, order.old));
  if (phase === 'switched') {
    const { old } = order;
    if (old !== null) steps.push(() => moveTo(host, app, old));
    steps.push(() => drain(host, app, placed.colour, FAILED_DRAIN_MS, () => {}));
  }
  if (phase !== 'nothing') {
    steps.push(() => endProcesses(host, app, placed.colour, scene.tell));
    steps.push(() => stopColour(host, app, placed.colour));
    if (!order.proven) steps.push(() => host.write(`${folder}/state`, 'failed\n', 0o644));
  }
  if (phase === 'nothing') steps.push(() => endStandby(scene));
  steps.push(() => restoreOld(scene, order, phase));
  steps.push(() => host.remove(`${root}/releases/.new`));
  const troubles = await each(steps);
  for (const line of troubles) scene.tell({ event: 'log', line });
}

/** A run that was killed before may have stopped processes of the version that serves. */
async function restoreOld({ host, tell, placed }: Scene, { old }: Undone, phase: Phase): Promise<void> {
  const { app } = placed.manifest;
  if (old === null) return;
  if (phase === 'nothing' && (await serving(host, app)) !== old) return;
  await restoreProcesses(host, app, old, tell);
}

/** Ends processes that stood by for a guard, which this run ended before it got any further. */
async function endStandby({ host, placed, settings }: Scene): Promise<void> {
  if (!(await host.exists(`${settings}/standby`))) return;
  await stopColour(host, placed.manifest.app, placed.colour);
  await host.remove(`${settings}/standby`);
}

type Undone = Pick<TakeOver, 'old' | 'proven'>;

/** Takes every step, whatever becomes of the others. @returns what went wrong. */
async function each(steps: readonly (() => Promise<unknown>)[]): Promise<readonly string[]> {
  const troubles: string[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      troubles.push(`going back: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return troubles;
}

/** Back to the version that stands by, after another host's failure. */
async function revert(
  order: Extract<ReleaseOrder, { verb: 'revert' }>,
  host: Host,
  tell: Tell,
): Promise<void> {
  const say = sayer(tell, 'revert');
  const scene = sceneOf(host, order.placed, tell);
  const { app } = order.placed.manifest;
  say.started();
  const shared = await host.exists(rolloutFolder(app));
  await undo(scene, order, shared ? 'shared' : 'switched');
  if (order.old !== null && (await serving(host, app)) !== order.old) {
    throw failed('revert', `visitors still get ${other(order.old)}`);
  }
  await resumeGuard(host, app);
  say.done();
}
