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
  const { clock, context } = work;
  const arrival = new Arrival(work, names, onListed);
  const droplets = await until(
    { clock, signal: context.signal, everyMs: EVERY_MS, withinMs: WITHIN_MS },
    () => arrival.look(),
  );
  if (droplets !== undefined) return droplets;
  throw new Failure('cloud', `Not every droplet runs after ${WITHIN_MS / 60_000} minutes`, {
    host: arrival.waiting[0],
    output: arrival.waiting.map((name) => `${name}: ${arrival.stateOf(name)}`),
    next:
      'Run the command again to wait longer. If a droplet stays like that, delete it at ' +
      'https://cloud.digitalocean.com/droplets and run pipeline prod up, which makes a new one.',
  });
}

/** What was seen of some droplets so far. */
class Arrival {
  readonly #work: Work;
  readonly #names: ReadonlySet<string>;
  readonly #onListed: (droplets: readonly Droplet[]) => void;
  readonly #shown = new Map<string, string>();
  readonly #lastSeen = new Map<string, number>();
  /** Networks in which a droplet may hide that no list has yet; undefined: not every droplet was ready. */
  #networks: ReadonlySet<string> | undefined;
  #readyAt = 0;
  #listed = false;
  waiting: readonly string[];

  constructor(work: Work, names: ReadonlySet<string>, onListed: (droplets: readonly Droplet[]) => void) {
    this.#work = work;
    this.#names = names;
    this.#onListed = onListed;
    this.waiting = [...names];
  }

  stateOf(name: string): string {
    return this.#shown.get(name) ?? stateOf(undefined);
  }

  /** @returns the droplets once all of them are ready, and none is hidden */
  async look(): Promise<readonly Droplet[] | undefined> {
    const { api, marks, clock } = this.#work;
    // One that was made twice may be listed later than its twin: what the network holds is asked first,
    // then the list.
    const complete = await this.#isComplete();
    const byName = ownByName(await api.dropletsWith(marks.environment), marks);
    const found = [...this.#names].flatMap((name) => byName.get(name) ?? []);
    const twins = found.flatMap(({ others }) => others.filter((one) => isFresh(one, marks)));
    await removeDroplets(this.#work, twins.map(doomed));
    for (const name of this.#names) this.#show(name, byName.get(name)?.best);
    const present = found.map(({ best }) => best);
    this.#checkVanished(present);
    if (present.length === this.#names.size && !this.#listed) {
      this.#listed = true;
      this.#onListed(present);
    }
    this.waiting = [...this.#names].filter((name) => !isReady(byName.get(name)?.best));
    if (this.waiting.length > 0) return undefined;
    if (complete) return present;
    if (this.#networks !== undefined) return undefined;
    this.#networks = new Set(present.flatMap(({ vpc_uuid }) => vpc_uuid ?? []));
    this.#readyAt = clock.now();
    return this.look();
  }

  async #isComplete(): Promise<boolean> {
    const { api, clock } = this.#work;
    if (this.#networks === undefined) return false;
    return clock.now() - this.#readyAt > LISTED_MS || !(await hasHiddenDroplets(api, this.#networks));
  }

  #checkVanished(present: readonly Droplet[]): void {
    const now = this.#work.clock.now();
    for (const { name } of present) this.#lastSeen.set(name, now);
    const gone = [...this.#lastSeen].find(([, at]) => now - at > VANISHED_MS);
    if (gone === undefined) return;
    throw new Failure('cloud', `DigitalOcean gave up making ${gone[0]}: it was listed, and is not any more`, {
      host: gone[0],
      next: 'Run the command again: it is made anew. Where it happens again, try another size or region.',
    });
  }

  #show(name: string, droplet: Droplet | undefined): void {
    const detail = stateOf(droplet);
    if (this.#shown.get(name) === detail) return;
    this.#shown.set(name, detail);
    const state = isReady(droplet) ? 'done' : 'running';
    this.#work.context.progress({ host: name, stage: 'droplet', state, detail });
  }
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
