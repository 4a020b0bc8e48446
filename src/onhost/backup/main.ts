/** `onhost backup …`: one JSON event a line. */
import { text } from 'node:stream/consumers';
import { type BackupEvent, restoreOrderSchema } from '../../contract/backup.ts';
import { EXIT_ORDER_FAILED } from '../../contract/release.ts';
import { asFailure, Failure } from '../../errors.ts';
import { withLock } from '../real/lock.ts';
import { realWorld } from './real.ts';
import { pendingRestores, Restore } from './restore.ts';
import { readStatus } from './status.ts';
import { servedBefore, servedReleases } from './take.ts';
import { backUpItems, itemsNamed, listSnapshots, readPlan, type Tell, tick, verifyItems } from './work.ts';

export const BACKUP_USAGE = `       onhost backup tick | status | list | pending | served
       onhost backup now BY [ITEM…] | onhost backup verify [ITEM…]
       onhost backup prepare <ORDER | onhost backup finish BY <ORDER
`;

/** No application is called like this. */
const LOCK = '.backup';
/** How long a person waits for a backup that is under way. */
const PATIENCE_SECONDS = 3600;

/** @returns the exit code; undefined: there is no such verb */
export async function backup([verb, ...rest]: readonly string[]): Promise<number | undefined> {
  const work = verb === undefined ? undefined : VERBS[verb];
  if (work === undefined) return undefined;
  const tell: Tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
  try {
    await work(rest, tell);
    tell({ event: 'end' });
    return 0;
  } catch (error) {
    tell(failedEvent(error));
    return EXIT_ORDER_FAILED;
  }
}

function failedEvent(error: unknown): BackupEvent {
  const failure = asFailure(error);
  const { message, output, next, kind } = failure;
  return {
    event: 'failed',
    kind: kind === 'usage' ? 'usage' : 'host',
    detail: message,
    next: next ?? '',
    output: [...output],
  };
}

type Verb = (args: readonly string[], tell: Tell) => Promise<void>;

const locked = (seconds: number, work: Verb): Verb => {
  return (args, tell) => withLock(LOCK, () => work(args, tell), seconds);
};

const VERBS: Readonly<Record<string, Verb>> = {
  // One that is under way does what this one would.
  tick: locked(PATIENCE_SECONDS, async (_, tell) => tick(realWorld, await readPlan(realWorld), tell)),
  now: locked(PATIENCE_SECONDS, async ([by = '', ...names], tell) => {
    const plan = await readPlan(realWorld);
    await backUpItems(realWorld, plan, itemsNamed(plan, names), by, tell);
    tell({ event: 'status', status: await readStatus(realWorld, plan) });
  }),
  verify: locked(PATIENCE_SECONDS, async (names, tell) => {
    const plan = await readPlan(realWorld);
    const checked = await verifyItems(realWorld, plan, itemsNamed(plan, names), tell);
    tell({ event: 'checked', checked: [...checked] });
  }),
  list: async (_, tell) => {
    const snapshots = await listSnapshots(realWorld, await readPlan(realWorld));
    tell({ event: 'snapshots', snapshots: [...snapshots] });
  },
  status: async (_, tell) =>
    tell({ event: 'status', status: await readStatus(realWorld, await readPlan(realWorld)) }),
  pending: async (_, tell) =>
    tell({ event: 'pending', restores: (await pendingRestores(realWorld)).map((one) => ({ ...one })) }),
  served: async (_, tell) =>
    tell({
      event: 'served',
      releases: [...(await servedReleases(realWorld))],
      before: [...(await servedBefore(realWorld))],
    }),
  prepare: locked(PATIENCE_SECONDS, async (_, tell) => (await restoreFrom(tell)).prepare()),
  finish: locked(PATIENCE_SECONDS, async ([by = ''], tell) => {
    const one = await restoreFrom(tell);
    // No release, and no watch that goes back, while data change places.
    await (one.app === undefined ? one.finish(by) : withLock(one.app, () => one.finish(by)));
  }),
};

async function restoreFrom(tell: Tell): Promise<Restore> {
  const order = restoreOrderSchema.safeParse(JSON.parse(await text(process.stdin)));
  if (!order.success) throw new Failure('internal', `this is no order to restore: ${order.error.message}`);
  return new Restore(realWorld, await readPlan(realWorld), order.data, tell);
}
