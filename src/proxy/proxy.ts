/** How traffic is divided between two colours of a site: four verbs. `nginx.ts` is the implementation. */

import type { Colour } from '../contract/places.ts';
import type { SiteSplit } from './split.ts';

/** What stands behind one colour. */
export interface Backend {
  /** `address:port` of each process; empty for a site of files alone. */
  readonly servers: readonly string[];
  /** Release for the access log, where it is known beforehand; absent: read from the folder that the colour's link points to. */
  readonly release?: string | undefined;
}

/** What visitors connect to. */
export interface Front {
  readonly app: string;
  /** Host names that it answers to; none: every name that no other site claims. */
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

/** One site as it should be. Everything but the weights, which change without a reload. */
export interface Site extends Front {
  /** Path prefixes that go to the service. */
  readonly routes: readonly string[];
  /** Folder of files that nginx serves itself, below `root/<colour>/`; absent: none. */
  readonly static?: string | undefined;
  /** File of that folder that answers where there is none; absent: 404, with the folder's own 404.html where it has one. */
  readonly fallbackPage?: string | undefined;
  /** Folder with one link for each colour, e.g. `/srv/checkbox.io`. */
  readonly root: string;
  readonly maxBodyBytes: number;
  readonly readTimeoutMs: number;
  /** Response headers to add; they replace the default of the same name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly colours: Readonly<Record<Colour, Backend>>;
  /** nginx expression that assigns a request to a bucket; default `$request_id` (each request by itself). */
  readonly key?: string | undefined;
  /** A rollout: both colours serve, and a visitor stays with one. Replaces `key`. */
  readonly split?: SiteSplit | undefined;
  /** Whether a request that cannot connect to its colour tries the other one: yes for releases, no for experiments. */
  readonly fallback: boolean;
  /**
   * Experiments: nothing beside what is measured, so that the proxy costs little. No headers of ours but the one that names the colour, also on
   * errors; requests keep their own `X-Request-ID`; the log has what the agent reads.
   */
  readonly experiment?: { readonly colourHeader: string } | undefined;
  /** Addresses or networks of proxies in front (a load balancer), whose X-Forwarded-For and -Proto are believed. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Visitors come through a balancer on another host: nginx starts only when the processes answer, so that it never sends one too early. */
  readonly balanced?: boolean | undefined;
  /**
   * Experiments whose colours answer on different paths: what a colour is asked for instead, by the path that was requested. The access
   * log has the path that was requested.
   */
  readonly paths?: Readonly<Record<Colour, Readonly<Record<string, string>>>> | undefined;
}

/** Per cent of the requests that each colour gets; they sum to 100. */
export type Weights = Readonly<Record<Colour, number>>;

export interface SiteProxy {
  /**
   * Makes the site what it should be; reloads only where its file changes.
   * @throws Failure kind `host` where the configuration is refused; the one before stays in force.
   */
  reconcile(site: Site): Promise<{ readonly changed: boolean }>;
  /** Divides the traffic, atomically, for every request that arrives from now on. No reload. Survives a reboot. */
  setWeights(app: string, weights: Weights): Promise<void>;
  /** Reads back what is in force; `null`: no such site. */
  getWeights(app: string): Promise<Weights | null>;
  /** Removes the site and everything of it. */
  remove(app: string): Promise<void>;
}
