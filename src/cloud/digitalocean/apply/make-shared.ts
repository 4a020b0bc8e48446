/** Makes what the droplets of an environment share: its key, networks, firewalls. Each exactly once. */
import { Failure } from '../../../errors.ts';
import { md5Fingerprint } from '../../ed25519.ts';
import { operatorKey } from '../../operator-key.ts';
import { createOnce } from '../api/create-once.ts';
import { onceKnown, until } from '../api/wait.ts';
import { hasTag, keyTag } from '../plan/names.ts';
import type { Operation } from '../plan/operations.ts';
import type { Work } from './work.ts';

/** How long a key that was just registered may be missing from answers. */
const VISIBLE_MS = 2 * 60_000;

/**
 * Makes the key here where there is none, marks it, registers it. The tag comes first: by it `destroy`
 * finds the key without this folder.
 */
export async function registerKey({ api, spec, marks, clock, context: { signal } }: Work): Promise<void> {
  const { publicKey } = await operatorKey(spec.directory, spec.environment);
  const fingerprint = md5Fingerprint(publicKey);
  await api.createTag(keyTag(marks, fingerprint));
  const look = () => api.key(fingerprint);
  if ((await look()) !== undefined) return;
  await createOnce({ create: () => api.createKey(marks.name, publicKey), look, clock, signal });
  // A droplet can be made only with a key that the API sees.
  if ((await until({ clock, signal, everyMs: 500, withinMs: VISIBLE_MS }, look)) !== undefined) return;
  throw new Failure('cloud', `DigitalOcean took the key ${fingerprint} and does not show it`, {
    next: 'Run the command again: it goes on from what exists.',
  });
}

/** @returns the network's id */
export async function makeNetwork(
  { api, marks, clock, context: { signal } }: Work,
  { name, region }: Extract<Operation, { kind: 'network' }>,
): Promise<string> {
  const body = { name, region, description: marks.description };
  const network = await createOnce({
    clock,
    signal,
    create: () => api.createVpc(body),
    look: async () =>
      (await api.vpcs()).find((vpc) => vpc.name === name && vpc.description === marks.description),
  });
  return network.id;
}

export async function makeFirewall(
  { api, clock, context: { signal } }: Work,
  { id, body }: Extract<Operation, { kind: 'firewall' }>,
): Promise<void> {
  if (id !== null) {
    await onceKnown(clock, signal, () => api.replaceFirewall(id, body));
    return;
  }
  const [tag = ''] = body.tags;
  await createOnce({
    clock,
    signal,
    create: () => onceKnown(clock, signal, () => api.createFirewall(body)),
    look: async () => (await api.firewalls()).find((one) => one.name === body.name && hasTag(one.tags, tag)),
  });
}
