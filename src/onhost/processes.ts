/**
 * Processes beside the web ones. They change over with the visitors: those of the new version start before
 * the switch or after it. Where one is exclusive, the other colour's has ended before, and does not start at
 * boot.
 */
import type { Manifest } from '../contract/manifest.ts';
import { type Colour, colourLink, isProcessUnit, other, processOf } from '../contract/places.ts';
import type { OrderedProcess } from '../contract/release.ts';
import { disableUnits, enableUnits, unitsOf } from './colours.ts';
import type { Host } from './host.ts';
import { failed, type Scene, sayer, type Tell, within } from './scene.ts';

/** A process that has run so long without ending counts as started. */
const STEADY_MS = 2000;
const LOOK_MS = 100;
/** How long one may take to end that says nothing else. */
const STOP_MS = 30_000;
const LOG_LINES = 25;

/** Of the release; those of `when` alone where it is given. */
export function processesOf({ placed }: Scene, when?: OrderedProcess['when']): readonly OrderedProcess[] {
  return (placed.processes ?? []).filter((one) => when === undefined || one.when === when);
}

/**
 * Starts the processes of this moment, and waits until each has run for a while.
 * @throws Failure step `processes` where one ends by itself, with its own last lines.
 */
export async function startProcesses(scene: Scene, when: OrderedProcess['when']): Promise<void> {
  const due = processesOf(scene, when);
  if (due.length === 0) return;
  const { host } = scene;
  const say = sayer(scene.tell, 'processes');
  say.started(named(due));
  await within('processes', 'the old one cannot be stopped', () => handOver(scene, due));
  // Those that run beside the old ones start at boot from the switch on.
  const alone = due.filter(({ exclusive }) => when === 'after' || exclusive).map(unitOf);
  await within('processes', 'cannot enable the unit', () => enableUnits(host, alone));
  // To the microsecond: an earlier attempt may have logged within the same second.
  const since = host.journalTime();
  for (const process of due) {
    if (!(await host.start(process.unit))) await refused(scene, process, since);
  }
  const deadline = host.now() + STEADY_MS;
  while (host.now() < deadline) {
    await host.sleep(LOOK_MS);
    for (const process of due) await steady(scene, process, since);
  }
  say.done(named(due));
}

/** Those that start before the switch also start at boot from then on. */
export async function enableProcesses(scene: Scene): Promise<void> {
  await enableUnits(scene.host, processesOf(scene, 'before').map(unitOf));
}

/**
 * Once a release stays: whatever of its processes does not run yet is started. Never throws for one of them.
 */
export async function ensureProcesses(scene: Scene): Promise<void> {
  const { host, tell } = scene;
  const missing: OrderedProcess[] = [];
  for (const process of processesOf(scene)) {
    if ((await host.unit(process.unit)).active !== 'active') missing.push(process);
  }
  if (missing.length > 0) await handOver(scene, missing);
  for (const { name, unit } of missing) {
    // systemd starts it again and again; the guard sees that.
    if (!(await host.start(unit))) tell({ event: 'log', line: `${name} cannot be started yet` });
  }
  await enableUnits(host, processesOf(scene).map(unitOf));
  if (missing.length > 0) sayer(tell, 'processes').done(named(missing));
}

/** Ends the other colour's processes that must not run beside these. */
async function handOver(scene: Scene, due: readonly OrderedProcess[]): Promise<void> {
  const { host, placed } = scene;
  const { app } = placed.manifest;
  const colour = other(placed.colour);
  const theirs = await declared(host, app, colour);
  const ending = due.filter(
    ({ name, exclusive }) => exclusive || theirs.some((one) => one.name === name && one.exclusive),
  );
  const names = new Set(ending.map(({ name }) => name));
  if (names.size === 0) return;
  const units = (await processUnits(host, app, colour)).filter((unit) => names.has(processOf(unit) ?? ''));
  const ended = await endUnits(host, app, colour, units, scene.tell);
  if (ended !== '') sayer(scene.tell, 'processes').running(ended);
}

