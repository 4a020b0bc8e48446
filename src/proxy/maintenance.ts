/**
 * A site that is closed for maintenance: nginx answers every visitor with 503 and a page. A file that nginx
 * looks for at each request says so, so neither closing nor opening reloads it. Pure text.
 */
import { MAINTENANCE_HEADER, PROXY_LIVE } from '../contract/proxy-paths.ts';
import { block } from './text.ts';

/** Seconds after which visitors may try again, where nobody said how long it takes. */
export const RETRY_SECONDS = 300;

const PATH = '/.pipeline-maintenance';

/** A link to a folder with `page.html`, whose name ends with what Retry-After says; absent: it is open. */
function closedLink(app: string): string {
  return `${PROXY_LIVE}/${app}/closed`;
}

/** For Retry-After, e.g. `closed.300`. */
export function retryMap(id: string): string {
  return block(`map $realpath_root $${id}_retry`, [
    `default ${RETRY_SECONDS};`,
    `"~/closed\\.(?<${id}_after>[^/]+)$" $${id}_after;`,
  ]);
}

/** In the server, before anything is passed on. A certificate authority is answered all the same. */
export function closedLines(app: string, id: string): string[] {
  return [
    `set $${id}_closed "";`,
    block(`if (-f ${closedLink(app)}/page.html)`, [`set $${id}_closed "closed $uri";`]),
    block(`if ($${id}_closed ~ "^closed (?!${PATH}$|/\\.well-known/acme-challenge/)")`, ['return 503;']),
    `error_page 503 ${PATH};`,
  ];
}

/** Not in the log: nobody is to be called for these answers. */
export function closedLocation(app: string, id: string): string {
  return block(`location = ${PATH}`, [
    'internal;',
    'auth_basic off;',
    'access_log off;',
    `root ${closedLink(app)};`,
    'types { }',
    'default_type "text/html; charset=utf-8";',
    `add_header Retry-After $${id}_retry always;`,
    'add_header Cache-Control no-store always;',
    `add_header ${MAINTENANCE_HEADER} on always;`,
    'try_files /page.html =503;',
  ]);
}
