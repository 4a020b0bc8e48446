/** The name that a deploy gives its release, and the release that a rollback goes to. Pure. */
import type { Manifest } from '../../contract/manifest.ts';
import { type Colour, releaseName } from '../../contract/places.ts';
import { Failure } from '../../errors.ts';
import type { KeptRelease } from '../look/facts.ts';
import type { SeenHost } from '../look/look.ts';
import { liveRelease, rollbackTarget } from './decide.ts';
import type { Wanted } from './wanted.ts';

/**
 * Names the wanted version: by its name if it serves already or a killed run placed it, else by a new one
 * that sorts after all others, whatever this machine's clock says.
 */
export function nameRelease(
  wanted: Wanted,
  found: readonly Pick<SeenHost, 'facts'>[],
  by: string,
  now: Date,
): Manifest {
  const candidates = found.flatMap(({ facts }) => {
    const newest = facts.releases[0];
    return [liveRelease(facts), newest?.state === 'unfinished' ? newest : undefined];
  });
  const known = candidates.find((one) => one?.digest === wanted.digest);
  if (known !== undefined) return known.manifest;
  const newest = Math.max(
    0,
    ...found.flatMap(({ facts }) => facts.releases.map(({ manifest }) => Date.parse(manifest.at) || 0)),
  );
  const at = new Date(Math.max(now.getTime(), newest + 1_000));
  const { commit, artifact } = wanted.manifest;
  return { ...wanted.manifest, release: releaseName(at, commit ?? artifact), at: at.toISOString(), by };
}

/** The release with this name or commit; undefined: the previous one. It must be on every host. */
export function chooseRelease(
  app: string,
  wanted: string | undefined,
  found: readonly Pick<SeenHost, 'host' | 'facts'>[],
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
    `${app}: release "${wanted}" is not on ${somewhere ? missing.join(', ') : 'any host'}`,
    {
      next:
        list === ''
          ? `Deploy one: pipeline deploy ${app}`
          : `On the hosts are: ${list}. Others: pipeline deploy ${app} REF`,
    },
  );
}

/** What serves on a host. @throws Failure kind `usage`: nothing does. */
export function requireLive(
  app: string,
  { host, facts }: Pick<SeenHost, 'host' | 'facts'>,
): { readonly release: KeptRelease; readonly colour: Colour } {
  const release = liveRelease(facts);
  if (release !== undefined && facts.live !== undefined) return { release, colour: facts.live };
  throw new Failure('usage', `${app} has no live release on ${host.name}`, {
    next: `Deploy it: pipeline deploy ${app}`,
  });
}

/** @throws Failure kind `usage`: nginx alone serves it. */
export function requireProcesses(app: string, { runtime }: Manifest): void {
  if (runtime !== 'static') return;
  throw new Failure('usage', `${app} has no processes: nginx serves its files`, {
    next: `There is nothing to restart. A new version: pipeline deploy ${app}`,
  });
}
