/** What must hold after `up` and after `destroy`, whatever happened on the way. */
import { expect } from 'vitest';
import { hostKeysOf, type Marks } from '../../../src/cloud/digitalocean/plan/names.ts';
import type { Machine } from '../../../src/cloud/provider.ts';
import { type Scene, writes } from './support.ts';

/**
 * Exactly the three droplets, one key, one network, three firewalls; host keys exchanged; a further run
 * writes nothing.
 */
export async function expectConverged(
  scene: Scene,
  marks: Marks,
  machines: readonly Machine[],
): Promise<void> {
  const { account, fake, spec } = scene;
  const ours = account.droplets.filter(
    ({ tags, goneAt }) => tags.includes(marks.owner) && goneAt > fake.now(),
  );
  expect(ours.map(({ name }) => name).sort()).toEqual(spec.machines.map(({ name }) => name).sort());
  expect(account.vpcs.filter(({ description }) => description === marks.description)).toHaveLength(1);
  const groups = new Set(spec.machines.map(({ group }) => group));
  const firewalls = account.firewalls.filter(({ tags }) => tags.some((tag) => tag.startsWith(marks.prefix)));
  expect(firewalls).toHaveLength(groups.size);
  expect(account.keys.filter(({ publicKey }) => publicKey.endsWith(' pipeline prod'))).toHaveLength(1);
  expect(machines.map(({ state }) => state)).toEqual(spec.machines.map(() => 'running'));
  for (const droplet of ours) {
    expect(droplet.tags.filter((tag) => hostKeysOf(marks, 'new', [tag]).length > 0)).toEqual([]);
    const known = hostKeysOf(marks, 'host', droplet.tags);
    expect(known).toHaveLength(1);
    const shown =
      'hostKey' in fake.machines ? (fake.machines.hostKey as (id: number) => string)(droplet.id) : undefined;
    expect(known[0]).toBe(shown);
    expect(machines.find(({ name }) => name === droplet.name)?.hostKeys).toEqual(known);
  }
  fake.fail(undefined);
  const plan = await scene.provider().plan();
  expect(plan.changes).toEqual([]);
  await scene.provider().apply(plan);
  expect(writes(fake)).toEqual([]);
}

/** Nothing of the environment is left. */
export function expectGone({ account, fake }: Scene, marks: Marks): void {
  const now = fake.now();
  expect(account.droplets.filter(({ tags, goneAt }) => tags.includes(marks.owner) && goneAt > now)).toEqual(
    [],
  );
  expect(account.vpcs.filter(({ description }) => description === marks.description)).toEqual([]);
  expect(account.firewalls.filter(({ tags }) => tags.some((tag) => tag.startsWith(marks.prefix)))).toEqual(
    [],
  );
  expect(account.keys.filter(({ publicKey }) => publicKey.endsWith(' pipeline prod'))).toEqual([]);
  expect(account.tags.filter((tag) => tag.startsWith(marks.prefix) || tag === marks.owner)).toEqual([]);
}
