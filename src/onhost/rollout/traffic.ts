/** How much of the traffic a rollout's candidate gets. */
import type { RolloutOrder } from '../../contract/release.ts';

import { shareFolder } from '../../proxy/shares.ts';
import type { Host } from '../host.ts';

/** Moves the candidate's share; nobody who has the candidate loses it where it grows. */
export async function percentTo(
  host: Host,
  { id, seed, settle }: Pick<RolloutOrder, 'id' | 'seed' | 'settle'>,
  percent: number,
): Promise<void> {
  const { colour, manifest } = settle;
  await host.shareTraffic(manifest.app, shareFolder({ rollout: id, seed, candidate: colour, percent }));
}
