/** The processes in a colour: which there are, how busy they are, and how they end. */
import { type Colour, isProcessUnit, settingsFolder } from '../contract/places.ts';
import { rolloutFolder, rolloutUnit } from '../contract/rollout.ts';
import type { Host } from './host.ts';
import { sayer, type Tell } from './scene.ts';

const UNITS = '/etc/systemd/system';
const WANTED = `${UNITS}/multi-user.target.wants`;
/** So many looks in a row must find nobody connected. */
const QUIET_LOOKS = 3;
const LOOK_MS = 100;

/** One line of `COLOUR.instances`, which `ready` and the agent read too. */
export interface RunningInstance {
  readonly unit: string;
  readonly address: string;
  readonly port: number;
  readonly network: string | undefined;
}

export function instancesFile(instances: readonly RunningInstance[]): string {
  return instances
    .map(({ unit, address, port, network }) => `${[unit, address, port, network ?? []].flat().join(' ')}\n`)
    .join('');
}

export async function instancesIn(host: Host, app: string, colour: Colour): Promise<RunningInstance[]> {
  const text = (await host.read(`${settingsFolder(app)}/${colour}.instances`)) ?? '';
  return text.split('\n').flatMap((line) => {
    const [unit, address, port, network] = line.split(' ');
    return unit && address && port ? [{ unit, address, port: Number(port), network }] : [];
  });
}

/** The colour that serves visitors, in a rollout those who are not let in; null: there is no site. */
export async function serving(host: Host, app: string): Promise<Colour | null> {
  const baseline = (await host.read(`${rolloutFolder(app)}/baseline`))?.trim();
  if (baseline === 'blue' || baseline === 'green') return baseline;
  const green = await host.weights(app);
  return green === undefined ? null : green > 50 ? 'green' : 'blue';
}

/** Moves all traffic to a colour. */
export async function moveTo(host: Host, app: string, colour: Colour): Promise<void> {
  await host.moveTraffic(app, colour === 'green' ? 100 : 0);
}

export function unitPath(unit: string): string {
  return `${UNITS}/${unit}`;
}

/** Names of the unit files of a colour. */
export async function unitsOf(host: Host, app: string, colour: Colour): Promise<readonly string[]> {
  const prefix = `pipeline-${app}@${colour}`;
  const names = await host.list(UNITS);
  return names.filter((name) => name === `${prefix}.service` || isFurther(name, prefix));
}

function isFurther(name: string, prefix: string): boolean {
  return name.startsWith(`${prefix}-`) && name.endsWith('.service');
}

/** A colour's units that are not inactive. */
export async function unitsUp(host: Host, app: string, colour: Colour): Promise<readonly string[]> {
  const name = `pipeline-${app}@${colour}`;
  const units = await host.loaded(`${name}.service`, `${name}-*.service`);
  return units.map(({ unit }) => unit);
}

/** Its web processes start at boot. */
export async function enable(host: Host, app: string, colour: Colour): Promise<void> {
  const units = await unitsOf(host, app, colour);
  await enableUnits(
    host,
    units.filter((unit) => !isProcessUnit(unit)),
  );
}

export async function enableUnits(host: Host, units: readonly string[]): Promise<void> {
  for (const unit of units) await host.link(`../${unit}`, `${WANTED}/${unit}`);
}

export async function disableUnits(host: Host, units: readonly string[]): Promise<void> {
  for (const unit of units) await host.remove(`${WANTED}/${unit}`);
}

export async function enableGuard(host: Host, app: string): Promise<void> {
  await host.link('../pipeline-guard@.service', `${WANTED}/pipeline-guard@${app}.service`);
}

export async function disableGuard(host: Host, app: string): Promise<void> {
  await host.remove(`${WANTED}/pipeline-guard@${app}.service`);
}

export async function enableRollout(host: Host, app: string): Promise<void> {
  await host.link('../pipeline-rollout@.service', `${WANTED}/${rolloutUnit(app)}`);
}

export async function disableRollout(host: Host, app: string): Promise<void> {
  await host.remove(`${WANTED}/${rolloutUnit(app)}`);
}

export interface Drained {
  /** The most requests under way at once, and how many were left when time was up. */
  readonly most: number;
  readonly cut: number;
}

/** Waits until nobody has been connected for 0.3 s, or time is up. */
export async function drain(
  host: Host,
  app: string,
  colour: Colour,
  ms: number,
  tell: Tell,
): Promise<Drained> {
  const addresses = (await instancesIn(host, app, colour)).map(({ address, port }) => `${address}:${port}`);
  const deadline = host.now() + ms;
  const say = sayer(tell, 'drain');
  let quiet = 0;
  let most = 0;
  let cut = 0;
  let told = host.now();
  while (addresses.length > 0) {
    cut = await host.connections(addresses);
    quiet = cut === 0 ? quiet + 1 : 0;
    if (cut > most || host.now() - told >= 1000) {
      most = Math.max(most, cut);
      told = host.now();
      say.running(`${colour} has ${cut} requests under way`);
    }
    if (quiet >= QUIET_LOOKS || host.now() >= deadline) break;
    await host.sleep(LOOK_MS);
  }
  return { most, cut };
}

/** Stops a colour's processes and networks; they no longer start at boot. */
export async function stopColour(host: Host, app: string, colour: Colour): Promise<void> {
  const units = await unitsOf(host, app, colour);
  if (units.length === 0) return;
  await host.stop(...units);
  await disableUnits(host, units);
  const networks = (await instancesIn(host, app, colour)).flatMap(({ network }) => network ?? []);
  if (networks.length > 0) await host.stop(...networks);
}
