/** An application's site on one host. Its file changes as rarely as possible. Pure. */
import type { AppConfig } from '../../config/schema.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { Colour } from '../../contract/places.ts';
import type { Site } from '../../proxy/proxy.ts';
import type { SeenHost } from '../look/look.ts';
import { liveRelease, releaseIn } from '../plan/decide.ts';
import { authPath, keptAuth } from './auth.ts';
import { type Edge, siteHash, siteOf } from './site.ts';

/** SHA-256 of the site as it should be around the live release; undefined without one. */
export function liveSite(
  app: string,
  definition: AppConfig,
  { host, facts, slot }: SeenHost,
  edge: Edge,
): string | undefined {
  const live = liveRelease(facts);
  if (live === undefined || facts.live === undefined) return undefined;
  return siteHash(siteWith(app, definition, { host, facts, slot }, live.manifest, facts.live, edge));
}

/**
 * The site with a release behind one colour; behind the other, what is there or will be: so its file rarely
 * changes.
 */
export function siteWith(
  app: string,
  definition: AppConfig,
  { host, facts, slot }: SeenHost,
  manifest: Manifest,
  colour: Colour,
  edge: Edge,
): Site {
  const behind = (one: Colour) => (one === colour ? manifest : (releaseIn(facts, one)?.manifest ?? manifest));
  const site = siteOf(app, definition, slot, { blue: behind('blue'), green: behind('green') }, edge);
  return { ...site, noIpv6: facts.noIpv6, auth: authOf(app, definition, { host, facts }, edge) };
}

/** The definition's passwords, or on the way back those that the host has. */
function authOf(
  app: string,
  definition: AppConfig,
  { host, facts }: Pick<SeenHost, 'host' | 'facts'>,
  { auth }: Edge,
): Site['auth'] {
  if (auth !== undefined) return { path: authPath(app, auth.name), text: auth.text };
  const name = keptAuth(app, host.name, definition, facts.auth);
  return name === undefined ? undefined : { path: authPath(app, name), text: null };
}
