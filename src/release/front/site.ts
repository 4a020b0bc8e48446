/** An application's site on a host: its definition, with the processes behind each colour. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { AppConfig } from '../../config/schema.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { appRoot, type Colour } from '../../contract/places.ts';
import { Failure } from '../../errors.ts';
import type { Site } from '../../proxy/proxy.ts';
import { siteConfig } from '../../proxy/site.ts';
import { instancesOf } from '../order/unit.ts';
import { insideArtifact } from '../plan/wanted.ts';
import type { AuthFile } from './auth.ts';
import { type Certificate, tlsOf } from './certificate.ts';

/** What stands between visitors and a host's processes, besides the definition. */
export interface Edge {
  /** Absent: no TLS, or it ends before this host. */
  readonly certificate?: Certificate | undefined;
  /** Who may see it; absent: everybody, or on the way back those that the host knows. */
  readonly auth?: AuthFile | undefined;
  /** Addresses of the balancers in front; empty: visitors come straight to the host. */
  readonly balancers: readonly string[];
}

/** The site with these releases behind the colours. */
export function siteOf(
  app: string,
  definition: AppConfig,
  slot: number,
  colours: Readonly<Record<Colour, Manifest>>,
  { certificate, balancers }: Edge,
): Site {
  const { site } = definition;
  const servers = (colour: Colour) =>
    instancesOf(colours[colour], slot, colour).map(({ address, port }) => `${address}:${port}`);
  const { runtime, directory } = colours.blue;
  const folder = site.static ?? (runtime === 'static' ? '.' : undefined);
  const files = folder === undefined ? undefined : insideArtifact(app, directory, folder, 'site: static:');
  if (
    site.fallback !== undefined &&
    (files === undefined || (runtime !== 'static' && site.routes.includes('/')))
  ) {
    throw new Failure('usage', `${app}: site: fallback: never answers, since / goes to the service`, {
      next: "Give the service's prefixes in site: routes:, e.g. [/api], and the folder of files in static:.",
    });
  }
  return {
    app,
    domains: site.domains,
    port: site.port,
    ...tlsOf(app, definition, certificate),
    routes: site.routes,
    static: files,
    ...(files !== undefined && servesPersistent(files, directory, definition.persist)
      ? { writable: true }
      : {}),
    fallbackPage: site.fallback,
    root: appRoot(app),
    maxBodyBytes: site.max_body,
    readTimeoutMs: site.read_timeout,
    ...webOf(app, definition, directory),
    colours: { blue: { servers: servers('blue') }, green: { servers: servers('green') } },
    fallback: true,
    ...(balancers.length > 0
      ? { balanced: true, trustedProxies: balancers }
      : { trustedProxies: site.trusted_proxies }),
  };
}

type Web = Pick<Site, 'headers' | 'pathHeaders' | 'redirects' | 'errors' | 'unbuffered'>;

/** What is said of the site besides where requests go. */
function webOf(app: string, { site }: AppConfig, directory: string): Web {
  const given = Object.entries(site.headers);
  const inside = (file: string) => insideArtifact(app, directory, file, 'site: errors:');
  return {
    headers: Object.fromEntries(given.filter((one): one is [string, string] => typeof one[1] === 'string')),
    pathHeaders: Object.fromEntries(
      given.filter((one): one is [string, Record<string, string>] => typeof one[1] !== 'string'),
    ),
    redirects: Object.entries(site.redirects).map(([from, to]) =>
      typeof to === 'string' ? { from, to, status: 301 } : { from, ...to },
    ),
    errors: Object.fromEntries(Object.entries(site.errors).map(([status, file]) => [status, inside(file)])),
    unbuffered: !site.buffering,
  };
}

/** Whether nginx serves a folder that the application writes to. */
function servesPersistent(files: string, directory: string, persist: readonly string[]): boolean {
  const root = files === '.' ? '' : `${files.replace(/\/$/, '')}/`;
  return persist.some((name) => `${posix.join(directory, name)}/`.startsWith(root));
}

/** As the host reports it: SHA-256 of the file. */
export function siteHash(site: Site): string {
  return createHash('sha256').update(siteConfig(site)).digest('hex');
}
