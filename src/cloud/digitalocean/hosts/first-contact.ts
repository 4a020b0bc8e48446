/**
 * The first time that anybody signs in to a droplet: strict already, and the last time that the key from
 * its user data counts.
 */
import { asFailure, Failure } from '../../../errors.ts';
import { operatorKeyFile } from '../../operator-key.ts';
import type { Droplet } from '../api/answers.ts';
import { eachOf, onceKnown, together } from '../api/wait.ts';
import type { Work } from '../apply/work.ts';
import { acceptedHostKeys, addressOf, isFresh, lacksHostKey, unknownHostKey } from '../plan/machines.ts';
import { hasTag, hostKeysOf, hostKeyTag } from '../plan/names.ts';
import { type DropletHost, isPassing } from './host.ts';

/** Connections at once: each is a process or two on this machine, which mostly wait. */
const WIDTH = 50;
const ATTEMPTS = 3;

/**
 * Waits for every droplet to take us in; exchanges the host keys of fresh ones.
 *
 * The order makes every moment a safe one to stop at: the droplet makes a key and keeps it aside; its
 * public half becomes a tag of the droplet; the droplet takes it into use; a strict connection proves it;
 * the tag of the old key goes. Until that last step both keys are accepted, afterwards the new one alone.
 * @throws Failure of the first droplet that could not be reached; the others are finished all the same.
 */
export async function firstContacts(work: Work, droplets: readonly Droplet[]): Promise<void> {
  const results = await eachOf(droplets, WIDTH, (droplet) => contactPatiently(work, droplet));
  const finished = droplets.filter((_, index) => results[index]?.status === 'fulfilled');
  await forgetNewKeys(work, droplets, finished);
  const failures = results.flatMap((result, index) =>
    result.status === 'rejected' ? [{ error: result.reason as unknown, name: droplets[index]?.name }] : [],
  );
  const [first] = failures;
  if (first === undefined) return;
  work.context.signal.throwIfAborted();
  if (failures.length === 1) throw first.error;
  const { kind, message, next } = asFailure(first.error);
  throw new Failure(
    kind,
    `${failures.length} of ${droplets.length} droplets could not be taken over; the first: ${message}`,
    {
      host: first.name,
      step: 'first contact',
      output: failures.map(({ name, error }) => {
        const failure = asFailure(error);
        return failure.host === undefined ? `${name}: ${failure.message}` : failure.message;
      }),
      next,
      cause: first.error,
    },
  );
}

/**
 * Again where the connection was lost on the way, e.g. since the droplet restarts at the end of its first
 * start: each step goes on from what is done.
 */
async function contactPatiently(work: Work, droplet: Droplet): Promise<void> {
  const accepted = [...acceptedHostKeys(droplet, work.marks)];
  for (let attempt = 1; ; attempt++) {
    try {
      return await contact(work, droplet, accepted);
    } catch (error) {
      if (attempt >= ATTEMPTS || !isPassing(error)) throw error;
    }
  }
}

/** @param accepted keys that the droplet may show; the one that it makes is added as soon as it is known */
async function contact(work: Work, droplet: Droplet, accepted: string[]): Promise<void> {
  const { context, marks, api } = work;
  const { name } = droplet;
  const stage = 'first contact';
  if (lacksHostKey(droplet, marks)) throw unknownHostKey(droplet, marks);
  const open = (hostKeys: readonly string[]) =>
    work.openHost({
      name,
      hostKeys,
      address: addressOf(droplet, 'public'),
      identityFile: operatorKeyFile(work.spec.directory, work.spec.environment),
    });
  context.progress({ host: name, stage, state: 'started', detail: 'waiting for SSH' });
  await using(open(accepted), async (host) => {
    await host.reach();
    context.progress({ host: name, stage, state: 'running', detail: 'waiting for cloud-init' });
    await host.settle();
    if (!isFresh(droplet, marks)) return;
    context.progress({ host: name, stage, state: 'running', detail: 'exchanging the host key' });
    const key = await host.offerHostKey();
    if (!accepted.includes(key)) accepted.push(key);
    const tag = hostKeyTag(marks, 'host', key);
    if (!hasTag(droplet.tags, tag)) {
      await api.createTag(tag);
      await onceKnown(work.clock, context.signal, () => api.tagDroplets(tag, [droplet.id]));
    }
    await host.adoptHostKey();
    await using(open([key]), (again) => again.reach());
    const outdated = droplet.tags.filter(
      (other) => hostKeysOf(marks, 'host', [other]).length > 0 && !hasTag([tag], other),
    );
    await together(outdated.map((other) => api.deleteTag(other)));
  });
  context.progress({ host: name, stage, state: 'done', detail: addressOf(droplet, 'public') });
}

/**
 * From here on nobody accepts the key from the user data any more. Where a batch is only partly finished,
 * its other droplets keep the tag.
 */
async function forgetNewKeys(
  { api, marks }: Work,
  droplets: readonly Droplet[],
  finished: readonly Droplet[],
): Promise<void> {
  const newTags = new Set(
    finished.flatMap(({ tags }) => tags.filter((tag) => hostKeysOf(marks, 'new', [tag]).length > 0)),
  );
  await together(
    [...newTags].map((tag) => {
      const carriers = droplets.filter(({ tags }) => hasTag(tags, tag));
      const done = carriers.filter((droplet) => finished.includes(droplet));
      return done.length === carriers.length
        ? api.deleteTag(tag)
        : api.untagDroplets(
            tag,
            done.map(({ id }) => id),
          );
    }),
  );
}

async function using(host: DropletHost, work: (host: DropletHost) => Promise<void>): Promise<void> {
  try {
    await work(host);
  } finally {
    await host.close();
  }
}
