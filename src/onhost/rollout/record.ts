/** What is kept of a rollout, so that its verdict can be computed again. */
import type { RolloutOrder } from '../../contract/release.ts';
import { ROLLOUTS_ENDED, type RolloutStatus } from '../../contract/rollout.ts';
import { type KeptEvent, rolloutReport } from '../../rollout/kept.ts';
import type { Host } from '../host.ts';

/** Rollouts of an application that are kept. */
const KEPT = 10;

function eventsFile(app: string, id: string): string {
  return `${ROLLOUTS_ENDED}/${app}/${id}.events.jsonl`;
}

/** Without it the rollout goes on: its verdict can only not be computed again. */
export async function keepEvents(
  host: Host,
  order: RolloutOrder,
  events: readonly KeptEvent[],
  print: (line: string) => void,
): Promise<void> {
  if (events.length === 0) return;
  try {
    // A line begins anew: the one before may be half.
    const text = events.map((event) => `\n${JSON.stringify(event)}`).join('');
    await host.append(eventsFile(order.settle.manifest.app, order.id), text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    print(`<4>${order.settle.manifest.app}: cannot keep its evidence: ${why}`);
  }
}

/** The rollout of a status with all of its evidence, as one line. */
export async function reportOf(host: Host, text: string): Promise<string> {
  const status = JSON.parse(text) as RolloutStatus;
  const lines = (await host.read(eventsFile(status.app, status.id))) ?? '';
  const events = lines.split('\n').flatMap((line): KeptEvent[] => {
    try {
      return [JSON.parse(line) as KeptEvent];
    } catch {
      // Empty, or half of one whose process was killed: it was not decided on.
      return [];
    }
  });
  return JSON.stringify(rolloutReport(status, events));
}

/** Paths of the statuses of an application's rollouts that have ended, the newest first. */
export async function endedStatuses(host: Host, app: string): Promise<readonly string[]> {
  const folder = `${ROLLOUTS_ENDED}/${app}`;
  const paths = (await host.list(folder)).filter((name) => name.endsWith('.json'));
  const dated = await Promise.all(
    paths.map(async (name) => {
      const path = `${folder}/${name}`;
      return { path, at: (await host.changedAt(path)) ?? 0 };
    }),
  );
  return dated.sort((a, b) => b.at - a.at).map(({ path }) => path);
}

/** The newest stay. */
export async function forgetOld(host: Host, app: string): Promise<void> {
  for (const path of (await endedStatuses(host, app)).slice(KEPT)) {
    await host.remove(path);
    await host.remove(path.replace(/\.json$/, '.events.jsonl'));
    await host.remove(path.replace(/\.json$/, '.end'));
  }
}
