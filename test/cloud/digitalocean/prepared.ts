/** The accounts from which the crash and the fault matrix start. */
import { marksOf } from '../../../src/cloud/digitalocean/plan/names.ts';
import { type FakeAccount, fakeAccount, NO_DELAYS } from '../../fakes/digitalocean/account.ts';
import { addForeignThings } from './apply/foreign.ts';
import { referenceSpec } from './reference.ts';
import { withScene } from './support.ts';

export type Command = 'up' | 'destroy';

/**
 * For `up` an account with things of others; for `destroy` with an environment in it too. Clone it for each
 * run.
 */
export async function preparedAccount(command: Command): Promise<FakeAccount> {
  const account = fakeAccount({ delays: { ...NO_DELAYS, addresses: 500 } });
  addForeignThings(account, marksOf(referenceSpec('')));
  if (command === 'destroy') await withScene({ account }, (scene) => scene.up());
  // The next fake's clock starts anew.
  for (const droplet of account.droplets)
    Object.assign(droplet, { visibleAt: 0, activeAt: 0, addressesAt: 0, busyUntil: 0 });
  for (const key of account.keys) key.visibleAt = 0;
  for (const firewall of account.firewalls) firewall.appliedAt = 0;
  return account;
}
