/**
 * Removes an environment in the order that the API accepts, until the API says that nothing of it is left.
 */
import { Failure } from '../../../errors.ts';
import type { Destroyed } from '../../provider.ts';
import { isStatus } from '../api/api-error.ts';
import { together } from '../api/wait.ts';
import { type DestroyPlan, describeDroplet, type Estate, planDestroy } from '../plan/destroy.ts';
import { ownNetworks } from '../plan/networks.ts';
import { knownKey } from '../plan/survey.ts';
import { removeDroplets } from './remove-droplets.ts';
import type { Work } from './work.ts';

/** Looks at the whole account after which something that stays is reported: about two minutes. */
const ROUNDS = 20;
/** The account's keys may be listed ten times a minute. */
const PAUSE_MS = 6_500;

/** What `destroy` would do. */
export async function destroyable(work: Work): Promise<Destroyed> {
  const plan = planDestroy(await readEstate(work), work.spec, work.marks);
  return { removed: describe(plan, work), left: plan.left };
}

/** @throws Failure `cloud` where something of ours stays although the API took its removal. */
export async function destroy(work: Work): Promise<Destroyed> {
  const { spec, marks, clock, context } = work;
  const removed = new Set<string>();
  for (let round = 1; ; round++) {
    // Also after everything seems gone: a droplet whose creation was cut off may appear late.
    const plan = planDestroy(await readEstate(work), spec, marks);
    const todo = [
      ...describe(plan, work),
      ...(plan.hidden ? ['a droplet that DigitalOcean does not list yet'] : []),
    ];
    if (todo.length === 0) return { removed: [...removed], left: plan.left };
    if (round > ROUNDS) {
      throw new Failure('cloud', 'DigitalOcean does not let go of everything', {
        output: todo,
        next: 'Run the command again in some minutes: it goes on from what is left.',
      });
    }
    if (round > 2) await clock.sleep(PAUSE_MS, context.signal);
    for (const thing of await removeAll(work, plan)) removed.add(thing);
  }
}

/**
 * Everything that a plan names, as far as the API takes it now: droplets, then networks, which the API
 * holds on to while droplets are in them (also such as it does not list yet), then what the droplets used.
 * Tags go last of all: without them nobody would know what is ours.
 */
async function removeAll(work: Work, plan: DestroyPlan): Promise<readonly string[]> {
  const { api } = work;
  const removed: string[] = [];
  const each = async <T>(
    stage: string,
    items: readonly T[],
    name: (item: T) => string,
    remove: (item: T) => Promise<boolean>,
  ): Promise<boolean> => {
    if (items.length === 0) return true;
    work.context.progress({ stage, state: 'started' });
    const results = await together(items.map(remove));
    removed.push(...items.filter((_, index) => results[index] !== false).map(name));
    const all = results.every((result) => result !== false);
    work.context.progress({
      stage,
      state: all ? 'done' : 'running',
      detail: all ? 'removed' : 'still in use',
    });
    return all;
  };

  const doomed = plan.droplets.map(({ id, name }) => ({ id, name, fresh: false }));
  removed.push(...(await removeDroplets(work, doomed)));
  const free = await each('network', plan.vpcs, describeNetwork, ({ id }) => removeNetwork(api, id));
  if (!free || plan.hidden) return removed;
  await each('firewalls', plan.firewalls, describeFirewall, ({ id }) => gone(api.deleteFirewall(id)));
  await each('key', plan.keys, describeKey, ({ id }) => gone(api.deleteKey(id)));
  await together(plan.tags.map(api.deleteTag));
  return [...removed, ...describeTags(plan, work)];
}

/** Removed, be it by somebody else. */
const gone = (removal: Promise<boolean>) => removal.then(() => true);

/** False where something is still in it: the next round looks again. */
async function removeNetwork(api: Work['api'], id: string): Promise<boolean> {
  try {
    await api.deleteVpc(id);
    return true;
  } catch (error) {
    // 403 is also how a token without the right to remove networks is turned down.
    if (isStatus(error, 409) || (isStatus(error, 403) && error.reason !== 'no-right')) return false;
    throw error;
  }
}

const describeFirewall = ({ name }: { readonly name: string }) => `firewall ${name}`;
const describeNetwork = ({ name }: { readonly name: string }) => `network ${name}`;
const describeKey = ({ name }: { readonly name: string }) => `key ${name}`;

/** Every droplet has one or two: in one line, since nobody would read them all. */
function describeTags({ tags }: DestroyPlan, { marks }: Work): readonly string[] {
  if (tags.length === 0) return [];
  return [`${tags.length} ${tags.length === 1 ? 'tag' : 'tags'} of ${marks.environment}`];
}

function describe(plan: DestroyPlan, work: Work): readonly string[] {
  return [
    ...plan.droplets.map(describeDroplet),
    ...plan.firewalls.map(describeFirewall),
    ...plan.vpcs.map(describeNetwork),
    ...plan.keys.map(describeKey),
    ...describeTags(plan, work),
  ];
}

async function readEstate({ api, spec, marks }: Work): Promise<Estate> {
  const key = await knownKey(spec);
  const [droplets, firewalls, vpcs, keys, tags] = await together([
    api.droplets(),
    api.firewalls(),
    api.vpcs(),
    api.keys(),
    api.tags(),
  ]);
  const members = await together(
    ownNetworks({ vpcs, droplets }, marks).map(async ({ id }) => [id, await api.vpcMembers(id)] as const),
  );
  return { droplets, firewalls, vpcs, keys, tags, members: new Map(members), fingerprint: key?.fingerprint };
}
