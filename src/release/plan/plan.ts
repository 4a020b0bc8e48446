/**
 * What a deploy or a rollback does on each host and in front of them: decided once, from all facts, before
 * anything is touched. Pure.
 */
import type { AppConfig } from '../../config/schema.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { other } from '../../contract/places.ts';
import { type FrontFacts, type FrontPlan, planFront } from '../front/front.ts';
import { liveSite, siteWith } from '../front/host-site.ts';
import type { AppFacts, KeptRelease } from '../look/facts.ts';
import type { SeenHost } from '../look/look.ts';
import type { Secrets } from '../secrets.ts';
import type { ReleaseHost } from '../types.ts';
import { chooseRelease, nameRelease, requireLive, requireProcesses } from './choose.ts';
import { type Decision, decide, liveRelease, releaseIn, running } from './decide.ts';
import type { NewRelease, PlannedSettle, PlannedTakeOver } from './planned.ts';
import type { Wanted } from './wanted.ts';

/** Everything that was looked at. */
interface Seen {
  readonly hosts: readonly SeenHost[];
  readonly front: FrontFacts;
}

interface Asked {
  readonly app: string;
  readonly by: string;
  readonly definition: AppConfig;
}

/** Put this version into service. */
interface DeployAim extends Asked {
  readonly action: 'deploy';
  readonly wanted: Wanted;
  readonly secrets: Secrets;
  readonly now: Date;
}

/** Put a release that is on the hosts into service again. */
interface RollbackAim extends Asked {
  readonly action: 'rollback';
  /** Its name or a commit; undefined: the previous one. */
  readonly release: string | undefined;
}

/** Start what serves anew, in the other colour. */
interface RestartAim extends Asked {
  readonly action: 'restart';
  /** Name of the one host that it is for; undefined: all. */
  readonly only?: string | undefined;
}

/** Give hosts the site of the version of pipeline that asks, around what serves. */
interface SiteAim extends Asked {
  readonly action: 'maintenance';
}

export type Aim = DeployAim | RollbackAim | RestartAim | SiteAim;

/** One host, and what to do there. */
export interface PlannedHost {
  readonly host: ReleaseHost;
  readonly facts: AppFacts;
  /** Absent: the wanted version serves there already. */
  readonly takeOver?: PlannedTakeOver | undefined;
  /** Absent: there is nothing to do. */
  readonly settle?: PlannedSettle | undefined;
  /** Where the host goes back to if the release fails within `watch` milliseconds; absent: nobody watches. */
  readonly guard?: { readonly previous: Manifest; readonly watch: number } | undefined;
}

export interface ReleasePlan {
  readonly action: Aim['action'];
  readonly app: string;
  readonly by: string;
  /** Releases kept on each host. */
  readonly keep: number;
  /** The release that serves afterwards. */
  readonly manifest: Manifest;
  readonly hosts: readonly PlannedHost[];
  readonly front: FrontPlan;
  /** Hosts that ran its jobs and do so no more; absent: none. */
  readonly formerJobs?: readonly ReleaseHost[] | undefined;
}

/** @throws Failure kind `usage` if a rollback names a release that is not on every host. */
export function planRelease(aim: Aim, seen: Seen): ReleasePlan {
  const { action, app, by, definition } = aim;
  const { edge } = seen.front;
  const manifest = chosen(aim, seen.hosts);
  const isWanted = (release: KeptRelease) =>
    aim.action === 'deploy'
      ? release.digest === aim.wanted.digest
      : release.manifest.release === manifest.release;
  const hosts = seen.hosts.map((at, index): PlannedHost => {
    if (aim.action === 'restart' || aim.action === 'maintenance') return again(aim, seen, at, index);
    const first = index === 0;
    const decision = decide(at.facts, isWanted, liveSite(app, definition, at, edge), first);
    if (decision.kind === 'nothing') return { host: at.host, facts: at.facts };
    return decision.kind === 'finish'
      ? finish(aim, seen, at, decision, first)
      : takeOver(aim, seen, at, decision, manifest, index);
  });
  const bare = seen.hosts.map(({ host }) => host);
  const front = planFront(app, definition, bare, seen.front, manifest.runtime, action);
  return { action, app, by, keep: definition.keep, manifest, hosts, front };
}

