/** The proxy's site for an experiment. Pure. */

import { SIDES, type SideName } from '../../judge/sides.ts';
import type { PerSide } from '../../judge/types.ts';
import type { Site } from '../../proxy/proxy.ts';
import type { RunPlan } from '../experiment/plan.ts';
import { byColour, coloursOf } from '../experiment/sides.ts';
import { pathMap, type ReadyRequest } from '../load/requests.ts';
import type { LabHost } from './hosts.ts';

/** The response header in which the proxy names the colour. */
export const COLOUR_HEADER = 'x-pipeline-colour';
/**
 * The request header with a random id, which the load draws anew for each request and the proxy assigns it
 * by. Services have it in production too.
 */
export const REQUEST_ID_HEADER = 'x-request-id';

/** Nobody is sent to the other side when one cannot be reached: that would hide what is looked for. */
export function siteOf(
  plan: RunPlan,
  hosts: PerSide<LabHost>,
  port: number,
  requests: readonly ReadyRequest[],
  noIpv6 = false,
): Site {
  const colors = coloursOf(plan);
  const backend = (side: SideName) => ({ servers: [`${hosts[side].address}:${port}`] });
  const maps = { baseline: pathMap(requests, 'baseline'), candidate: pathMap(requests, 'candidate') };
  const differs = SIDES.some((side) => Object.keys(maps[side]).length > 0);
  return {
    app: plan.app,
    domains: [],
    port: plan.definition.site.port,
    noIpv6,
    routes: ['/'],
    root: '/var/empty',
    maxBodyBytes: plan.definition.site.max_body,
    readTimeoutMs: plan.definition.site.read_timeout,
    headers: {},
    colours: byColour(colors, backend),
    fallback: false,
    key: `$http_${REQUEST_ID_HEADER.replaceAll('-', '_')}`,
    experiment: { colourHeader: COLOUR_HEADER },
    ...(differs ? { paths: byColour(colors, (side) => maps[side]) } : {}),
  };
}
