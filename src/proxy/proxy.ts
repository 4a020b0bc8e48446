/** Divides the traffic of a site between two colours, with four verbs. `nginx.ts` implements them. */

import type { Colour } from '../contract/places.ts';
import type { SiteSplit } from './split.ts';

/** What stands behind one colour. */
export interface Backend {
  /** `address:port` of each process. Empty for a site of files alone. */
  readonly servers: readonly string[];
  /** Release for the access log. Absent: nginx reads it from the colour's link. */
  readonly release?: string | undefined;
}

/** What visitors connect to. */
export interface Front {
  readonly app: string;
  /** Host names that it answers to. None: every name that no other site claims. */
  readonly domains: readonly string[];
  readonly port: number;
  /** The kernel has no IPv6: nginx would not start with an address of that family. */
  readonly noIpv6?: boolean | undefined;
  readonly tls?:
    | { readonly certificate: string; readonly key: string; readonly redirect: boolean }
    | undefined;
  /** The certificate comes by ACME, so the authority's questions are answered on port 80. */
  readonly challenges?: boolean | undefined;
}

/** A path that leads elsewhere. A `*` at the end of `from` is the rest of the path; the same in `to`. */
export interface Redirect {
  readonly from: string;
  readonly to: string;
  readonly status: 301 | 302 | 307 | 308;
}

/** One site as it should be. Everything but the weights, which change without a reload. */
export interface Site extends Front {
  /** Path prefixes that go to the service. */
  readonly routes: readonly string[];
  /** Folder of files that nginx serves itself, below `root/<colour>/`; absent: none. */
  readonly static?: string | undefined;
  /** The application writes to a part of that folder, so links lead nowhere but to files of one owner. */
  readonly writable?: boolean | undefined;
  /**
   * File of that folder that answers for missing ones. Absent: 404, with the folder's 404.html if it has
   * one.
   */
  readonly fallbackPage?: string | undefined;
  /** Folder with one link for each colour, e.g. `/srv/checkbox.io`. */
  readonly root: string;
  readonly maxBodyBytes: number;
  readonly readTimeoutMs: number;
  /** Response headers to add. They replace our default of the same name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The same for paths that begin with a prefix. */
  readonly pathHeaders?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  readonly redirects?: readonly Redirect[] | undefined;
  /** Files of the artifact by status, for what nginx itself answers. */
  readonly errors?: Readonly<Record<string, string>> | undefined;
  /**
   * File with names and hashed passwords, and its text; null: it lies there. Absent: everybody may come in.
   */
  readonly auth?: { readonly path: string; readonly text: string | null } | undefined;
  /** Requests and answers stream through, as they come. */
  readonly unbuffered?: boolean | undefined;
  readonly colours: Readonly<Record<Colour, Backend>>;
  /** nginx expression that assigns a request to a bucket. Default: `$request_id`, each request by itself. */
  readonly key?: string | undefined;
  /** A rollout: both colours serve, and a visitor stays with one. Replaces `key`. */
  readonly split?: SiteSplit | undefined;
  /** Whether a request tries the other colour if it cannot connect: yes for releases, no for experiments. */
  readonly fallback: boolean;
  /**
   * For experiments: nothing but what is measured, so the proxy costs little. Of our headers only the one
   * that names the colour, also on errors; requests keep their `X-Request-ID`; the log has what the agent
   * reads.
   */
  readonly experiment?: { readonly colourHeader: string } | undefined;
  /** Addresses or networks of proxies (a load balancer) whose X-Forwarded-For and -Proto are trusted. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Visitors come through a balancer: at boot, nginx starts once the processes answer, not before. */
  readonly balanced?: boolean | undefined;
  /**
   * For experiments whose colours answer on different paths: each colour's path by the requested one. The
   * access log has the requested one.
   */
  readonly paths?: Readonly<Record<Colour, Readonly<Record<string, string>>>> | undefined;
}

/** Whether anything runs behind it. */
export function hasServers({ colours }: Pick<Site, 'colours'>): boolean {
  return colours.blue.servers.length > 0 || colours.green.servers.length > 0;
}

/** Per cent of the requests that each colour gets; they sum to 100. */
export type Weights = Readonly<Record<Colour, number>>;

export interface SiteProxy {
  /**
   * Makes the site what it should be; reloads only where its file changes.
   * @throws Failure kind `host` if nginx refuses the configuration; the old one stays in force.
   */
  reconcile(site: Site): Promise<{ readonly changed: boolean }>;
  /** Divides the traffic of all requests from now on, atomically and without a reload. Survives a reboot. */
  setWeights(app: string, weights: Weights): Promise<void>;
  /** Reads the weights back. `null`: no such site. */
  getWeights(app: string): Promise<Weights | null>;
  /** Removes the site and everything of it. */
  remove(app: string): Promise<void>;
}
