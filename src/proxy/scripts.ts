/** What is run on a host to change its proxy: bash functions as text. They print nothing when all is well. Pure. */

import { PROXY_LIVE, PROXY_STATE, SITES } from '../contract/proxy-paths.ts';
import { quote } from '../ssh/quote.ts';
import { withValues } from '../ssh/script.ts';
import functions from './functions.sh' with { type: 'text' };
import type { Site } from './proxy.ts';
import { siteConfig, siteFile } from './site.ts';

/** systemd copies the weights into memory at boot, long before nginx starts. */
const AT_BOOT = '/etc/tmpfiles.d/pipeline-proxy.conf';

/**
 * Functions for a script that works on sites (`functions.sh`).
 *
 * `site_put APP FILE` puts a new site file in place and reloads; returns 0 where it did or nothing was to do, and
 * sets `site_changed`. The whole configuration is tried in a mount namespace of its own first, so that nginx never
 * finds a broken one, not even for a moment. A reload counts once every worker from before has stopped taking
 * connections: nginx reports a failed one (a port that is taken) only in its log.
 *
 * `weights_put APP GREEN` moves the traffic: one rename in memory, after one on the disk. So a power cut at any moment
 * leaves either the old weights or the new ones. Both are served, since a version is stopped only afterwards.
 */
export const PROXY_FUNCTIONS = `\n${withValues(functions, {
  proxy_sites: SITES,
  proxy_state: PROXY_STATE,
  proxy_live: PROXY_LIVE,
  proxy_at_boot: AT_BOOT,
})}`;

/** Bash that leaves the site's file at `$site_file`, or ends the script. Stands on lines of its own. */
export function writeSite(site: Site): string {
  return writeSiteText(siteConfig(site));
}

/** The same for the text of any site. */
function writeSiteText(text: string): string {
  return `site_file=$(mktemp /run/pipeline-site.XXXXXX) && cat >"$site_file" <<'PIPELINE_SITE' || exit 1
${text}PIPELINE_SITE`;
}

/** Removes a site with its weights; its access logs stay until they have rotated away. */
export function removeSite(app: string): string {
  const file = quote(siteFile(app));
  const weights = `${quote(`${PROXY_STATE}/${app}`)} ${quote(`${PROXY_LIVE}/${app}`)}`;
  return `if [ -e ${file} ]; then rm -f ${file} && nginx_reload; fi && rm -rf ${weights}`;
}
