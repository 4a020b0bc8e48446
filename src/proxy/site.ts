/** A site as nginx reads it. Pure text. */
import { posix } from 'node:path';
import { type Colour, other } from '../contract/places.ts';
import { LOGS, PROXY_LIVE, SITES } from '../contract/proxy-paths.ts';
import { challengeLocation, frontLines, HSTS, redirectServer } from './front.ts';
import { HEADER_BUFFERS, LOOKALIKES, RELATIVE_REDIRECTS } from './pass.ts';
import type { Site } from './proxy.ts';
import {
  obeyBlocks,
  requestId,
  type SiteSplit,
  SPLIT_HEADERS,
  type Split,
  splitBlocks,
  splitLines,
  splitName,
} from './split.ts';
import { block, identifier, quoted } from './text.ts';
import { BALANCED, proxies, trustLines, trusts } from './trust.ts';

const COLOURS: readonly Colour[] = ['blue', 'green'];

/** Headers that a careful site sends, unless the service or the definition says otherwise. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
};

const GZIP_TYPES = [
  ...['text/css', 'text/plain', 'text/xml', 'text/javascript', 'application/javascript', 'application/json'],
  ...['application/manifest+json', 'application/xml', 'image/svg+xml'],
];

export function siteFile(app: string): string {
  return `${SITES}/${app}.conf`;
}

export function accessLog(app: string): string {
  return `${LOGS}/${app}.json.log`;
}

/** A site's weights: a link to a folder with one file for each bucket that goes to green. */
function weightsLink(app: string): string {
  return `${PROXY_LIVE}/${app}/weights`;
}

/**
 * The site's file.
 *
 * `key` puts a request into one of 100 buckets. It goes to green if the bucket's file exists, otherwise to
 * blue. nginx looks at each request, so renaming the link to the folder moves the traffic: at once,
 * atomically, and without a reload, which closes idle connections and can lose a request that is just being
 * sent on one.
 *
 * No connection to a service is kept for later requests. So each connection is a request under way, which
 * makes draining exact, and a service that closes an idle one cannot lose a POST.
 */
