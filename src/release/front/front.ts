/** What stands in front of the hosts of an application: their balancers and their certificate. */
import type { AppConfig } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { AppOnHosts, ReleaseHost } from '../types.ts';
import { type AcmeFacts, certify, lacksCertificate, lookAtAcme } from './acme.ts';
import { readAuth } from './auth.ts';
import {
  type BalancerFacts,
  balancersToChange,
  balancerText,
  lookAtBalancers,
  placeBalancers,
} from './balancer.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import type { Edge } from './site.ts';

export interface FrontFacts {
  readonly balancers: readonly BalancerFacts[];
  /** The balancers' if there are any, else the hosts'. */
  readonly certificate: Certificate | undefined;
  /** Hosts that obtain it by ACME. */
  readonly acme: readonly AcmeFacts[];
  /** What the hosts themselves have of it. */
  readonly edge: Edge;
}

/** `going`: only on the way forward must a certificate be valid now. */
export async function lookAtFront(
  { app, config, hosts, balancers = [] }: AppOnHosts,
  definition: AppConfig,
  context: Context,
  going: 'forward' | 'back',
): Promise<FrontFacts> {
  const byAcme = definition.site.tls?.acme !== undefined;
  const [auth, certificate, found, ...acme] = await Promise.all([
    going === 'forward' ? readAuth(app, definition, config.directory, context) : undefined,
    readCertificate(app, definition, config.directory, going === 'forward' ? context.now() : undefined),
    lookAtBalancers(app, balancers, hosts, context),
    ...(byAcme ? (balancers.length > 0 ? balancers : hosts) : []).map((host) =>
      lookAtAcme(app, host, context),
    ),
  ]);
  const addresses = [...new Set(found.flatMap((one) => one.addresses))].sort();
  const edge = found.length > 0 ? { auth, balancers: addresses } : { auth, certificate, balancers: [] };
  return { balancers: found, certificate, acme, edge };
}

/** What to do in front of the hosts once they serve. */
export interface FrontPlan {
  /** Balancers whose site differs from `text`. */
  readonly balancers: readonly BalancerFacts[];
  /** The site for each of them. */
  readonly text: string;
  /** One of them has no IPv6. */
  readonly noIpv6: boolean;
  readonly certificate: Certificate | undefined;
  /** Hosts that lack the requested certificate and wait for it. */
  readonly acme: readonly AcmeFacts[];
}

/** Pure. The way back does not wait for a certificate authority: the host asks it by itself. */
export function planFront(
  app: string,
  definition: AppConfig,
  hosts: readonly ReleaseHost[],
  { balancers, certificate, acme }: FrontFacts,
  runtime: Manifest['runtime'],
  action: 'deploy' | 'rollback' | 'restart' | 'maintenance',
): FrontPlan {
  const noIpv6 = balancers.some((one) => one.noIpv6 === true);
  const text = balancerText(app, definition, hosts, certificate, runtime, noIpv6);
  const waits = action === 'deploy' && certificate?.kind === 'acme';
  return {
    balancers: balancersToChange(balancers, text),
    text,
    noIpv6,
    certificate,
    acme: waits ? acme.filter((facts) => lacksCertificate(app, facts, certificate)) : [],
  };
}

/** @returns whether anything changed. @throws Failure kind `host`: the new version serves anyway. */
export async function placeFront(
  app: string,
  { balancers, text, certificate, acme }: FrontPlan,
  context: Context,
): Promise<boolean> {
  await placeBalancers(app, balancers, text, certificate, context);
  if (certificate?.kind === 'acme') {
    for (const facts of acme) await certify(app, facts, certificate, context);
  }
  return balancers.length > 0 || acme.length > 0;
}
