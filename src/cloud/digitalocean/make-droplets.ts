/** Makes droplets, ten at a time at most, each with a host key that is known before it starts. */
import { generateEd25519, md5Fingerprint } from '../ed25519.ts';
import { operatorKey } from '../operator-key.ts';
import type { MachineSpec } from '../provider.ts';
import { createOnce } from './create-once.ts';
import { groupTag, hostKeyTag, keyTag } from './names.ts';
import type { Operation } from './operations.ts';
import { dropletOf } from './plan-destroy.ts';
import { isOurs } from './survey.ts';
import { userData } from './user-data.ts';
import { until } from './wait.ts';
import type { Work } from './work.ts';

/** Milliseconds after which a droplet that is in a network and in no list is on its way out, not in. */
const LISTED_MS = 60_000;

type Batch = Extract<Operation, { kind: 'droplets' }>;

/**
 * Makes the machines of the batches that do not exist yet.
 * @param networks region → id of the networks that were just made
 */
export async function makeDroplets(
  work: Work,
  batches: readonly Batch[],
  networks: ReadonlyMap<string, string>,
): Promise<void> {
  if (batches.length === 0) return;
  const { publicKey } = await operatorKey(work.spec.directory, work.spec.environment);
  const fingerprint = md5Fingerprint(publicKey);
  // A last look: since the plan was made, somebody else may have made them too.
  await allListed(work, new Set(batches.flatMap(({ network: id }) => id ?? [])));
  const present = await presentNames(work);
  for (const { machines } of batches) {
    for (const { name, size, region } of machines) {
      work.context.progress({
        host: name,
        stage: 'droplet',
        state: 'started',
        detail: `${size} in ${region}`,
      });
    }
  }
  await Promise.all(batches.map((batch) => makeBatch(work, batch, { networks, fingerprint, present })));
}

interface Shared {
  readonly networks: ReadonlyMap<string, string>;
  readonly fingerprint: string;
  readonly present: ReadonlySet<string>;
}

async function makeBatch(work: Work, batch: Batch, shared: Shared): Promise<void> {
  const { api, marks, clock, context } = work;
  const [first] = batch.machines;
  let remaining = batch.machines.filter(({ name }) => !shared.present.has(name));
  if (first === undefined || remaining.length === 0) return;
  const { region, size, image, group } = first;
  const network = batch.network ?? shared.networks.get(region);
  if (network === undefined) throw new Error(`no network in ${region} was planned`);
  const hostKey = generateEd25519();
  const common = {
    ...{ region, size, image: /^\d+$/.test(image) ? Number(image) : image },
    ssh_keys: [shared.fingerprint],
    tags: [
      ...[marks.environment, marks.owner, groupTag(marks, group), keyTag(marks, shared.fingerprint)],
      hostKeyTag(marks, 'new', hostKey.publicKey),
    ],
    user_data: userData(hostKey.privateKey, hostKey.publicKey),
    vpc_uuid: network,
    monitoring: true,
    with_droplet_agent: true,
  };
  await createOnce({
    ...{ clock, signal: context.signal },
    // Two droplets may have one name: a refusal means something else.
    existsStatus: [],
    create: async () => {
      await api.createDroplets({ ...common, names: remaining.map(({ name }) => name) });
      return true;
    },
    look: async () => {
      const present = await presentNames(work);
      remaining = remaining.filter(({ name }: MachineSpec) => !present.has(name));
      return remaining.length === 0 ? true : undefined;
    },
  });
}

/** A network that existed before may hold droplets that no list shows yet, made by a run that was cut off a moment ago. */
async function allListed(
  { api, clock, context: { signal } }: Work,
  networks: ReadonlySet<string>,
): Promise<void> {
  await until({ clock, signal, everyMs: 2_000, withinMs: LISTED_MS }, async () => {
    const members = await Promise.all([...networks].map((id) => api.vpcMembers(id)));
    const ids = members.flat().flatMap((member) => dropletOf(member) ?? []);
    if (ids.length === 0) return true;
    const listed = new Set((await api.droplets()).map(({ id }) => id));
    return ids.every((id) => listed.has(id)) ? true : undefined;
  });
}

async function presentNames({ api, marks }: Work): Promise<ReadonlySet<string>> {
  const droplets = await api.droplets(marks.environment);
  return new Set(droplets.filter((droplet) => isOurs(droplet, marks)).map(({ name }) => name));
}
