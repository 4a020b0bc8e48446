/** What stands in front of the hosts of an application: their balancers and their certificate. */
import type { AppConfig } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { type BalancerFacts, balancerText, lookAtBalancers, placeBalancers } from './balancer.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import type { Edge } from './site.ts';
import type { AppOnHosts } from './types.ts';

export interface FrontFacts {
  readonly balancers: readonly BalancerFacts[];
  /** Of the balancers where there are some, else of the hosts. */
  readonly certificate: Certificate | undefined;
  /** What the hosts themselves have of it. */
  readonly edge: Edge;
}

export async function lookAtFront(
  { app, config, hosts, balancers = [] }: AppOnHosts,
  definition: AppConfig,
  context: Context,
): Promise<FrontFacts> {
  const [certificate, found] = await Promise.all([
    readCertificate(app, definition, config.directory, context.now()),
    lookAtBalancers(app, balancers, hosts, context),
  ]);
  const addresses = [...new Set(found.flatMap((one) => one.addresses))].sort();
  const edge = found.length > 0 ? { balancers: addresses } : { certificate, balancers: [] };
  return { balancers: found, certificate, edge };
}

/** Once the hosts serve. Returns whether anything had to be done. */
export async function placeFront(
  { app, hosts }: AppOnHosts,
  definition: AppConfig,
  { balancers, certificate }: FrontFacts,
  context: Context,
): Promise<boolean> {
  if (balancers.length === 0) return false;
  const text = balancerText(app, definition, hosts, certificate);
  return placeBalancers(app, balancers, text, certificate, context);
}
