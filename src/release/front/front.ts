/** What stands in front of the hosts of an application: their balancers and their certificate. */
import type { AppConfig } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { AppOnHosts } from '../types.ts';
import { type AcmeFacts, certify, lookAtAcme } from './acme.ts';
import { type BalancerFacts, balancerText, lookAtBalancers, placeBalancers } from './balancer.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import type { Edge } from './site.ts';

export interface FrontFacts {
  readonly balancers: readonly BalancerFacts[];
  /** Of the balancers where there are some, else of the hosts. */
  readonly certificate: Certificate | undefined;
  /** Hosts that get it by ACME. */
  readonly acme: readonly AcmeFacts[];
  /** What the hosts themselves have of it. */
  readonly edge: Edge;
}

/** `going`: only what goes forward must have a certificate that is valid now. */
export async function lookAtFront(
  { app, config, hosts, balancers = [] }: AppOnHosts,
  definition: AppConfig,
  context: Context,
  going: 'forward' | 'back',
): Promise<FrontFacts> {
  const byAcme = definition.site.tls?.acme !== undefined;
  const [certificate, found, ...acme] = await Promise.all([
    readCertificate(app, definition, config.directory, going === 'forward' ? context.now() : undefined),
    lookAtBalancers(app, balancers, hosts, context),
    ...(byAcme ? (balancers.length > 0 ? balancers : hosts) : []).map((host) =>
      lookAtAcme(app, host, context),
    ),
  ]);
  const addresses = [...new Set(found.flatMap((one) => one.addresses))].sort();
  const edge = found.length > 0 ? { balancers: addresses } : { certificate, balancers: [] };
  return { balancers: found, certificate, acme, edge };
}

/** Once the hosts serve. Returns whether anything had to be done. @throws Failure kind `host`: the new version serves all the same. */
export async function placeFront(
  { app, hosts }: AppOnHosts,
  definition: AppConfig,
  { balancers, certificate, acme }: FrontFacts,
  runtime: Manifest['runtime'],
  context: Context,
): Promise<boolean> {
  const text = balancerText(app, definition, hosts, certificate, runtime);
  let changed = await placeBalancers(app, balancers, text, certificate, context);
  if (certificate?.kind !== 'acme') return changed;
  for (const facts of acme) changed = (await certify(app, facts, certificate, context)) || changed;
  return changed;
}
