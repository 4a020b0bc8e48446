/** The order of a rollout: every text is made here. Pure. */

import type { Manifest } from '../../contract/manifest.ts';
import { other } from '../../contract/places.ts';
import type { AuditLine, OrderedSite, RolloutOrder, Settle } from '../../contract/release.ts';
import { rolloutFolder } from '../../contract/rollout.ts';
import { type Split, splitSecrets } from '../../proxy/split.ts';
import { identifier } from '../../proxy/text.ts';
import type { PlannedTakeOver } from '../plan/planned.ts';
import type { PlannedRollout } from '../plan/rollout.ts';
import { placedIn, siteOrder } from './order.ts';

/** Chance that a version as good as the one before is taken back, at most. */
const ALPHA = 0.01;

export function rolloutOrder(
  planned: PlannedRollout,
  { site, certificate, manifest, slot, colour }: PlannedTakeOver,
  previous: Manifest,
  settle: Settle,
  audit: Omit<AuditLine, 'at' | 'action' | 'result' | 'message'>,
): RolloutOrder {
  if (site === undefined) throw new Error('a new release has a site');
  const { id, seed, steps, atMost, otherwise, key } = planned;
  const { app } = manifest;
  const split = splitOf(app, planned);
  const shared: OrderedSite = siteOrder({ ...site, split: { ...split, candidate: colour } }, certificate);
  return {
    ...{ id, seed, steps, atMost, otherwise, alpha: ALPHA },
    by: key.by === 'header' ? `header ${key.name}` : key.by,
    shared,
    secrets: split.secrets === undefined ? null : splitSecrets(identifier(app), secretsOf(planned)),
    after: siteOrder(site, certificate),
    baseline: placedIn(previous, slot, other(colour)),
    settle,
    audit,
  };
}

function splitOf(app: string, { id, key, secrets, sessionCookie }: PlannedRollout): Split {
  const testers = secrets.tester !== undefined;
  const needed = testers || sessionCookie !== undefined;
  return {
    rollout: id,
    key,
    testers,
    sessionCookie,
    secrets: needed ? `${rolloutFolder(app)}/secrets` : undefined,
  };
}

function secretsOf({ secrets, sessionCookie }: PlannedRollout): PlannedRollout['secrets'] {
  return sessionCookie === undefined ? { tester: secrets.tester } : secrets;
}
