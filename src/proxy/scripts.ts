/** Bash that changes a host's proxy. Prints nothing when all is well. Pure. */

import { PROXY_LIVE, PROXY_STATE, SITES } from '../contract/proxy-paths.ts';
import { withValues } from '../ssh/script.ts';
import functions from './functions.sh' with { type: 'text' };
import type { Site } from './proxy.ts';
import reconcile from './reconcile.sh' with { type: 'text' };
import { siteConfig } from './site.ts';

/** Makes systemd copy the weights into memory at boot, long before nginx starts. */
const AT_BOOT = '/etc/tmpfiles.d/pipeline-proxy.conf';

/**
 * Functions for a script that works on sites (`functions.sh`).
 *
 * `site_put APP FILE` puts a new site file in place, reloads nginx if the file has changed, and sets
 * `site_changed`. It first tries the whole configuration in a mount namespace of its own, so nginx never
 * sees a broken one, not even for a moment. nginx reports a failed reload (a port that is taken) only in
 * its log, so a reload counts once all old workers have stopped taking connections.
 *
 * `weights_put APP GREEN` moves the traffic: one rename on the disk, then one in memory. A power cut leaves
 * either the old weights or the new ones, and both are served, since a version stops only afterwards.
 */
export const PROXY_FUNCTIONS = `\n${withValues(functions, {
  proxy_sites: SITES,
  proxy_state: PROXY_STATE,
  proxy_live: PROXY_LIVE,
  proxy_at_boot: AT_BOOT,
})}`;

/** Bash that makes a site what it should be; it prints `changed 1` if it reloaded nginx. */
export function reconcileSite(site: Site): string {
  return `${PROXY_FUNCTIONS}\n${withValues(reconcile, { app: site.app, site_text: siteConfig(site) })}`;
}
