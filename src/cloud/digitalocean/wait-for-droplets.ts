/** Waits until droplets run and have their addresses, and shows how they come along. */
import { Failure } from '../../errors.ts';
import type { Droplet } from './answers.ts';
import { addressOf } from './machines.ts';
import { matchDroplets } from './plan-fleet.ts';
import { removeDroplets } from './remove-droplets.ts';
import { until } from './wait.ts';
import type { Work } from './work.ts';

const EVERY_MS = 2_500;
const WITHIN_MS = 10 * 60_000;

/**
 * The droplets with these names, active. Where a lost answer led to two of one name, the one that was never used is removed on the way.
 * @throws Failure `cloud` where one does not become active within ten minutes
 */
export async function waitForDroplets(work: Work, names: ReadonlySet<string>): Promise<readonly Droplet[]> {
  if (names.size === 0) return [];
  const { api, spec, marks, clock, context } = work;
  const shown = new Map<string, string>();
  let waiting: readonly string[] = [...names];
  const droplets = await until(
    { clock, signal: context.signal, everyMs: EVERY_MS, withinMs: WITHIN_MS },
    async () => {
      const { kept, steps } = matchDroplets(await api.droplets(marks.environment), spec, marks);
      const doubles = steps.flatMap(({ operation }) =>
        operation.kind === 'remove droplet' && operation.fresh && names.has(operation.name)
          ? [operation]
          : [],
      );
      await removeDroplets(work, doubles);
      for (const name of names) {
        const state = stateOf(kept.get(name));
        if (shown.get(name) === state) continue;
        shown.set(name, state);
        const done = isReady(kept.get(name));
        context.progress({ host: name, stage: 'droplet', state: done ? 'done' : 'running', detail: state });
      }
      waiting = [...names].filter((name) => !isReady(kept.get(name)));
      return waiting.length === 0 ? [...names].flatMap((name) => kept.get(name) ?? []) : undefined;
    },
  );
  if (droplets !== undefined) return droplets;
  const states = waiting.map((name) => `${name}: ${shown.get(name)}`);
  throw new Failure('cloud', `Not every droplet runs after ${WITHIN_MS / 60_000} minutes`, {
    host: waiting[0],
    output: states,
    next: 'Run the command again to wait longer. A droplet that stays like that: delete it at https://cloud.digitalocean.com/droplets and run pipeline prod up, which makes a new one.',
  });
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
