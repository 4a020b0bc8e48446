/** What a release has to do on a host: a pure function of what is there and what is wanted. */

import type { Colour } from '../../contract/places.ts';
import { jobTimer, other, SLOTS } from '../../contract/places.ts';
import type { AppFacts, KeptRelease } from '../look/facts.ts';
import { processesIn } from '../order/processes.ts';
import { instancesOf } from '../order/unit.ts';

export type Decision =
  /** the wanted version serves already */
  | { readonly kind: 'nothing'; readonly release: KeptRelease; readonly colour: Colour }
  /** it serves, but an earlier run ended before it stopped the old version, or the site's settings changed */
  | {
      readonly kind: 'finish';
      readonly release: KeptRelease;
      readonly colour: Colour;
      readonly site: boolean;
    }
  /** start the wanted version in this colour, then let it take over */
  | { readonly kind: 'deploy'; readonly colour: Colour; readonly old: Colour | null };

/** The release that serves now, if any. */
export function liveRelease(facts: AppFacts): KeptRelease | undefined {
  return facts.live === undefined ? undefined : releaseIn(facts, facts.live);
}

/** The release behind a colour, running or not. */
export function releaseIn(facts: AppFacts, colour: Colour): KeptRelease | undefined {
  const name = facts.colours[colour];
  return facts.releases.find(({ manifest }) => manifest.release === name);
}

/** Whether every process of the live release runs. */
function liveIsWhole(facts: AppFacts): boolean {
  const release = liveRelease(facts);
  if (release === undefined || facts.live === undefined || facts.slot === undefined) return false;
  return instancesOf(release.manifest, facts.slot, facts.live).every(({ unit }) => facts.active.has(unit));
}

/** Whether the processes beside the web ones run, and the timers of jobs are there and no others. */
function besidesAreWhole(
  facts: AppFacts,
  { manifest }: KeptRelease,
  colour: Colour,
  first: boolean,
): boolean {
  const jobs = new Set((first ? (manifest.jobs ?? []) : []).map(({ name }) => jobTimer(manifest.app, name)));
  return (
    processesIn(manifest, colour).every(({ unit }) => facts.active.has(unit)) &&
    jobs.size === facts.timers.size &&
    [...jobs].every((timer) => facts.timers.has(timer))
  );
}

/**
 * Decides for one host.
 * @param wanted whether a release is the wanted one: by fingerprint for a deploy, by name for a rollback.
 * @param site SHA-256 of the site's file as it should be with the live release; undefined if nothing is live.
 * @param first whether it is the application's first host, which runs its jobs
 */
export function decide(
  facts: AppFacts,
  wanted: (release: KeptRelease) => boolean,
  site: string | undefined,
  first: boolean,
): Decision {
  const live = liveRelease(facts);
  const colour = facts.live;
  if (live === undefined || colour === undefined) {
    return { kind: 'deploy', colour: colour === undefined ? 'blue' : other(colour), old: null };
  }
  if (!wanted(live) || !liveIsWhole(facts)) return { kind: 'deploy', colour: other(colour), old: colour };
  const siteDiffers = facts.site !== site;
  const undone = leftOver(facts, other(colour)) || live.state !== 'live';
  return siteDiffers || undone || !besidesAreWhole(facts, live, colour, first)
    ? { kind: 'finish', release: live, colour, site: siteDiffers }
    : { kind: 'nothing', release: live, colour };
}

/** Whether a colour has any process. */
export function running(facts: AppFacts, colour: Colour): boolean {
  const pattern = new RegExp(`@${colour}(-[a-z0-9-]+)?\\.service$`);
  return [...facts.active, ...facts.unwell].some((unit) => pattern.test(unit));
}

/** Whether a colour has processes that an earlier run would have stopped, had it finished. */
export function leftOver(facts: AppFacts, colour: Colour): boolean {
  return running(facts, colour) && facts.standby !== colour;
}

/**
 * The application's slot of ports on a host: its own, else the first free one; undefined if all are taken.
 */
export function chooseSlot(facts: AppFacts): number | undefined {
  if (facts.slot !== undefined) return facts.slot;
  for (let slot = 0; slot < SLOTS; slot++) if (!facts.takenSlots.has(slot)) return slot;
  return undefined;
}

/**
 * Releases that may go: all but the live one, the one before it, the newest `keep` that served, a rollback's
 * target, and the newest that failed.
 */
export function prunable(
  releases: readonly KeptRelease[],
  keep: number,
  live: string,
  before: string | undefined,
): readonly string[] {
  const served = releases.filter(({ state }) => state === 'live' || state === 'withdrawn');
  const rest = releases.filter(({ state }) => state === 'failed' || state === 'unfinished');
  const target = rollbackTarget(releases, live);
  const kept = [...served.slice(0, keep), ...rest.slice(0, 1), ...(target === undefined ? [] : [target])];
  const names = new Set([live, before, ...kept.map(({ manifest }) => manifest.release)]);
  return releases.map(({ manifest }) => manifest.release).filter((name) => !names.has(name));
}

/**
 * Where `rollback` goes by default: the newest release before the live one that served and was not withdrawn.
 */
export function rollbackTarget(releases: readonly KeptRelease[], live: string): KeptRelease | undefined {
  return releases.find(({ manifest, state }) => manifest.release < live && state === 'live');
}
