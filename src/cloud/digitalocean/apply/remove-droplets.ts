/** Removes droplets of ours, by id, after a last look at their marks. */
import { Failure } from '../../../errors.ts';
import { together, until, whenIdle } from '../api/wait.ts';
import { addressOf, isFresh } from '../plan/machines.ts';
import { isOurs } from '../plan/survey.ts';
import type { Work } from './work.ts';

const EVERY_MS = 2_000;
const WITHIN_MS = 10 * 60_000;

export interface Doomed {
  readonly id: number;
  readonly name: string;
  /** Only as long as nothing was ever done on it. */
  readonly fresh: boolean;
}

/**
 * Removes those that carry this environment's tag and owner mark; ends when the API lists none of them any
 * more.
 * @returns what was removed, as people read it
 */
export async function removeDroplets(work: Work, doomed: readonly Doomed[]): Promise<readonly string[]> {
  if (doomed.length === 0) return [];
  const { api, marks, clock, context } = work;
  const { signal } = context;
  const listed = async () =>
    (await api.dropletsWith(marks.environment)).filter((one) => doomed.some(({ id }) => id === one.id));
  const droplets = (await listed()).filter(
    (droplet) =>
      isOurs(droplet, marks) &&
      (isFresh(droplet, marks) || !doomed.some(({ id, fresh }) => id === droplet.id && fresh)),
  );
  for (const { name } of droplets) {
    context.progress({ host: name, stage: 'droplet', state: 'running', detail: 'removing' });
  }
  const taken = new Set<number>();
  let remaining = droplets.map(({ id }) => id);
  const gone = await until({ clock, signal, everyMs: EVERY_MS, withinMs: WITHIN_MS }, async () => {
    // One that is listed and not known by its id was made a moment ago: again, until the API knows it or it
    // is gone.
    await together(
      remaining
        .filter((id) => !taken.has(id))
        .map((id) =>
          whenIdle(clock, signal, async () => {
            if (await api.deleteDroplet(id)) taken.add(id);
          }),
        ),
    );
    if (remaining.length === 0) return true;
    const still = new Set((await listed()).map(({ id }) => id));
    remaining = remaining.filter((id) => still.has(id));
    return remaining.length === 0 ? true : undefined;
  });
  if (gone === undefined) {
    throw new Failure(
      'cloud',
      `DigitalOcean still lists droplets ${WITHIN_MS / 60_000} minutes after it took their removal`,
      {
        output: droplets.map(({ id, name }) => `${name} (${id})`),
        next: 'Run the command again; where they stay, see https://status.digitalocean.com.',
      },
    );
  }
  return droplets.map((droplet) => {
    context.progress({ host: droplet.name, stage: 'droplet', state: 'done', detail: 'removed' });
    const address = addressOf(droplet, 'public');
    return `droplet ${droplet.name} (${address === '' ? droplet.id : address})`;
  });
}
