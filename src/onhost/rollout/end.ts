/** How a rollout ends: one version stays, the other one finishes. Done again, each does what is left. */
import type { AuditLine, RolloutOrder } from '../../contract/release.ts';
import {
  ROLLOUTS_ENDED,
  type RolloutEvent,
  type RolloutStatus,
  rolloutFolder,
  rolloutStatusPath,
} from '../../contract/rollout.ts';
import { disableRollout, drain, moveTo, stopColour } from '../colours.ts';
import type { Host } from '../host.ts';
import { sceneOf, type Tell } from '../scene.ts';
import { settle, tellAudit } from '../settle.ts';
import { putSite } from '../site.ts';
import { backToBaseline } from './begin.ts';
import { forgetOld } from './record.ts';

/** How long requests to a version that was taken back may take. */
const DRAIN_MS = 5000;

/** The candidate gets everybody, and the old version ends as after a deploy. */
export async function promote(
  host: Host,
  order: RolloutOrder,
  status: RolloutStatus,
  print: (line: string) => void,
): Promise<void> {
  const { manifest, colour } = order.settle;
  const { app } = manifest;
  const tell = teller(print);
  await moveTo(host, app, colour);
  await host.remove(`${rolloutFolder(app)}/baseline`);
  await putSite(sceneOf(host, order.settle, tell), order.after);
  await host.endSplit(app);
  await disableRollout(host, app);
  await settle({ ...order.settle, audit: null }, host, tell);
  await finish(host, order, status);
}

/** The baseline gets everybody back, and the candidate counts as failed. */
export async function takeBack(
  host: Host,
  order: RolloutOrder,
  status: RolloutStatus,
  print: (line: string) => void,
): Promise<void> {
  const { manifest, colour } = order.settle;
  const { app } = manifest;
  const scene = sceneOf(host, order.settle, teller(print));
  await moveTo(host, app, order.baseline.colour);
  await drain(host, app, colour, DRAIN_MS, () => {});
  await stopColour(host, app, colour);
  await host.write(`${scene.folder}/state`, 'failed\n', 0o644);
  await disableRollout(host, app);
  await tellEnd(host, order, status);
  await finish(host, order, status, false);
  await backToBaseline(host, app, order.baseline.colour);
}

/** Keeps what is to be read later, and forgets the rest. */
async function finish(
  host: Host,
  order: RolloutOrder,
  status: RolloutStatus,
  promoted = true,
): Promise<void> {
  const { app } = order.settle.manifest;
  const text = JSON.stringify(status);
  await host.write(`${ROLLOUTS_ENDED}/${app}/${order.id}.json`, text, 0o644);
  await host.write(rolloutStatusPath(app), text, 0o644);
  await forgetOld(host, app);
  if (!promoted) return;
  await tellEnd(host, order, status);
  await host.remove(rolloutFolder(app));
}

async function tellEnd(host: Host, order: RolloutOrder, { events, phase }: RolloutStatus): Promise<void> {
  const last = events.at(-1);
  const at = last?.at ?? new Date(host.now()).toISOString();
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

function teller(print: (line: string) => void): Tell {
  return (event) => {
    if (event.event === 'log') print(event.line);
    else if (event.event !== 'end' && event.event !== 'running') {
      print(`${event.event} ${event.step} ${event.detail}`.trim());
    }
  };
}
