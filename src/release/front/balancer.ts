/**
 * The balancer of an application on several hosts: what it has, what it should have, and how it gets that.
 */
import { createHash } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import type { AppConfig } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { SITES } from '../../contract/proxy-paths.ts';
import { Failure } from '../../errors.ts';
import { balancerConfig } from '../../proxy/balancer.ts';
import { siteRefused } from '../../proxy/nginx.ts';
import { PROXY_FUNCTIONS } from '../../proxy/scripts.ts';
import type { Split } from '../../proxy/split.ts';
import { publicAddress } from '../../ssh/connection.ts';
import { withValues } from '../../ssh/script.ts';
import { inStage } from '../send/stage.ts';
import type { ReleaseHost } from '../types.ts';
import look from './balancer-facts.sh' with { type: 'text' };
import { type Certificate, tlsFolder, tlsOf } from './certificate.ts';
import place from './place-balancer.sh' with { type: 'text' };

/** A balancer, with what it knows. */
export interface BalancerFacts {
  readonly host: ReleaseHost;
  /** Its addresses, as the application's hosts see them. */
  readonly addresses: readonly string[];
  /** SHA-256 of the site's file; empty: none. */
  readonly site: string;
  /** It divides visitors, or has done so and is not cleared up. */
  readonly rollout?: boolean | undefined;
  /** Its kernel has no IPv6. */
  readonly noIpv6?: boolean | undefined;
}

/** @throws Failure kind `host` if one does not answer, or has no nginx. */
export async function lookAtBalancers(
  app: string,
  balancers: readonly ReleaseHost[],
  hosts: readonly ReleaseHost[],
  context: Context,
): Promise<readonly BalancerFacts[]> {
  const names = hosts.map(({ connection }) => publicAddress(connection.target));
  const script = withValues(look, { sites: SITES, app, hosts: names });
  return Promise.all(
    balancers.map(async (host) => {
      const label = `look at the balancer of ${app}`;
      const lines = (await host.connection.check(script, { label, signal: context.signal })).split('\n');
      if (!lines.includes('nginx')) {
        throw new Failure('host', `${host.name} should balance ${app}, but has no nginx set up by pipeline`, {
          host: host.name,
          next: `Give it the role (hosts: ${host.name}: roles: [nginx]), then run pipeline prod up.`,
        });
      }
      const all = (key: string) =>
        lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
      const own = publicAddress(host.connection.target);
      const addresses = new Set([...all('address'), ...(isIP(own) === 0 ? [] : [own])]);
      return {
        host,
        addresses: [...addresses].sort(),
        site: all('site')[0] ?? '',
        rollout: lines.includes('rollout'),
        noIpv6: all('lacks').includes('ipv6'),
      };
    }),
  );
}

/** The file of the site on a balancer; `noIpv6` where one of them has no IPv6. */
export function balancerText(
  app: string,
  definition: AppConfig,
  hosts: readonly ReleaseHost[],
  certificate: Certificate | undefined,
  runtime: Manifest['runtime'],
  noIpv6: boolean,
  split?: Split,
): string {
  const { site } = definition;
  return balancerConfig({
    split,
    app,
    domains: site.domains,
    port: site.port,
    noIpv6,
    ...tlsOf(app, definition, certificate),
    hosts: hosts.map(({ name, connection }) => {
      const { address } = connection.target;
      return { name, address: `${isIPv6(address) ? `[${address}]` : address}:${site.port}` };
    }),
    sessionCookie: site.session_cookie ?? (runtime === 'tomcat' ? 'JSESSIONID' : undefined),
    maxBodyBytes: site.max_body,
    readTimeoutMs: site.read_timeout,
    unbuffered: !site.buffering,
    trustedProxies: site.trusted_proxies,
  });
}

/** Balancers whose site is not `text`. */
export function balancersToChange(
  balancers: readonly BalancerFacts[],
  text: string,
): readonly BalancerFacts[] {
  const wanted = createHash('sha256').update(text).digest('hex');
  return balancers.filter(({ site }) => site !== wanted);
}

/** Gives these balancers their site. @throws Failure kind `host` with nginx's own words. */
export async function placeBalancers(
  app: string,
  balancers: readonly BalancerFacts[],
  text: string,
  certificate: Certificate | undefined,
  context: Context,
): Promise<void> {
  await Promise.all(
    balancers.map(({ host }) =>
      inStage(host, 'balancer', context, async () => {
        const { exitCode, stderr } = await host.connection.script(placeScript(app, text, certificate), {
          label: `balancer of ${app}`,
          signal: context.signal,
          secrets: certificate?.kind === 'given' ? [certificate.key] : [],
        });
        if (exitCode !== 0) throw siteRefused(host.name, app, stderr);
      }),
    ),
  );
}

function placeScript(app: string, text: string, certificate: Certificate | undefined): string {
  const values = { app, text, tls: tlsFolder(app), ...certificateValues(certificate) };
  return `${PROXY_FUNCTIONS}\n${withValues(place, values)}`;
}

function certificateValues(certificate: Certificate | undefined): Readonly<Record<string, string>> {
  if (certificate === undefined) return { kind: '' };
  if (certificate.kind === 'acme') return { kind: 'acme', domain: certificate.domains[0] ?? '' };
  const { kind, name, chain, key } = certificate;
  return { kind, name, chain, key };
}
