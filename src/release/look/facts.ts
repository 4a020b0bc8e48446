/** What a host knows of an application, gathered by one script. */
import * as z from 'zod';
import type { Context } from '../../context.ts';
import { type Manifest, manifestSchema } from '../../contract/manifest.ts';
import type { Colour } from '../../contract/places.ts';
import { APPS, INCOMING, slotOf } from '../../contract/places.ts';
import { SITES } from '../../contract/proxy-paths.ts';
import { Failure } from '../../errors.ts';
import { PROXY_FUNCTIONS } from '../../proxy/scripts.ts';
import type { Connection } from '../../ssh/connection.ts';
import { withValues } from '../../ssh/script.ts';
import { PROGRAM_FACTS, type ProgramFacts, parseProgramFacts } from '../send/program.ts';
import script from './app-facts.sh' with { type: 'text' };
import { factLines, splitOnce } from './fact-lines.ts';

/**
 * What became of a release: its deploy began; it took the traffic and kept it; it did not; a rollback left
 * it.
 */
export const RELEASE_STATES = ['unfinished', 'live', 'failed', 'withdrawn'] as const;
export type ReleaseState = (typeof RELEASE_STATES)[number];

export interface KeptRelease {
  readonly manifest: Manifest;
  readonly state: ReleaseState;
  /** Fingerprint of everything it was made from. */
  readonly digest: string;
}

export interface AppFacts extends ProgramFacts {
  /** Fingerprints of the roles that prepared the host; empty: it never was. */
  readonly prepared: string;
  /** Programs that a deploy needs and the host lacks. */
  readonly missing: readonly string[];
  /** The kernel has no IPv6. */
  readonly noIpv6?: boolean | undefined;
  /** The application's own slot of ports; absent: none yet. */
  readonly slot?: number | undefined;
  /** Slots that other applications have, or where something listens. */
  readonly takenSlots: ReadonlySet<number>;
  /** The colour that the proxy sends visitors to; absent: there is no site. */
  readonly live?: Colour | undefined;
  /** The release behind each colour. */
  readonly colours: Readonly<Partial<Record<Colour, string>>>;
  /** A rollout is under way: visitors that are not let in get `live`. */
  readonly rollout: boolean;
  /** The colour whose processes stand by until the guard ends, in case it goes back; absent: none. */
  readonly standby?: Colour | undefined;
  /** The first minute of what serves: how many milliseconds are left, and the release to go back to. */
  readonly watched?: { readonly left: number; readonly previous: string } | undefined;
  /** Units that are running, by name. */
  readonly active: ReadonlySet<string>;
  /** Timers of its jobs that wait for their time, by name. */
  readonly timers: ReadonlySet<string>;
  /** Units in trouble: starting again and again, or stopping. */
  readonly unwell: ReadonlySet<string>;
  /** Newest first. */
  readonly releases: readonly KeptRelease[];
  /** SHA-256 of artifacts that were sent and not placed. */
  readonly incoming: ReadonlySet<string>;
  /** SHA-256 of the site's file; empty: none. */
  readonly site: string;
  /** Visitors get a page of maintenance; absent: the site itself. */
  readonly closed?: Closed | undefined;
  /** It stands still: a restore of its data is under way, or was interrupted. */
  readonly standsStill?: boolean | undefined;
  /** Names of the files with hashed passwords that are there; absent: none. */
  readonly auth?: readonly string[] | undefined;
}

/** Since when a site is closed for maintenance, by whom, and until when they expect it to be; ISO 8601. */
const closedSchema = z.object({ since: z.string(), by: z.string(), until: z.string().nullable() });
export type Closed = Readonly<z.output<typeof closedSchema>>;

/** Programs without which a host is not prepared, whatever it says. */
const NEEDED = ['nginx', 'curl', 'ss', 'nsenter', 'unshare'];

export function factsScript(app: string): string {
  const values = { app, apps: APPS, incoming: INCOMING, sites: SITES, programs: NEEDED };
  return `${PROGRAM_FACTS}\n${PROXY_FUNCTIONS}\n${withValues(script, values)}`;
}

