/** Makes sure that the cloud's firewalls guard what they should, before anything is installed. */
import { Failure } from '../../../errors.ts';
import type { Droplet } from '../api/answers.ts';
import { together, until } from '../api/wait.ts';
import { groupTag, hasTag } from '../plan/names.ts';
import type { Work } from './work.ts';

const EVERY_MS = 2_000;
const WITHIN_MS = 3 * 60_000;

/**
 * Ends when the named firewalls have taken effect, and each of the droplets answers that its group's
 * firewall guards it.
 * @throws Failure `cloud` where that does not come within three minutes
 */
export async function firewallsInForce(
  work: Work,
  droplets: readonly Droplet[],
  changed: readonly string[],
): Promise<void> {
  if (droplets.length === 0 && changed.length === 0) return;
  const { api, marks, clock, context } = work;
  const waiting = { clock, signal: context.signal, everyMs: EVERY_MS, withinMs: WITHIN_MS };
  const stage = 'firewalls in force';
  context.progress({ stage, state: 'started' });
  const tags = droplets.map((droplet) =>
    groupTag(marks, work.spec.machines.find(({ name }) => name === droplet.name)?.group ?? droplet.name),
  );
  let open: readonly string[] = [];
  const settled = await until(waiting, async () => {
    const concerned = (await api.firewalls()).filter(
      (firewall) => changed.includes(firewall.name) || firewall.tags.some((tag) => hasTag(tags, tag)),
    );
    const failed = concerned.find(({ status }) => status === 'failed');
    if (failed !== undefined) {
      throw new Failure('cloud', `DigitalOcean could not apply the firewall ${failed.name}`, {
        step: `firewall ${failed.name}`,
        next:
          `See https://cloud.digitalocean.com/networking/firewalls/${failed.id}, ` +
          'then run the command again.',
      });
    }
    open = concerned
      .filter((one) => one.pending_changes.length > 0 || one.status === 'waiting')
      .map(({ name }) => name);
    return open.length === 0 ? true : undefined;
  });
  if (settled === undefined) throw notInForce(open);
  await together(
    droplets.map(async (droplet, index) => {
      const tag = tags[index] ?? '';
      const guarded = await until(waiting, async () =>
        (await api.firewallsOf(droplet.id)).some((firewall) => hasTag(firewall.tags, tag)) ? true : undefined,
      );
      if (guarded === undefined) throw notInForce([`${droplet.name} is guarded by none of its own`]);
    }),
  );
  context.progress({ stage, state: 'done' });
}

function notInForce(what: readonly string[]): Failure {
  return new Failure('cloud', `The firewalls have not taken effect after ${WITHIN_MS / 60_000} minutes`, {
    step: 'firewalls',
    output: what,
    next:
      'Nothing was installed on unguarded droplets. ' +
      'See https://status.digitalocean.com, then run the command again.',
  });
}