/** The release that serves afterwards, of several hosts on the first. */
function chosen(aim: Aim, hosts: readonly SeenHost[]): Manifest {
  if (aim.action === 'deploy') return nameRelease(aim.wanted, hosts, aim.by, aim.now);
  if (aim.action === 'rollback') return chooseRelease(aim.app, aim.release, hosts).manifest;
  const [first] = hosts;
  if (first === undefined) throw new Error('an application has a host');
  return requireLive(aim.app, first).release.manifest;
}

/** What serves, in the other colour, or where it is with its site anew. */
function again(aim: RestartAim | SiteAim, seen: Seen, at: SeenHost, index: number): PlannedHost {
  const { host, facts } = at;
  if (aim.action === 'restart' && aim.only !== undefined && aim.only !== host.name) return { host, facts };
  const { release, colour } = requireLive(aim.app, at);
  if (aim.action === 'maintenance')
    return finish(aim, seen, at, { kind: 'finish', release, colour, site: true }, index === 0);
  requireProcesses(aim.app, release.manifest);
  const decision = { kind: 'deploy', colour: other(colour), old: colour } as const;
  const guard = stillWatched(facts);
  return { ...takeOver(aim, seen, at, decision, release.manifest, index), guard };
}

/** What is left of the first minute: it is the same version, with the same one to go back to. */
function stillWatched({ watched, releases }: AppFacts): PlannedHost['guard'] {
  const previous = releases.find(({ manifest }) => manifest.release === watched?.previous);
  return watched === undefined || previous === undefined
    ? undefined
    : { previous: previous.manifest, watch: watched.left };
}

/** It serves already; the old version has yet to stop, or the site to change. */
function finish(
  { action, app, definition }: Aim,
  { front }: Seen,
  at: SeenHost,
  { release, colour, site }: Extract<Decision, { kind: 'finish' }>,
  first: boolean,
): PlannedHost {
  const { manifest } = release;
  const { certificate } = front.edge;
  const common = { manifest, slot: at.slot, colour, hooks: false, first };
  const settle = site
    ? { ...common, site: { site: siteWith(app, definition, at, manifest, colour, front.edge), certificate } }
    : common;
  const stands = running(at.facts, other(colour)) ? releaseIn(at.facts, other(colour)) : undefined;
  const begun = action === 'deploy' ? guardOf(definition, manifest, stands) : undefined;
  // Nothing of it is lost to a restart that was killed, nor to another site.
  const guard = begun ?? stillWatched(at.facts);
  return { host: at.host, facts: at.facts, settle, guard };
}

/** Only one host runs the hooks: a migration must not run twice. */
function takeOver(
  aim: Aim,
  { front }: Seen,
  at: SeenHost,
  { colour, old }: Extract<Decision, { kind: 'deploy' }>,
  manifest: Manifest,
  index: number,
): PlannedHost {
  const { host, facts, slot } = at;
  const { app, definition } = aim;
  const site = siteWith(app, definition, at, manifest, colour, front.edge);
  const live = liveRelease(facts);
  const first = index === 0;
  const common = { manifest, slot, colour, hooks: aim.action === 'deploy' && first, first };
  const started = { ...common, old, site, certificate: front.edge.certificate };
  if (aim.action !== 'deploy') {
    const left = live?.manifest.release;
    const withdrawn = left === manifest.release ? undefined : left;
    const secrets: Secrets = { values: {}, kept: [] };
    return {
      host,
      facts,
      takeOver: { ...started, secrets, proven: true },
      settle: { ...common, withdrawn },
    };
  }
  const there = facts.releases.find((one) => one.manifest.release === manifest.release);
  const placed = there === undefined ? newRelease(aim.wanted, facts) : undefined;
  return {
    host,
    facts,
    takeOver: { ...started, placed, secrets: aim.secrets, proven: there?.state === 'live' },
    settle: common,
    guard: guardOf(definition, manifest, old === null ? undefined : live),
  };
}

/** What the host watches for after the deploy: a release with processes that took over from another. */
function guardOf(
  { watch }: AppConfig,
  manifest: Manifest,
  previous: KeptRelease | undefined,
): PlannedHost['guard'] {
  const itself = previous === undefined || previous.manifest.release === manifest.release;
  return watch === 0 || itself || manifest.runtime === 'static'
    ? undefined
    : { previous: previous.manifest, watch };
}

function newRelease(wanted: Wanted, facts: AppFacts): NewRelease {
  const same = facts.releases.find(({ manifest }) => manifest.tree === wanted.manifest.tree);
  return { ...wanted, sameTree: same?.manifest.release };
}