/** @throws Failure kind `host` if the answer is not complete. */
export async function gatherAppFacts(
  connection: Connection,
  app: string,
  context: Context,
): Promise<AppFacts> {
  const text = await connection.check(factsScript(app), { label: `look at ${app}`, signal: context.signal });
  return parseAppFacts(connection.target.name, app, text);
}

export function parseAppFacts(host: string, app: string, text: string): AppFacts {
  const all = factLines(text);
  if (all('complete').length === 0) {
    throw new Failure('host', `${host}: what the host says of ${app} is incomplete`, {
      host,
      next: 'Run the command again; --verbose shows the answer.',
    });
  }
  const slots = new Map(all('slot').map((rest) => splitOnce(rest)));
  const own = slots.get(app);
  const listening = all('listen').flatMap((port) => slotOf(Number(port)) ?? []);
  const green = all('green')[0];
  const rollout = all('rollout')[0];
  const live =
    colourOf(rollout ?? '') ?? (green === undefined ? undefined : Number(green) > 50 ? 'green' : 'blue');
  const colours: AppFacts['colours'] = Object.fromEntries(all('colour').map((rest) => splitOnce(rest)));
  const units = all('unit').map((rest) => splitOnce(rest));
  return {
    ...parseProgramFacts(host, all),
    prepared: all('prepared')[0] ?? '',
    missing: all('missing'),
    noIpv6: all('lacks').includes('ipv6'),
    slot: own === undefined ? undefined : Number(own),
    takenSlots: new Set([
      ...listening.filter((slot) => slot !== Number(own)),
      ...[...slots].filter(([name]) => name !== app).map(([, slot]) => Number(slot)),
    ]),
    live,
    rollout: rollout !== undefined,
    colours,
    standby: colourOf(splitOnce(all('standby')[0] ?? '')[0]),
    watched: watchedOf(all('watched')[0], live === undefined ? undefined : colours[live]),
    active: new Set(units.filter(([, state]) => state === 'active').map(([unit]) => unit)),
    timers: new Set(all('timer')),
    unwell: new Set(
      units
        .filter(([, state]) => ['activating', 'deactivating', 'reloading'].includes(state))
        .map(([unit]) => unit),
    ),
    releases: all('release')
      .flatMap((rest) => parseKept(rest))
      .sort((a, b) => (a.manifest.release < b.manifest.release ? 1 : -1)),
    incoming: new Set(all('incoming')),
    site: all('site')[0] ?? '',
    closed: all('closed').map(parseClosed)[0],
    standsStill: all('standstill').length > 0,
    auth: all('auth'),
  };
}

/** A note that cannot be read does not hide that it is closed. */
export function parseClosed(text: string): Closed {
  const unknown = { since: '', by: '', until: null };
  try {
    return closedSchema.safeParse(JSON.parse(text)).data ?? unknown;
  } catch {
    return unknown;
  }
}

/** One that is suspended may be about a release that serves no more. Older guards do not say which. */
function watchedOf(text: string | undefined, live: string | undefined): AppFacts['watched'] {
  const [left, rest] = splitOnce(text ?? '');
  const [previous, release] = splitOnce(rest);
  const other = release !== '' && release !== live;
  return Number(left) > 0 && !other ? { left: Number(left), previous } : undefined;
}

function colourOf(text: string): Colour | undefined {
  return text === 'blue' || text === 'green' ? text : undefined;
}

/** A damaged release, or one that another version of pipeline made, counts as missing. */
function parseKept(rest: string): readonly KeptRelease[] {
  const [state, more] = splitOnce(rest);
  const [digest, json] = splitOnce(more);
  const known = RELEASE_STATES.find((one) => one === state);
  try {
    const manifest = manifestSchema.safeParse(JSON.parse(json));
    return manifest.success && known !== undefined ? [{ manifest: manifest.data, state: known, digest }] : [];
  } catch {
    return [];
  }
}
