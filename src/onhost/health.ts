/** Whether the new version answers: before traffic moves, and in its probation. */
import type { OrderedInstance, OrderedProcess, ReleaseStep } from '../contract/release.ts';
import { lastLines } from './processes.ts';
import { failed, type Scene, sayer } from './scene.ts';
import { logOf } from './start.ts';

const AFTER_GOOD_MS = 50;
const AFTER_BAD_MS = 150;
/** A process that ended so often will not start. */
const HOPELESS_RESTARTS = 3;
/** Failed checks in a row, a second apart, that end a probation or a guard's watch. */
export const FAILED_CHECKS = 3;

/** Asks every instance until it is healthy, time is up, or it keeps ending. */
export async function becomeHealthy(scene: Scene): Promise<void> {
  const { instances } = scene.placed;
  if (instances.length === 0) return;
  const say = sayer(scene.tell, 'health');
  say.started();
  let asked = '';
  for (const instance of instances) asked = await healthy(scene, instance);
  say.done(asked);
}

async function healthy(scene: Scene, { unit, address, port }: OrderedInstance): Promise<string> {
  const { host, folder, placed } = scene;
  const { within, consecutive } = placed.manifest.health;
  const deadline = host.now() + within;
  const say = sayer(scene.tell, 'health');
  let good = 0;
  for (;;) {
    const { healthy: well, silent, said } = await host.check(folder, `${address}:${port}`);
    if (well) {
      good += 1;
      const asked = `${said}   ${good} of ${consecutive}`;
      say.running(asked);
      if (good >= consecutive) return asked;
      await host.sleep(AFTER_GOOD_MS);
      continue;
    }
    good = 0;
    const late = host.now() >= deadline;
    const { restarts } = await host.unit(unit);
    if (restarts >= HOPELESS_RESTARTS || (restarts >= 1 && late)) {
      const times = `${restarts} time${restarts === 1 ? '' : 's'}`;
      const code = await host.lastExit(unit, scene.started);
      await giveUp(scene, 'health', `it ended ${times} while it should start (exit code ${code})`);
    }
    if (await givenUp(scene, unit)) await giveUp(scene, 'health', 'its application did not start');
    if (late) {
      const where = silent ? (await host.listensOn(unit)).join(' ') : '';
      const instead = where === '' ? '' : `; it listens on ${where} instead`;
      await giveUp(scene, 'health', `not healthy after ${Math.trunc(within / 1000)} s: ${said}${instead}`);
    }
    say.running(said);
    await host.sleep(AFTER_BAD_MS);
  }
}

async function giveUp(scene: Scene, step: ReleaseStep, why: string): Promise<never> {
  throw failed(step, why, await logOf(scene));
}

/** It runs, but its log says that it will never be healthy. */
async function givenUp({ host, folder, started }: Scene, unit: string): Promise<boolean> {
  const fatal = (await host.read(`${folder}/fatal`))?.trim();
  if (fatal === undefined || fatal === '') return false;
  return (await host.log(unit, started)).some((line) => line.includes(fatal));
}

/** The probation: the old version stands by, and each instance answers for itself. */
export async function probation(scene: Scene, ms: number): Promise<void> {
  const { host, folder, placed } = scene;
  const say = sayer(scene.tell, 'probation');
  say.started();
  const seen = new Map<string, { readonly restarts: number; bad: number }>();
  for (const { unit } of placed.instances) {
    seen.set(unit, { restarts: (await host.unit(unit)).restarts, bad: 0 });
  }
  for (const { unit } of placed.processes ?? []) {
    seen.set(unit, { restarts: (await host.unit(unit)).restarts, bad: 0 });
  }
  const deadline = host.now() + ms;
  while (host.now() < deadline) {
    say.running(`${Math.trunc((deadline - host.now()) / 1000)} s left`);
    await host.sleep(1000);
    for (const process of placed.processes ?? []) {
      await stillUp(scene, process, seen.get(process.unit)?.restarts ?? 0);
    }
    for (const { unit, address, port } of placed.instances) {
      const before = seen.get(unit);
      if (before === undefined) continue;
      if ((await host.unit(unit)).restarts !== before.restarts) {
        const code = await host.lastExit(unit, scene.started);
        await giveUp(scene, 'probation', `it ended by itself (exit code ${code})`);
      }
      const { healthy: well, said } = await host.check(folder, `${address}:${port}`);
      before.bad = well ? 0 : before.bad + 1;
      if (before.bad >= FAILED_CHECKS) await giveUp(scene, 'probation', said);
    }
  }
  say.done();
}

async function stillUp(
  { host, started }: Scene,
  { name, unit }: OrderedProcess,
  before: number,
): Promise<void> {
  if ((await host.unit(unit)).restarts === before) return;
  const code = await host.lastExit(unit, started);
  const lines = await lastLines(host, unit, started);
  throw failed('probation', `${name} ended by itself (exit code ${code})`, lines);
}
