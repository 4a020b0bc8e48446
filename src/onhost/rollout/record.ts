/** What is kept of a rollout, so that its verdict can be computed again. */
import type { RolloutOrder } from '../../contract/release.ts';
import { ROLLOUTS_ENDED } from '../../contract/rollout.ts';
import type { UnitEvent } from '../../judge/units/types.ts';
import type { Host } from '../host.ts';

/** Rollouts of an application that are kept. */
const KEPT = 10;

function eventsFile({ id, settle }: RolloutOrder): string {
  return `${ROLLOUTS_ENDED}/${settle.manifest.app}/${id}.events.jsonl`;
}

/** Without it the rollout goes on: its verdict can only not be computed again. */
export async function keepEvents(
  host: Host,
  order: RolloutOrder,
  events: readonly UnitEvent[],
  print: (line: string) => void,
): Promise<void> {
  if (events.length === 0) return;
  try {
    await host.append(eventsFile(order), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    print(`<4>${order.settle.manifest.app}: cannot keep its evidence: ${why}`);
  }
}

/** The newest stay. */
export async function forgetOld(host: Host, app: string): Promise<void> {
  const folder = `${ROLLOUTS_ENDED}/${app}`;
  const names = (await host.list(folder)).filter((name) => name.endsWith('.json'));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await host.changedAt(`${folder}/${name}`)) ?? 0 })),
  );
  const old = dated.sort((a, b) => b.at - a.at).slice(KEPT);
  for (const { name } of old) {
    await host.remove(`${folder}/${name}`);
    await host.remove(`${folder}/${name.replace(/\.json$/, '.events.jsonl')}`);
  }
}
