/** The order of a rollout: every text is made here. Pure. */

import type { Manifest } from '../../contract/manifest.ts';
import { other } from '../../contract/places.ts';
import type { AuditLine, OrderedSite, RolloutOrder, Settle } from '../../contract/release.ts';
import { rolloutFolder } from '../../contract/rollout.ts';
import { type SiteSplit, type Split, splitSecrets } from '../../proxy/split.ts';
import { identifier } from '../../proxy/text.ts';
import { balancerText } from '../front/balancer.ts';
import type { FrontPlan } from '../front/front.ts';
import type { PlannedTakeOver } from '../plan/planned.ts';
import type { PlannedRollout } from '../plan/rollout.ts';
import { orderedCertificate, placedIn, siteOrder } from './order.ts';

/** Chance that a version as good as the one before is taken back, at most. */
const ALPHA = 0.01;

/** What belongs to the rollout, not to one host. */
type Common = Pick<
  RolloutOrder,
  'id' | 'seed' | 'steps' | 'atMost' | 'otherwise' | 'alpha' | 'by' | 'secrets' | 'audit'
>;

type Audit = Omit<AuditLine, 'at' | 'action' | 'result' | 'message'>;

function common(planned: PlannedRollout, app: string, audit: Audit): Common {
  const { id, seed, steps, atMost, otherwise, key } = planned;
  const { secrets } = splitOf(app, planned);
  return {
    ...{ id, seed, steps, atMost, otherwise, audit, alpha: ALPHA },
    by: key.by === 'header' ? `header ${key.name}` : key.by,
    secrets: secrets === undefined ? null : splitSecrets(identifier(app), secretsOf(planned)),
  };
}

/** To a host that runs both versions. */
export function rolloutOrder(
  planned: PlannedRollout,
  { site, certificate, manifest, slot, colour }: PlannedTakeOver,
  previous: Manifest,
  settle: Settle,
  audit: Audit,
): RolloutOrder {
  if (site === undefined) throw new Error('a new release has a site');
  const { app } = manifest;
  const own: SiteSplit = planned.balanced
    ? { rollout: planned.id, key: { by: 'balancer' }, candidate: colour }
    : { ...splitOf(app, planned), candidate: colour };
  return {
    ...common(planned, app, audit),
    ...(planned.balanced ? { secrets: null, follows: balancerOf(planned, site.trustedProxies ?? []) } : {}),
    part: planned.balanced ? 'host' : 'whole',
    shared: siteOrder({ ...site, split: own }, certificate),
    after: siteOrder(site, certificate),
    baseline: placedIn(previous, slot, other(colour), false),
    settle,
  };
}

/** Where hosts ask their balancer, at its addresses as they see them. */
function balancerOf(
  { definition: { site } }: PlannedRollout,
  addresses: readonly string[],
): RolloutOrder['follows'] {
  const tls = site.tls !== undefined;
  return { addresses, tls, port: tls ? 443 : site.port, name: site.domains[0] ?? null };
}

/** To the balancer of hosts that run both versions. Green means the candidate there. */
export function dividingOrder(
  planned: PlannedRollout,
  manifest: Manifest,
  previous: Manifest,
  { text, noIpv6, certificate }: Pick<FrontPlan, 'text' | 'noIpv6' | 'certificate'>,
  audit: Audit,
): RolloutOrder {
  const { app, runtime } = manifest;
  const { definition, hosts } = planned;
  const shared = balancerText(app, definition, hosts, certificate, runtime, noIpv6, splitOf(app, planned));
  const order = (site: string): OrderedSite => ({
    text: site,
    needs: null,
    certificate: orderedCertificate(certificate),
  });
  return {
    ...common(planned, app, audit),
    part: 'balancer',
    shared: order(shared),
    after: order(text),
    baseline: { manifest: previous, slot: 0, colour: 'blue', instances: [] },
    settle: {
      ...{ manifest, slot: 0, colour: 'green', instances: [] },
      ...{ withdrawn: null, remove: [], site: null, audit: null, afterDeploy: null, guard: null },
    },
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