/** Ends a colour's processes, and each may finish what it is at. They no longer start at boot. */
export async function endProcesses(host: Host, app: string, colour: Colour, tell: Tell): Promise<void> {
  const ended = await endUnits(host, app, colour, await processUnits(host, app, colour), tell);
  if (ended !== '') sayer(tell, 'processes').done(ended);
}

/** @returns how they ended, for people; empty: none ran. */
async function endUnits(
  host: Host,
  app: string,
  colour: Colour,
  units: readonly string[],
  tell: Tell,
): Promise<string> {
  const up: string[] = [];
  for (const unit of units) if ((await host.unit(unit)).active !== 'inactive') up.push(unit);
  const ended = up.length === 0 ? '' : await finishUnits(host, app, colour, up, tell);
  // Until they have ended they would start again at a reboot, which would cut them off.
  await disableUnits(host, units);
  return ended;
}

/** Stops them, and tells each second that somebody waits. */
async function finishUnits(
  host: Host,
  app: string,
  colour: Colour,
  up: readonly string[],
  tell: Tell,
): Promise<string> {
  const say = sayer(tell, 'processes');
  const theirs = await declared(host, app, colour);
  const within = Math.max(
    ...up.map((unit) => theirs.find(({ name }) => name === processOf(unit))?.stopWithin ?? STOP_MS),
  );
  const list = up.map((unit) => unit.replace(/^.*@|\.service$/g, '')).join(', ');
  const began = host.now();
  let told = began;
  let over = false;
  const work = host.stop(...up).finally(() => {
    over = true;
  });
  // Whoever ends this wait early has no use for what becomes of it.
  work.catch(() => {});
  say.running(`${list} finishes what it is at`);
  while (!over) {
    await host.sleep(LOOK_MS);
    if (host.now() - told < 1000) continue;
    told = host.now();
    say.running(`${list} finishes what it is at`);
  }
  await work;
  const cut = host.now() - began >= within;
  return cut ? `${list} did not end within ${within / 1000} s, killed` : `${list} ended`;
}

/**
 * The version that keeps serving has all of its processes again, after the other one's have ended.
 */
export async function restoreProcesses(host: Host, app: string, colour: Colour, tell: Tell): Promise<void> {
  const units = await processUnits(host, app, colour);
  if (units.length === 0) return;
  await endProcesses(host, app, other(colour), tell);
  await enableUnits(host, units);
  for (const unit of units) {
    if ((await host.unit(unit)).active === 'active') continue;
    if (!(await host.start(unit))) tell({ event: 'log', line: `${unit} cannot be started again` });
  }
}

async function processUnits(host: Host, app: string, colour: Colour): Promise<readonly string[]> {
  return (await unitsOf(host, app, colour)).filter(isProcessUnit);
}

/** What the release behind a colour says of its processes. */
async function declared(
  host: Host,
  app: string,
  colour: Colour,
): Promise<NonNullable<Manifest['processes']>> {
  const text = await host.read(`${colourLink(app, colour)}/release.json`);
  return text === undefined ? [] : ((JSON.parse(text) as Manifest).processes ?? []);
}

async function refused(scene: Scene, { name, unit }: OrderedProcess, since: string): Promise<never> {
  const { result, exitCode } = await scene.host.unit(unit);
  const why = `${name} cannot be started (${result}, exit code ${exitCode})`;
  throw failed('processes', why, await lastLines(scene.host, unit, since));
}

async function steady({ host }: Scene, { name, unit }: OrderedProcess, since: string): Promise<void> {
  const { active, restarts } = await host.unit(unit);
  if (active === 'active' && restarts === 0) return;
  const code = await host.lastExit(unit, since);
  const lines = await lastLines(host, unit, since);
  throw failed('processes', `${name} ended by itself (exit code ${code})`, lines);
}

export async function lastLines(host: Host, unit: string, since: string): Promise<readonly string[]> {
  return (await host.log(unit, since)).slice(-LOG_LINES);
}

function unitOf({ unit }: OrderedProcess): string {
  return unit;
}

function named(processes: readonly OrderedProcess[]): string {
  return [...new Set(processes.map(({ name }) => name))].join(', ');
}
