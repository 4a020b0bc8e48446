/** How a rollout ends: one version stays, the other one finishes. Done again, each does what is left. */
import type { AuditLine, RolloutOrder } from '../../contract/release.ts';
import {
  ROLLOUTS_ENDED,
  type RolloutEvent,
  type RolloutStatus,
  rolloutEndFile,
  rolloutFolder,
  rolloutStatusPath,
} from '../../contract/rollout.ts';
import { endWord } from '../../rollout/ended.ts';
import { disableRollout, drain, moveTo, stopColour } from '../colours.ts';
import type { Host } from '../host.ts';
import { sceneOf, type Tell } from '../scene.ts';
import { settle, tellAudit } from '../settle.ts';
import { putSite } from '../site.ts';
import { backToBaseline, readRollout, restoreSite } from './begin.ts';
import { forgetOld } from './record.ts';

/** How long requests to a version that was taken back may take. */
const DRAIN_MS = 5000;

/** As much as one has to know of a rollout that has ended; who keeps it for later has the whole status. */
export type Ended = Pick<RolloutStatus, 'id' | 'phase' | 'events'>;

/** Does what the rollout has come to. */
export async function endRollout(
  host: Host,
  order: RolloutOrder,
  status: RolloutStatus,
  print: (line: string) => void,
): Promise<void> {
  if (order.part === 'balancer') await stopDividing(host, order, status);
  else if (status.phase === 'promoted') await promote(host, order, status, teller(print));
  else await takeBack(host, order, status, teller(print));
}

/**
 * On a balancer: everybody gets the version that stays. Its hosts run both until they have heard at its site
 * what it decided, or somebody who reaches them says so; until then it tells them which one to use.
 */
async function stopDividing(host: Host, order: RolloutOrder, status: RolloutStatus): Promise<void> {
  const { settle, baseline } = order;
  const { app } = settle.manifest;
  await moveTo(host, app, status.phase === 'promoted' ? settle.colour : baseline.colour);
  const word = endWord(order.seed, order.id, { phase: status.phase, at: endedAt(host, status) });
  await host.write(rolloutEndFile(app, order.id), word, 0o644);
  await tellEnd(host, order, status);
  await keepStatus(host, order, status);
  await disableRollout(host, app);
}

/**
 * What is left to do on a balancer and its hosts once the rollout has ended. Where it is done already:
 * nothing.
 */
export async function endByBalancer(
  host: Host,
  { app, status }: { readonly app: string; readonly status: Ended },
  tell: Tell,
): Promise<void> {
  const file = await readRollout(host, app);
  if (file === undefined || file.order.id !== status.id) return;
  const { order } = file;
  if (order.part !== 'balancer') {
    if (status.phase === 'promoted') await promote(host, order, status, tell);
    else await takeBack(host, order, status, tell);
    return;
  }
  if (status.phase !== 'promoted') {
    await backToBaseline(host, app, order.baseline.colour);
    return;
  }
  await putSite(sceneOf(host, order.settle, tell), order.after);
  await host.endSplit(app);
  await host.remove(rolloutFolder(app));
}

/** The candidate gets everybody, and the old version ends as after a deploy. */
async function promote(host: Host, order: RolloutOrder, status: Ended, tell: Tell): Promise<void> {
  const { manifest, colour } = order.settle;
  const { app } = manifest;
  await moveTo(host, app, colour);
  await host.remove(`${rolloutFolder(app)}/baseline`);
  await putSite(sceneOf(host, order.settle, tell), order.after);
  if (order.part === 'whole') await host.endSplit(app);
  await settle({ ...order.settle, audit: null }, host, tell);
  await keepStatus(host, order, status);
  await tellEnd(host, order, status);
  await host.remove(rolloutFolder(app));
  await disableRollout(host, app);
}

/** The baseline gets everybody back, and the candidate counts as failed. */
async function takeBack(host: Host, order: RolloutOrder, status: Ended, tell: Tell): Promise<void> {
  const { manifest, colour } = order.settle;
  const { app } = manifest;
  const scene = sceneOf(host, order.settle, tell);
  await moveTo(host, app, order.baseline.colour);
  await drain(host, app, colour, DRAIN_MS, () => {});
  await stopColour(host, app, colour);
  await host.write(`${scene.folder}/state`, 'failed\n', 0o644);
  await keepStatus(host, order, status);
  await restoreSite(host, app, order.baseline.colour);
  // Told last: it must not be told again and again where nginx does not take a site.
  await tellEnd(host, order, status);
  await host.remove(rolloutFolder(app));
  await disableRollout(host, app);
}

/** For whoever asks later; of several hosts, the balancer tells. */
async function keepStatus(host: Host, order: RolloutOrder, status: Ended): Promise<void> {
  if (order.part === 'host') return;
  const { app } = order.settle.manifest;
  const text = JSON.stringify(status);
  await host.write(`${ROLLOUTS_ENDED}/${app}/${order.id}.json`, text, 0o644);
  await host.write(rolloutStatusPath(app), text, 0o644);
  await forgetOld(host, app);
}

function endedAt(host: Host, { events }: Pick<Ended, 'events'>): string {
  return events.at(-1)?.at ?? new Date(host.now()).toISOString();
}

async function tellEnd(host: Host, order: RolloutOrder, status: Ended): Promise<void> {
  const { events, phase } = status;
  const last = events.at(-1);
  const at = endedAt(host, status);
  const message = `${phase}${last === undefined || last.why === '' ? '' : `: ${last.why}`}`;
  await tellAudit(host, { ...line(order, at), action: 'deploy', result: resultOf(phase), message });
}

function resultOf(phase: RolloutStatus['phase']): string {
  return phase === 'promoted' ? 'live' : 'failed';
}

/** One line of the audit log for each step. */
export async function tellStep(host: Host, order: RolloutOrder, event: RolloutEvent): Promise<void> {
  const message = `${event.percent} % of the visitors${event.why === '' ? '' : `: ${event.why}`}`;
  await tellAudit(host, { ...line(order, event.at), action: 'rollout', result: event.kind, message });
}

function line({ audit }: RolloutOrder, at: string): Omit<AuditLine, 'action' | 'result' | 'message'> {
  return { ...audit, at };
}

/** To the journal. */
export function teller(print: (line: string) => void): Tell {
  return (event) => {
    if (event.event === 'log') print(event.line);
    else if (event.event !== 'end' && event.event !== 'running') {
      print(`${event.event} ${event.step} ${event.detail}`.trim());
    }
  };
}
