/**
 * A rollout on a host whose balancer decides: it runs both versions until the balancer says at its site which
 * of them stays, and then ends the other one, with nobody connected.
 */
import type { RolloutOrder } from '../../contract/release.ts';
import { ROLLOUT_END_PATH } from '../../contract/rollout.ts';
import { type EndWord, readEndWord } from '../../rollout/ended.ts';
import type { Host } from '../host.ts';
import { readRollout } from './begin.ts';

const ASK_MS = 3000;

/** @returns what the balancer has decided; undefined: somebody else has told this host meanwhile. */
export async function followBalancer(
  host: Host,
  { id, seed, settle, follows }: RolloutOrder,
): Promise<EndWord | undefined> {
  for (;;) {
    const file = await readRollout(host, settle.manifest.app);
    if (file?.order.id !== id || follows === undefined) return undefined;
    const { addresses, ...at } = follows;
    for (const address of addresses) {
      const text = await host.ask({ address, ...at }, ROLLOUT_END_PATH);
      const word = text === undefined ? undefined : readEndWord(seed, id, text);
      if (word !== undefined) return word;
    }
    await host.sleep(ASK_MS);
  }
}
