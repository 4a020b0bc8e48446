/** Waits until droplets run and have their addresses, and shows how they come along. */
import { Failure } from '../../../errors.ts';
import type { Droplet } from '../api/answers.ts';
import { hasHiddenDroplets, LISTED_MS } from '../api/hidden.ts';
import { until } from '../api/wait.ts';
import { ownByName } from '../plan/fleet.ts';
import { addressOf, isFresh } from '../plan/machines.ts';
import { type Doomed, removeDroplets } from './remove-droplets.ts';
import type { Work } from './work.ts';

const EVERY_MS = 1_500;
const WITHIN_MS = 10 * 60_000;
/** A list may forget a droplet for a moment. */
const VANISHED_MS = 60_000;

/**
 * The droplets with these names, active; `onListed` gets them as soon as all of them have an id, once.
 * Where a lost answer led to two of one name, the one that was never used is removed on the way.
 * @throws Failure `cloud` where one does not become active within ten minutes
 */
export async function waitForDroplets(
  work: Work,
  names: ReadonlySet<string>,
  onListed: (droplets: readonly Droplet[]) => void,
): Promise<readonly Droplet[]> {
  if (names.size === 0) {
    onListed([]);
    return [];
  }
  const { api, marks, clock, context } = work;
  const shown = new Map<string, string>();
  const lastSeen = new Map<string, number>();
  let waiting: readonly string[] = [...names];
  let networks: ReadonlySet<string> | undefined;
  let readyAt = clock.now();
  let listed = false;

  async function look(): Promise<readonly Droplet[] | undefined> {
    // One that was made twice may be listed later than its twin: what the network holds is asked first,
    // then the list.
    const complete =
      networks !== undefined &&
      (clock.now() - readyAt > LISTED_MS || !(await hasHiddenDroplets(api, networks)));
    const byName = ownByName(await api.dropletsWith(marks.environment), marks);
    const found = [...names].flatMap((name) => byName.get(name) ?? []);
    await removeDroplets(
      work,
      found.flatMap(({ others }) => others.filter((one) => isFresh(one, marks)).map(doomed)),
    );
    for (const name of names) show(name, byName.get(name)?.best);
    const present = found.map(({ best }) => best);
    checkVanished(present);
    if (present.length === names.size && !listed) {
      listed = true;
      onListed(present);
    }
    waiting = [...names].filter((name) => !isReady(byName.get(name)?.best));
    if (waiting.length > 0) return undefined;
    if (complete) return present;
    if (networks !== undefined) return undefined;
    networks = new Set(present.flatMap(({ vpc_uuid }) => vpc_uuid ?? []));
    readyAt = clock.now();
    return look();
  }

  function checkVanished(present: readonly Droplet[]): void {
    for (const { name } of present) lastSeen.set(name, clock.now());
    const gone = [...lastSeen].find(([, at]) => clock.now() - at > VANISHED_MS);
    if (gone === undefined) return;
    throw new Failure('cloud', `DigitalOcean gave up making ${gone[0]}: it was listed, and is not any more`, {
      host: gone[0],
      next: 'Run the command again: it is made anew. Where it happens again, try another size or region.',
    });
  }

  function show(name: string, droplet: Droplet | undefined): void {
    const detail = stateOf(droplet);
    if (shown.get(name) === detail) return;
    shown.set(name, detail);
    context.progress({ host: name, stage: 'droplet', state: isReady(droplet) ? 'done' : 'running', detail });
  }

  const droplets = await until(
    { clock, signal: context.signal, everyMs: EVERY_MS, withinMs: WITHIN_MS },
    look,
  );
  if (droplets !== undefined) return droplets;
  const states = waiting.map((name) => `${name}: ${shown.get(name)}`);
  throw new Failure('cloud', `Not every droplet runs after ${WITHIN_MS / 60_000} minutes`, {
    host: waiting[0],
    output: states,
    next:
      'Run the command again to wait longer. If a droplet stays like that, delete it at ' +
      'https://cloud.digitalocean.com/droplets and run pipeline prod up, which makes a new one.',
  });
}

/** A second one of its name on which nothing was ever done. */
function doomed({ id, name }: Droplet): Doomed {
  return { id, name, fresh: true };
}

function isReady(droplet: Droplet | undefined): boolean {
  if (droplet === undefined || droplet.locked || droplet.status !== 'active') return false;
  return addressOf(droplet, 'public') !== '' && (!droplet.vpc_uuid || addressOf(droplet, 'private') !== '');
}

function stateOf(droplet: Droplet | undefined): string {
  if (droplet === undefined) return 'not listed yet';
  if (droplet.status !== 'active') return droplet.status;
  if (droplet.locked) return 'locked';
  return isReady(droplet) ? addressOf(droplet, 'public') : 'active, no address yet';
}
