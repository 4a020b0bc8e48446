/** Where nginx on a host finds what concerns applications. */

/** Where the sites of applications lie, one file each. */
export const SITES = '/etc/nginx/pipeline/sites';
/** Where requests are logged. */
export const LOGS = '/var/log/nginx/pipeline';
/** Folder below which each site keeps its weights, for the next boot. */
export const PROXY_STATE = '/var/lib/pipeline/proxy';
/**
 * The same in memory, where nginx looks for each request: a disk's look-up costs ten times as much
 * where it is an overlay.
 */
export const PROXY_LIVE = '/run/pipeline/proxy';
/** A file for each site whose certificate has come by ACME. */
export const ISSUED = '/var/lib/pipeline/acme/issued';
/** Where the questions of a certificate authority are answered from (ACME). */
export const CHALLENGES = '/var/lib/pipeline/acme/challenges';

/** Marks what nginx answers for a site that is closed for maintenance. */
export const MAINTENANCE_HEADER = 'X-Pipeline-Maintenance';
