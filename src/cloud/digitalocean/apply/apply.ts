/** Does what a plan says. Killed at any moment and planned and applied again, it ends at the same place. */
import type { Droplet } from '../api/answers.ts';
import type { DropletAction } from '../api/api.ts';
import { createOnce } from '../api/create-once.ts';
import { onceKnown, together, whenIdle } from '../api/wait.ts';
import { firstContacts } from '../hosts/first-contact.ts';
import { unknownHostKey } from '../plan/machines.ts';
import { hasTag } from '../plan/names.ts';
import type { DigitalOceanPlan, Operation } from '../plan/operations.ts';
import { firewallsInForce } from './firewalls-in-force.ts';
import { makeDroplets } from './make-droplets.ts';
import { makeFirewall, makeNetwork, registerKey } from './make-shared.ts';
import { removeDroplets } from './remove-droplets.ts';
import { waitForDroplets } from './wait-for-droplets.ts';
import type { Work } from './work.ts';

/** @throws Failure of the first thing that could not be done; everything that was done stays. */
export async function applyPlan(work: Work, plan: DigitalOceanPlan): Promise<void> {
  const { api } = work;
  const of = <K extends Operation['kind']>(kind: K) =>
    plan.operations.filter((one): one is Extract<Operation, { kind: K }> => one.kind === kind);
  const all = <T>(items: readonly T[], act: (item: T) => Promise<unknown>) => together(items.map(act));
  const stage = async (name: string, todo: readonly unknown[], act: () => Promise<unknown>) => {
    if (todo.length === 0) return;
    work.context.progress({ stage: name, state: 'started' });
    await act();
    work.context.progress({ stage: name, state: 'done' });
  };

  const tags = of('tags').flatMap(({ names }) => names);
  const networks = new Map<string, string>();
  await together([
    stage('key', of('key'), () => registerKey(work)),
    stage('network', of('network'), () =>
      all(of('network'), async (one) => networks.set(one.region, await makeNetwork(work, one))),
    ),
    // A firewall can aim only at tags that exist.
    stage('tags', tags, () => all(tags, api.createTag)).then(() =>
      stage('firewalls', of('firewall'), () => all(of('firewall'), (one) => makeFirewall(work, one))),
    ),
  ]);

  await together([
    makeDroplets(work, of('droplets'), networks),
    all(of('tag'), ({ tag, id }) =>
      onceKnown(work.clock, work.context.signal, () => api.tagDroplets(tag, [id])),
    ),
    all(of('rename'), ({ id, to }) => act(work, id, { type: 'rename', name: to }, ({ name }) => name === to)),
    all(of('power on'), ({ id }) => act(work, id, { type: 'power_on' }, ({ status }) => status === 'active')),
  ]);

  const started = [
    ...of('droplets').flatMap(({ machines }) => machines),
    ...of('first contact'),
    ...of('power on'),
  ].map(({ name }) => name);
  const changed = of('firewall').map(({ body }) => body.name);
  await bringUp(work, new Set(started), changed);

  await removeDroplets(work, of('remove droplet'));
  await all(of('remove firewall'), ({ id }) => api.deleteFirewall(id));
  await removeTags(
    work,
    of('remove tags').flatMap(({ names }) => names),
  );
  const [lost] = of('host key');
  if (lost !== undefined) throw unknownHostKey(lost, work.marks);
}

/** Waits for droplets and takes them over; firewalls take effect while the droplets boot. */
async function bringUp(work: Work, names: ReadonlySet<string>, firewalls: readonly string[]): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([work.context.signal, stop.signal]);
  let guarded: Promise<void> = Promise.resolve();
  try {
    const droplets = await waitForDroplets(work, names, (listed) => {
      guarded = firewallsInForce({ ...work, context: { ...work.context, signal } }, listed, firewalls);
      guarded.catch(() => {});
    });
    await together([guarded, firstContacts(work, droplets)]);
  } finally {
    stop.abort();
  }
}

/** Takes tags away that no droplet carries: since the plan was made, somebody may have put one to use. */
async function removeTags({ api, marks }: Work, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const carried = (await api.dropletsWith(marks.environment)).flatMap(({ tags }) => tags);
  await together(names.filter((name) => !hasTag(carried, name)).map(api.deleteTag));
}

/** Acts on a droplet once, whether or not the answer comes. */
async function act(
  { api, marks, clock, context }: Work,
  id: number,
  action: DropletAction,
  isDone: (droplet: Droplet) => boolean,
): Promise<void> {
  const { signal } = context;
  await whenIdle(clock, signal, async () => {
    await createOnce({
      clock,
      signal,
      create: async () => {
        await api.actOnDroplet(id, action);
        return true;
      },
      look: async () => {
        const droplet = (await api.dropletsWith(marks.owner)).find((one) => one.id === id);
        return droplet !== undefined && isDone(droplet) ? true : undefined;
      },
    });
  });
}
