/** Back to an earlier release, from what is still on the hosts. */
import { appNamed } from '../build/build.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { whoami } from './audit.ts';
import { carryOut, type HostPlan } from './carry-out.ts';
import { decide, liveRelease, rollbackTarget } from './decide.ts';
import type { KeptRelease } from './facts.ts';
import { lookAtFront, placeFront } from './front/front.ts';
import { liveSite, siteWith } from './front/host-site.ts';
import { type HostFacts, lookAt } from './look.ts';
import { outcome } from './outcome.ts';
import { prepare } from './prepare.ts';
import type { DeployResult, RollbackRequest } from './types.ts';

/**
 * Puts an earlier release into service again, the same careful way as a deploy. The caller holds the lock.
 * @throws Failure kind `usage` where no such release is on every host (with those that are), else as `deploy`.
 */
export async function rollback(request: RollbackRequest, context: Context): Promise<DeployResult> {
  const started = performance.now();
  const { config, app, hosts } = request;
  const definition = appNamed(config, app);
  const by = request.by ?? whoami(context);
  const [found, front] = await Promise.all([
    lookAt(app, hosts, context),
    lookAtFront(request, definition, context, 'back'),
  ]);
  const { edge } = front;
  const { certificate } = edge;
  const { manifest } = chooseRelease(app, request.release, found);
  const isWanted = (release: KeptRelease) => release.manifest.release === manifest.release;

  const plans = found.map((at): HostPlan => {
    const decision = decide(at.facts, isWanted, liveSite(app, definition, at, edge));
    if (decision.kind === 'nothing') return at;
    const { colour } = decision;
    const site = siteWith(app, definition, at, manifest, colour, edge);
    const left = liveRelease(at.facts)?.manifest.release;
    const common = { manifest, slot: at.slot, colour, hooks: false };
    const commit = { ...common, withdrawn: left === manifest.release ? undefined : left };
    if (decision.kind === 'finish') {
      return { ...at, commit: decision.site ? { ...commit, site: { site, certificate } } : commit };
    }
    const secrets = { values: {}, kept: [] };
    const rollout = { ...common, old: decision.old, secrets, site, certificate, proven: true };
    return { ...at, rollout, commit };
  });
  for (const { host, facts, rollout } of plans) {
    if (rollout !== undefined) await prepare(host, facts, manifest.runtime, context);
  }
  await carryOut({ action: 'rollback', app, by, keep: definition.keep, plans }, context);
  // Going back does not wait for a certificate authority: the host asks it by itself.
  const fronted = await placeFront(request, definition, { ...front, acme: [] }, manifest.runtime, context);
  const { ref, commit, subject, release } = manifest;
  const seconds = (performance.now() - started) / 1000;
  return { app, ref, commit, subject, release, ...outcome(plans, fronted), seconds };
}

/** The release that is meant: by name, by commit, or the one that was live before. It must be on every host. */
export function chooseRelease(
  app: string,
  wanted: string | undefined,
  found: readonly Pick<HostFacts, 'host' | 'facts'>[],
): KeptRelease {
  const [first, ...rest] = found;
  const everywhere = (first?.facts.releases ?? []).filter(({ manifest }) =>
    rest.every(({ facts }) => facts.releases.some((one) => one.manifest.release === manifest.release)),
  );
  const served = everywhere.filter(({ state }) => state === 'live' || state === 'withdrawn');
  const list = served.map(({ manifest }) => manifest.release).join(', ');
  const live = first === undefined ? undefined : liveRelease(first.facts)?.manifest.release;
  if (wanted === undefined) {
    const target = live === undefined ? undefined : rollbackTarget(everywhere, live);
    if (target !== undefined) return target;
    throw new Failure('usage', `${app}: there is no earlier release to go back to`, {
      next:
        list === ''
          ? `Deploy one: pipeline deploy ${app}`
          : `On the hosts are: ${list}. Name one: pipeline rollback ${app} RELEASE`,
    });
  }
  const exact = everywhere.find(({ manifest }) => manifest.release === wanted);
  const byCommit = /^[0-9a-f]{4,40}$/.test(wanted)
    ? (served.find(({ manifest }) => manifest.commit?.startsWith(wanted)) ?? undefined)
    : undefined;
  const chosen = exact ?? byCommit;
  if (chosen !== undefined) return chosen;
  const missing = found
    .filter(({ facts }) => !facts.releases.some(({ manifest }) => manifest.release === wanted))
    .map(({ host }) => host.name);
  const somewhere = missing.length > 0 && missing.length < found.length;
  throw new Failure(
    'usage',
    `${app}: release "${wanted}" is not on ${somewhere ? missing.join(', ') : 'the hosts (any more)'}`,
    {
      next:
        list === ''
          ? `Deploy one: pipeline deploy ${app}`
          : `On the hosts are: ${list}. Others: pipeline deploy ${app} REF`,
    },
  );
}
