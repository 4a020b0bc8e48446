/** What there is: reads files and `/proc`, starts a few programs side by side. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Context } from '../../context.ts';
import { findOperatorKey, operatorKeyFile } from '../operator-key.ts';
import type { EnvironmentSpec, Machine } from '../provider.ts';
import { baseDirectory, type ImageRecipe, readRecipe } from './base-image.ts';
import { imageExists } from './cache.ts';
import { forwardingWarnings } from './firewalls.ts';
import { isLed, limitsHold } from './groups.ts';
import { type Handed, handedFiles } from './handed.ts';
import { layersOn } from './layers.ts';
import { hostGroups, type MachineFacts } from './machine.ts';
import { networkReady, subnetFor } from './network.ts';
import { asMachine, type FoundBase, type FoundHost, type FoundHosts, type FoundLayer } from './plan.ts';
import { imagesUnder, listHosts, readEnvironmentRecord, readHostRecord } from './records.ts';
import { answersSsh } from './running.ts';
import { type EnvironmentLayout, hostLayout, type LocalSettings } from './settings.ts';
import { missingPackages } from './tools.ts';

/** Everything that the work on one environment depends on. */
export interface Local {
  readonly context: Context;
  readonly spec: EnvironmentSpec;
  readonly settings: LocalSettings;
  readonly environment: EnvironmentLayout;
  readonly facts: MachineFacts;
}

/** What was found, with what `apply` needs besides to act on it. */
export interface MachineFindings {
  readonly found: FoundHosts;
  /** What base images are made from, by folder. */
  readonly recipes: ReadonlyMap<string, ImageRecipe>;
  readonly handed: Handed;
}

/** How long a host that lives may take to greet before it counts as still starting. */
const GREETING_MS = 2000;

export async function find(local: Local): Promise<MachineFindings> {
  const { context, spec, settings, environment, facts } = local;
  const [packages, record, key, hosts, images, limited] = await Promise.all([
    missingPackages(context),
    readEnvironmentRecord(environment),
    findOperatorKey(spec.directory, spec.environment),
    findHosts(local, GREETING_MS),
    findImages(local),
    limitsHold(facts),
  ]);
  const subnet = await subnetFor(settings, environment, record);
  const toolsReady = packages.length === 0;
  const [handed, ready, closed] = await Promise.all([
    handedFiles(context, subnet),
    record !== undefined && toolsReady ? networkReady(context, environment, subnet) : false,
    forwardingWarnings(context),
  ]);
  const unlimited =
    'Memory and processor limits of hosts do not hold here: the controllers of the control groups are ' +
    'not available.';
  const found: FoundHosts = {
    missingPackages: packages,
    subnet,
    networkReady: ready,
    bases: images.bases,
    layers: images.layers,
    operatorKey: key?.publicKey,
    identityFile: operatorKeyFile(spec.directory, spec.environment),
    settings: handed.digest,
    hosts,
    warnings: [...handed.warnings, ...closed, ...(limited ? [] : [unlimited])],
  };
  return { found, recipes: images.recipes, handed };
}

/** The images that the machines of the configuration want: bases, each system once, and layers by machine. */
async function findImages({ spec, settings }: Local) {
  const recipes = new Map<string, ImageRecipe>();
  const images = [...new Set(spec.machines.map(({ image }) => image))];
  const bases = images.map(async (image): Promise<FoundBase> => {
    const recipe = await readRecipe(image);
    const directory = baseDirectory(settings, recipe);
    recipes.set(directory, recipe);
    return { image, codename: recipe.codename, directory, ready: await imageExists(directory) };
  });
  const found = await Promise.all(bases);
  const layers = new Map<string, readonly FoundLayer[]>();
  for (const machine of spec.machines) {
    const base = found.find(({ image }) => image === machine.image)?.directory ?? '';
    const wanted = layersOn(settings, base, machine).map(async (layer) => ({
      ...layer,
      ready: await imageExists(layer.directory),
    }));
    layers.set(machine.name, await Promise.all(wanted));
  }
  return { bases: found, layers, recipes };
}

/**
 * Hosts that have a record (half-made ones cannot be reached); `patience` is how long each may take to greet,
 * in milliseconds.
 */
export async function findMachines(local: Local, patience = GREETING_MS): Promise<Machine[]> {
  const identityFile = operatorKeyFile(local.spec.directory, local.spec.environment);
  const hosts = await findHosts(local, patience);
  return hosts.flatMap((host) => (host.record ? [asMachine({ identityFile }, host.record, host)] : []));
}

/**
 * Whether hosts' disks can be stacked there: an overlay's writable part cannot lie on an overlay, as inside a
 * container.
 */
export async function canStack(settings: LocalSettings): Promise<boolean> {
  const OVERLAYFS = 0x794c7630;
  let folder = settings.stateDirectory;
  for (;;) {
    const found = await statfs(folder).catch(() => undefined);
    if (found !== undefined) return found.type !== OVERLAYFS;
    folder = dirname(folder);
  }
}

async function findHosts({ environment, facts }: Local, patience: number): Promise<FoundHost[]> {
  const names = await listHosts(environment);
  return Promise.all(names.map((name) => findHost(environment, facts, name, patience)));
}

async function findHost(
  environment: EnvironmentLayout,
  facts: MachineFacts,
  name: string,
  patience: number,
): Promise<FoundHost> {
  const layout = hostLayout(environment, name);
  const [record, alive] = await Promise.all([
    readHostRecord(layout.recordFile),
    isLed(hostGroups(facts, layout)),
  ]);
  if (record === undefined) return { name, record, alive, answers: false, missing: [] };
  const images = imagesUnder(record);
  const [answers, there] = await Promise.all([
    alive && answersSsh(record.address, patience),
    Promise.all(images.map(imageExists)),
  ]);
  return { name, record, alive, answers, missing: images.filter((_, at) => there[at] !== true) };
}
