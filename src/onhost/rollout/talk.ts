/** How people see a rollout and speak to it: through files, since it runs with nobody connected. */
import {
  hasEnded,
  type RolloutStatus,
  rolloutFolder,
  rolloutStatusPath,
  rolloutUnit,
} from '../../contract/rollout.ts';
import { Episodes } from '../../rollout/episodes.ts';
import { beginState } from '../../rollout/next.ts';
import { statusOf } from '../../rollout/status.ts';
import type { Host } from '../host.ts';
import { type RolloutFile, readRollout } from './begin.ts';
import { endedStatuses } from './record.ts';

const LOOK_MS = 200;
/** How long it may take to hear a word. */
const HEARD_MS = 10_000;

/** What is newest: of what goes on, else of the one that ended last. */
export async function newestStatus(app: string, host: Host): Promise<string | undefined> {
  const now = await host.read(rolloutStatusPath(app));
  const file = await readRollout(host, app);
  if (file !== undefined && (now === undefined || idOf(now) !== file.order.id)) return firstStatus(file);
  if (now !== undefined) return now;
  const [newest] = await endedStatuses(host, app);
  return newest === undefined ? undefined : host.read(newest);
}

/**
 * Prints its status as it changes, until it has ended and everything is cleared up; nothing where none ever
 * was.
 */
export async function followRollout(app: string, host: Host, print: (line: string) => void): Promise<void> {
  let told = '';
  for (;;) {
    const text = await newestStatus(app, host);
    const file = await readRollout(host, app);
    if (text !== undefined && text !== told) print(text);
    told = text ?? told;
    if (file === undefined) return;
    // A balancer's hosts are told by whoever asks.
    if (file.order.part === 'balancer' && text !== undefined && ended(text)) return;
    await host.sleep(LOOK_MS);
  }
}

/** `none`: no rollout is under way. `silent`: its process does not hear; the word waits for it. */
type Heard = 'heard' | 'none' | 'silent';

export async function tellRollout(app: string, host: Host, word: string, by: string): Promise<Heard> {
  const folder = rolloutFolder(app);
  const file = await readRollout(host, app);
  const status = await newestStatus(app, host);
  const over = status !== undefined && ended(status);
  if (file === undefined || over) return 'none';
  await host.write(`${folder}/word`, `${word} ${by}\n`, 0o600);
  // One that was stopped by hand goes on.
  if ((await host.unit(rolloutUnit(app))).active !== 'active') await host.restart(rolloutUnit(app));
  const deadline = host.now() + HEARD_MS;
  while ((await host.exists(`${folder}/word`)) && host.now() < deadline) await host.sleep(LOOK_MS);
  if (await host.exists(`${folder}/word`)) return 'silent';
  const ends = word === 'promote' || word === 'abort';
  if (!ends || file.order.part === 'balancer') return 'heard';
  while ((await host.exists(folder)) && host.now() < deadline) await host.sleep(LOOK_MS);
  return 'heard';
}

function ended(status: string): boolean {
  return hasEnded((JSON.parse(status) as RolloutStatus).phase);
}

/** Of one that has just begun: its process has told nothing yet, and let nobody in. */
function firstStatus({ order, began }: RolloutFile): string {
  const { steps, alpha } = order;
  const state = beginState({ steps, alpha });
  const { counted } = new Episodes(order.by, 0);
  const unwell = { baseline: null, candidate: null };
  return JSON.stringify(statusOf({ order, began, now: began, state, counted, unwell, events: [] }));
}

function idOf(status: string): string {
  return (JSON.parse(status) as RolloutStatus).id;
}