export function siteConfig(site: Site): string {
  const id = identifier(site.app);
  const blocks = [
    '# Written by pipeline. Changes here are overwritten by the next deploy.',
    ...(site.split === undefined ? [buckets(site, id)] : shared(site, site.split, id)),
    ...(site.experiment === undefined ? [] : [experimentLog(site.app, id)]),
    ...maps(site, id),
    ...(hasServers(site) ? COLOURS.map((colour) => upstream(site, id, colour)) : []),
    ...redirectServer(site),
    server(site, id),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function hasServers(site: Site): boolean {
  return COLOURS.some((colour) => site.colours[colour].servers.length > 0);
}

/** A rollout on this host, by its own choice or by its balancer's. */
function shared(site: Site, split: SiteSplit, id: string): string[] {
  const { key } = split;
  if (key.by === 'balancer') {
    if (!trusts(site)) throw new Error('a site that obeys a balancer must know its address');
    return obeyBlocks(id);
  }
  return splitBlocks({ ...split, key, app: site.app, id, tls: site.tls !== undefined });
}

/** The split of a site that chooses by itself. */
function decides(site: Site): (Split & Pick<SiteSplit, 'candidate'>) | undefined {
  if (site.split === undefined) return undefined;
  const { key } = site.split;
  return key.by === 'balancer' ? undefined : { ...site.split, key };
}

function buckets(site: Site, id: string): string {
  const lines = Array.from({ length: 99 }, (_, bucket) => `1% ${bucket};`);
  return block(`split_clients ${quoted(site.key ?? '$request_id')} $${id}_bucket`, [
    `${lines.join(' ')} * 99;`,
  ]);
}

/** Only the fields of the common log (role `nginx`) that tell versions apart: this halves its cost. */
function experimentLog(app: string, id: string): string {
  const fields = [
    `'{"msec":$msec,"app":"${app}","colour":"$pipeline_colour","method":"$request_method",'`,
    `'"uri":"$request_uri","status":$status,"bytes":$body_bytes_sent,"time":$request_time,'`,
    `'"upstream_time":"$upstream_response_time"}'`,
  ];
  return `log_format ${id}_measured escape=json ${fields.join('\n    ')};`;
}

function maps(site: Site, id: string): string[] {
  const all: string[] = [];
  const map: MakeMap = (from, to, entries) => {
    const lines = entries.map(([key, value]) => `${quoted(key)} ${quoted(value)};`);
    all.push(block(`map ${quoted(from)} $${id}_${to}`, lines));
  };
  if (site.experiment === undefined) releases(site, id, map);
  if (trusts(site)) {
    all.push(proxies(site, id));
    // Only a proxy in front knows whether the visitor came by https.
    map(`$${id}_proxy $http_x_forwarded_proto`, 'proto', [
      ['default', '$scheme'],
      ['1 http', 'http'],
      ['1 https', 'https'],
    ]);
  }
  if (hasServers(site))
    map('$http_upgrade', 'connection', [
      ['', 'close'],
      ['default', 'upgrade'],
    ]);
  for (const [name, value] of Object.entries(defaultHeaders(site))) {
    map(`$upstream_http_${name.toLowerCase().replaceAll('-', '_')}`, headerVariable(name), [
      ['', value],
      ['default', ''],
    ]);
  }
  if (site.static !== undefined) {
    map('$uri', 'expires', [
      ['default', '5m'],
      // A page is revalidated, so it never names files of another release. A file with a hash in its name
      // never changes.
      ['~(/|\\.html)$', 'epoch'],
      ['~[.-][0-9a-fA-F]{8,}\\.[a-z0-9]+$', 'max'],
    ]);
  }
  if (site.paths !== undefined) {
    map('$request_uri', 'asked', [[`~^(?<${id}_p>[^?]*)`, `$${id}_p`]]);
    map(`$pipeline_colour $${id}_asked`, 'path', [
      ['default', `$${id}_asked`],
      ...COLOURS.flatMap((colour) =>
        Object.entries(site.paths?.[colour] ?? {}).map(([from, to]) => [`${colour} ${from}`, to] as const),
      ),
    ]);
  }
  return all;
}

type MakeMap = (from: string, to: string, entries: readonly (readonly [string, string])[]) => void;

/** Which release answers: given, or read from the colour's link. */
function releases(site: Site, id: string, map: MakeMap): void {
  const known = COLOURS.flatMap((colour) => {
    const release = site.colours[colour].release;
    return release === undefined ? [] : [[colour, release] as const];
  });
  if (known.length > 0) map('$pipeline_colour', 'release', [['default', ''], ...known]);
  else
    map('$realpath_root', 'release', [
      ['default', ''],
      [`~/releases/(?<${id}_r>[^/]+)`, `$${id}_r`],
    ]);
}

/**
 * A process that cannot be reached is not avoided afterwards: it is on this host, and systemd restarts it at
 * once.
 */
function upstream(site: Site, id: string, colour: Colour): string {
  const own = site.colours[colour].servers;
  // An upstream needs a server even if the colour has no process yet: port 9 (discard) refuses.
  const servers = (own.length > 0 ? own : ['127.0.0.1:9']).map((address) => `server ${address} max_fails=0;`);
  // A slow request may choose its colour before the switch, and be passed on after that colour has stopped.
  const backups = site.fallback
    ? site.colours[other(colour)].servers.map((address) => `server ${address} max_fails=0 backup;`)
    : [];
  return block(`upstream ${id}_${colour}`, [...servers, ...backups]);
}

function server(site: Site, id: string): string {
  const experiment = site.experiment !== undefined;
  const split = decides(site);
  const name = site.split === undefined ? `$${id}_bucket` : splitName(id, site.split);
  const format = experiment ? `${id}_measured` : split === undefined ? 'pipeline' : `${id}_shared`;
  return block('server', [
    ...frontLines(site),
    '',
    ...(experiment ? [] : [`set $pipeline_app ${quoted(site.app)};`]),
    ...answeredBy('blue', id, split),
    // nginx must look for the bucket's file at each request.
    'open_file_cache off;',
    block(`if (-f ${weightsLink(site.app)}/${name})`, answeredBy('green', id, split)),
    ...(experiment ? [] : [OLD_NAME]),
    `root ${site.root}/$pipeline_colour;`,
    ...(experiment ? [] : [`set $pipeline_release $${id}_release;`]),
    // One write for many lines: a write for each costs more than splitting does. A line is late by at most a
    // quarter of a second.
    `access_log ${accessLog(site.app)} ${format} buffer=64k flush=250ms;`,
    ...(split === undefined ? [] : splitLines(id, site.app, split)),
    '',
    ...(site.balanced === true ? [BALANCED] : []),
    ...trustLines(site),
    'server_tokens off;',
    RELATIVE_REDIRECTS,
    `client_max_body_size ${site.maxBodyBytes};`,
    'gzip on;',
    'gzip_proxied any;',
    'gzip_vary on;',
    'gzip_min_length 1024;',
    `gzip_types ${GZIP_TYPES.join(' ')};`,
    ...headers(site, id),
    '',
    ...challengeLocation(site),
    ...locations(site, id),
  ]);
}

/** The nginx.conf of an earlier version logs the colour by this name, until the next `prod up`. */
const OLD_NAME = 'set $pipeline_variant $pipeline_colour;';

/** The colour, and the side if the site chooses by itself. */
function answeredBy(colour: Colour, id: string, split: ReturnType<typeof decides>): string[] {
  const side = colour === split?.candidate ? 'candidate' : 'baseline';
  return [`set $pipeline_colour ${colour};`, ...(split === undefined ? [] : [`set $${id}_side ${side};`])];
}

function defaultHeaders(site: Site): Record<string, string> {
  if (site.experiment !== undefined) return {};
  const own = new Set(Object.keys(site.headers).map((name) => name.toLowerCase()));
  const defaults = { ...SECURITY_HEADERS, ...(site.tls === undefined ? {} : { [HSTS.name]: HSTS.value }) };
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !own.has(name.toLowerCase())));
}

