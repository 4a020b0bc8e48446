/** Starts a release's processes in its colour. */
import { NETWORKS, PLACED_LOG } from '../contract/places.ts';
import { drain, instancesFile, stopColour, unitPath, unitsOf, unitsUp } from './colours.ts';
import { endProcesses, processesOf } from './processes.ts';
import { failed, type Scene, sayer, within } from './scene.ts';

/** How long leftover processes may take to finish their requests when their colour is needed. */
const LEFT_DRAIN_MS = 5000;

/**
 * Puts units, settings and link in place, and starts the processes. Calls `begun` before anything runs that
 * an undo would have to stop. Processes of this release that stand by are used as they are.
 */
export async function start(scene: Scene, begun: () => void): Promise<void> {
  const { host, placed, settings } = scene;
  const { app } = placed.manifest;
  const { colour, instances } = placed;
  const say = sayer(scene.tell, 'start');
  say.started(colour);
  const where = instances.map(({ address, port, network }) =>
    network === null ? `:${port}` : `${address}:${port}`,
  );
  if (await standsBy(scene)) {
    begun();
    say.done(`${colour} stands by on ${where.join(' ')}`);
    return;
  }
  if ((await unitsUp(host, app, colour)).length > 0) {
    await drain(host, app, colour, LEFT_DRAIN_MS, scene.tell);
    await endProcesses(host, app, colour, scene.tell);
    await stopColour(host, app, colour);
  }
  const changed = await within('start', 'cannot write the unit', () => writeUnits(scene));
  await within('start', 'cannot write the link', () =>
    host.link(`releases/${placed.manifest.release}`, scene.link),
  );
  await within('start', 'cannot note the release', () =>
    host.append(PLACED_LOG, `${host.journalTime()} ${colour} ${placed.manifest.release} ${app}\n`),
  );
  await host.remove(`${settings}/standby`);
  await host.write(`${settings}/${colour}.instances`, listOf(scene), 0o644);
  if (instances.length === 0) {
    // Files alone: nothing runs that could fail.
    say.done(colour);
    return;
  }
  await portsFree(scene);
  if (changed) await within('start', 'systemd does not reload', () => host.reloadUnits());
  // To the microsecond: an earlier attempt may have logged within the same second.
  scene.started = host.journalTime();
  begun();
  for (const instance of instances) await startInstance(scene, instance);
  say.done(`${colour} on ${where.join(' ')}`);
}

function listOf({ placed: { instances } }: Scene): string {
  return instancesFile(instances.map((one) => ({ ...one, network: one.network?.unit })));
}

/** Whether this release's processes already run as they would be started: they stood by for a guard. */
async function standsBy(scene: Scene): Promise<boolean> {
  const { host, placed, settings } = scene;
  const { release } = placed.manifest;
  if (placed.instances.length === 0) return false;
  if ((await host.readLink(scene.link)) !== `releases/${release}`) return false;
  if ((await host.read(`${settings}/standby`)) !== `${placed.colour} ${release}\n`) return false;
  if ((await host.read(`${settings}/${placed.colour}.instances`)) !== listOf(scene)) return false;
  for (const { unit, unitText } of placed.instances) {
    if ((await host.read(unitPath(unit))) !== unitText) return false;
    if ((await host.unit(unit)).active !== 'active') return false;
  }
  for (const { unit, unitText } of processesOf(scene)) {
    if ((await host.read(unitPath(unit))) !== unitText) return false;
  }
  return true;
}

/** @returns whether systemd must read its units again. */
async function writeUnits(scene: Scene): Promise<boolean> {
  const { host, placed } = scene;
  const { manifest, colour, instances } = placed;
  let changed = false;
  for (const { name, unit, unitText, network } of instances) {
    if ((await host.read(unitPath(unit))) !== unitText) {
      await host.write(unitPath(unit), unitText, 0o644);
      changed = true;
    }
    if (network !== null) await host.write(`${NETWORKS}/${manifest.app}-${name}`, network.settings, 0o644);
  }
  const processes = processesOf(scene);
  for (const { unit, unitText } of processes) {
    if ((await host.read(unitPath(unit))) === unitText) continue;
    await host.write(unitPath(unit), unitText, 0o644);
    changed = true;
  }
  for (const unit of await unitsOf(host, manifest.app, colour)) {
    if ([...instances, ...processes].some((one) => one.unit === unit)) continue;
    await host.remove(unitPath(unit));
    changed = true;
  }
  return changed;
}

async function portsFree({ host, placed }: Scene): Promise<void> {
  for (const { port, network } of placed.instances) {
    if (network !== null) continue;
    const taken = await host.listener(port);
    if (taken === undefined) continue;
    const by = taken === '' ? '' : ` (${taken})`;
    throw failed('start', `port ${port} is taken by another program${by}`);
  }
}

async function startInstance(scene: Scene, instance: Scene['placed']['instances'][number]): Promise<void> {
  const { host } = scene;
  const { unit, network } = instance;
  if (network !== null && !(await host.start(network.unit))) {
    const said = (await host.log(network.unit, scene.started)).slice(-3).join(' ');
    throw failed('start', `the network of ${unit.replace(/\.service$/, '')} cannot be made: ${said}`);
  }
  if (await host.start(unit)) return;
  const { result, exitCode } = await host.unit(unit);
  throw failed('start', `it cannot be started (${result}, exit code ${exitCode})`, await logOf(scene));
}

/** The last lines that the new processes printed, with Java's stacks cut short. */
export async function logOf(scene: Scene): Promise<readonly string[]> {
  const { host, placed, folder } = scene;
  const fatal = (await host.read(`${folder}/fatal`))?.trim();
  const all: string[] = [];
  for (const { unit } of placed.instances) all.push(...(await host.log(unit, scene.started)));
  return (fatal === undefined ? all : telling(all, fatal)).slice(-25);
}

/** Java's log up to where Tomcat gave up, with only the top of each stack. */
function telling(lines: readonly string[], fatal: string): readonly string[] {
  const told: string[] = [];
  let frames = 0;
  for (const line of lines) {
    const frame = /^[ \t]+(at |\.\.\. \d+ (more|common))/.test(line);
    frames = frame ? frames + 1 : 0;
    if (frames <= 2) told.push(line);
    if (line.includes(fatal)) break;
  }
  return told;
}
