/** Which part of a site answers which path. Pure. */
import { posix } from 'node:path';
import { detourLines, detourLocations } from './detours.ts';
import { fileHeaders } from './headers.ts';
import { HEADER_BUFFERS, LOOKALIKES, UNBUFFERED } from './pass.ts';
import { hasServers, type Site } from './proxy.ts';
import { requestId, SPLIT_HEADERS } from './split.ts';
import { block, quoted } from './text.ts';
import { trusts } from './trust.ts';
import { errorLines } from './web.ts';

/** The locations of a site, in which the first that fits best answers. */
export function locations(site: Site, id: string): string[] {
  const files = site.static === undefined ? undefined : staticRoot(site.root, site.static);
  const routes = hasServers(site) ? site.routes : [];
  const passed = proxied(site, id);
  const detours = site.experiment === undefined;
  const service = detours ? [...detourLines(id, errorLines(site)), ...passed] : passed;
  const all = [
    ...(detours && routes.length > 0 ? detourLocations(id, passed) : []),
    ...routes.filter((route) => route !== '/').map((route) => block(`location ${quoted(route)}`, service)),
  ];
  if (files === undefined) {
    all.push(block('location /', routes.includes('/') ? service : ['return 404;']));
    return all;
  }
  const served = [
    `root ${files};`,
    ...(site.writable ? ['disable_symlinks if_not_owner from=$document_root;'] : []),
    ...fileHeaders(site, id),
    'index index.html;',
  ];
  if (!routes.includes('/')) {
    const otherwise =
      site.fallbackPage === undefined
        ? [...ownNotFound(site), 'try_files $uri $uri/ =404;']
        : [`try_files $uri $uri/ ${quoted(`/${site.fallbackPage}`)} =404;`];
    return [...all, block('location /', [...served, ...otherwise])];
  }
  // A file if there is one, otherwise the service.
  return [
    ...all,
    block('location /', [...served, 'try_files $uri @service;']),
    block('location @service', service),
  ];
}

/** The folder's own 404.html, unless the definition names another page. Other pages are the server's. */
function ownNotFound(site: Site): string[] {
  return '404' in (site.errors ?? {}) ? [] : ['error_page 404 /404.html;', ...errorLines(site)];
}

/** `public_html` of a release: `/srv/checkbox.io/$pipeline_colour/app/public_html`. */
function staticRoot(root: string, folder: string): string {
  return quoted(posix.join(root, '$pipeline_colour', 'app', folder));
}

function proxied(site: Site, id: string): string[] {
  const request = site.split === undefined ? '$request_id' : requestId(id, site.split.key);
  const uri = site.paths === undefined ? '' : `$${id}_path$is_args$args`;
  return [
    `proxy_pass http://${id}_$pipeline_colour${uri};`,
    'proxy_http_version 1.1;',
    'proxy_set_header Host $http_host;',
    // Not appended to what the visitor sent: services trust the first address.
    'proxy_set_header X-Forwarded-For $remote_addr;',
    'proxy_set_header X-Real-IP $remote_addr;',
    `proxy_set_header X-Forwarded-Proto ${trusts(site) ? `$${id}_proto` : '$scheme'};`,
    'proxy_set_header X-Forwarded-Host $http_host;',
    ...LOOKALIKES,
    ...(site.experiment === undefined ? [`proxy_set_header X-Request-ID ${request};`] : []),
    ...(site.split === undefined ? [] : SPLIT_HEADERS),
    'proxy_set_header Upgrade $http_upgrade;',
    `proxy_set_header Connection $${id}_connection;`,
    ...HEADER_BUFFERS,
    'proxy_connect_timeout 5s;',
    `proxy_read_timeout ${site.readTimeoutMs}ms;`,
    `proxy_send_timeout ${site.readTimeoutMs}ms;`,
    // Asks another process if this one could not be reached, or died over a request that may be repeated.
    // Never repeats a POST that was sent.
    'proxy_next_upstream error;',
    ...(site.unbuffered ? UNBUFFERED : []),
    ...(site.auth === undefined ? [] : ['proxy_set_header Authorization "";']),
  ];
}