function headerVariable(name: string): string {
  return `header_${name.toLowerCase().replaceAll('-', '_')}`;
}

function headers(site: Site, id: string): string[] {
  return [
    ...Object.keys(defaultHeaders(site)).map(
      (name) => `add_header ${name} $${id}_${headerVariable(name)} always;`,
    ),
    ...Object.entries(site.headers).flatMap(([name, value]) => [
      `proxy_hide_header ${name};`,
      `add_header ${name} ${quoted(value)} always;`,
    ]),
    ...(site.experiment === undefined
      ? []
      : [`add_header ${site.experiment.colourHeader} $pipeline_colour always;`]),
  ];
}

function locations(site: Site, id: string): string[] {
  const files = site.static === undefined ? undefined : staticRoot(site.root, site.static);
  const routes = hasServers(site) ? site.routes : [];
  const service = proxied(site, id);
  const all = routes
    .filter((route) => route !== '/')
    .map((route) => block(`location ${quoted(route)}`, service));
  if (files === undefined) {
    all.push(block('location /', routes.includes('/') ? service : ['return 404;']));
    return all;
  }
  const served = [
    `root ${files};`,
    ...(site.writable ? ['disable_symlinks if_not_owner from=$document_root;'] : []),
    `expires $${id}_expires;`,
    'index index.html;',
  ];
  if (!routes.includes('/')) {
    const otherwise =
      site.fallbackPage === undefined
        ? ['error_page 404 /404.html;', 'try_files $uri $uri/ =404;']
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
  ];
}
