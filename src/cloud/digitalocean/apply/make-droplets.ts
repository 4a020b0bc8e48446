/** Makes droplets, ten at a time at most, each with a host key that is known before it starts. */
import { generateEd25519, md5Fingerprint } from '../../ed25519.ts';
import { operatorKey } from '../../operator-key.ts';
import type { MachineSpec } from '../../provider.ts';
import { createOnce } from '../api/create-once.ts';
import { hasHiddenDroplets, LISTED_MS } from '../api/hidden.ts';
import { onceKnown, together, until } from '../api/wait.ts';
import { userData } from '../hosts/user-data.ts';
import { imageOf } from '../plan/machines.ts';
import { groupTag, hostKeyTag, keyTag } from '../plan/names.ts';
import type { Operation } from '../plan/operations.ts';
import { isOurs } from '../plan/survey.ts';
import type { Work } from './work.ts';

type Batch = Extract<Operation, { kind: 'droplets' }>;

/**
 * Makes the machines of the batches that do not exist yet.
 * @param made region → id of the networks that were just made
 */
export async function makeDroplets(
  work: Work,
  batches: readonly Batch[],
  made: ReadonlyMap<string, string>,
): Promise<void> {
  if (batches.length === 0) return;
  const { publicKey } = await operatorKey(work.spec.directory, work.spec.environment);
  const fingerprint = md5Fingerprint(publicKey);
  // A last look: since the plan was made, somebody else may have made them too.
  const networks = new Set(batches.flatMap(({ network: id }) => id ?? []));
  await until(
    { clock: work.clock, signal: work.context.signal, everyMs: 2_000, withinMs: LISTED_MS },
    async () => ((await hasHiddenDroplets(work.api, networks)) ? undefined : true),
  );
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
  await together(batches.map((batch) => makeBatch(work, batch, { networks: made, fingerprint, present })));
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
  const { region, size, group } = first;
  const image = imageOf(first);
  const network = batch.network ?? shared.networks.get(region);
  if (network === undefined) throw new Error(`no network in ${region} was planned`);
  const hostKey = generateEd25519();
  const common = {
    region,
    size,
    image: /^\d+$/.test(image) ? Number(image) : image,
    ssh_keys: [shared.fingerprint],
    tags: [
      marks.environment,
      marks.owner,
      groupTag(marks, group),
      keyTag(marks, shared.fingerprint),
      hostKeyTag(marks, 'new', hostKey.publicKey),
    ],
    user_data: userData(hostKey.privateKey, hostKey.publicKey),
    vpc_uuid: network,
  };
  await createOnce({
    clock,
    signal: context.signal,
    // Two droplets may have one name: a refusal means something else.
    existsStatus: [],
    create: async () => {
      const names = remaining.map(({ name }) => name);
      await onceKnown(clock, context.signal, () => api.createDroplets({ ...common, names }));
      return true;
    },
    look: async () => {
      const present = await presentNames(work);
      remaining = remaining.filter(({ name }: MachineSpec) => !present.has(name));
      return remaining.length === 0 ? true : undefined;
    },
  });
}

async function presentNames({ api, marks }: Work): Promise<ReadonlySet<string>> {
  const droplets = await api.dropletsWith(marks.environment);
  return new Set(droplets.filter((droplet) => isOurs(droplet, marks)).map(({ name }) => name));
}
