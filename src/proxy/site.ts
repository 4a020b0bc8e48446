/** A site as nginx reads it. Pure text. */
import { type Colour, other } from '../contract/places.ts';
import { LOGS, PROXY_LIVE, SITES } from '../contract/proxy-paths.ts';
import { eventsMap } from './detours.ts';
import { challengeLocation, frontLines, redirectServer } from './front.ts';
import { headerLines, headerMaps } from './headers.ts';
import { locations } from './locations.ts';
import { closedLines, closedLocation, retryMap } from './maintenance.ts';
import { RELATIVE_REDIRECTS } from './pass.ts';
import { hasServers, type Site } from './proxy.ts';
import { decides, obeyBlocks, type SiteSplit, splitBlocks, splitLines, splitName } from './split.ts';
import { block, identifier, quoted } from './text.ts';
import { BALANCED, proxies, trustLines, trusts } from './trust.ts';
import { authLines, errorLines, errorLocations, redirectLines, redirectMaps } from './web.ts';

const COLOURS: readonly Colour[] = ['blue', 'green'];

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
    ...(closable(site) ? [retryMap(id), eventsMap(id)] : []),
    server(site, id),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** An experiment measures, and nobody closes it. */
function closable({ experiment }: Site): boolean {
  return experiment === undefined;
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
  all.push(...headerMaps(site, id), ...redirectMaps(site.redirects ?? [], id));
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
  const split = decides(site.split);
  const name = site.split === undefined ? `$${id}_bucket` : splitName(id, site.split);
  const format = experiment ? `${id}_measured` : split === undefined ? 'pipeline' : `${id}_shared`;
  return block('server', [
    ...frontLines(site),
    '',
    ...(experiment ? [] : [`set $pipeline_app ${quoted(site.app)};`]),
    ...(closable(site) ? closedLines(site.app, id) : []),
    ...redirectLines(site.redirects ?? [], id),
    ...errorLines(site),
    ...authLines(site),
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
    ...headerLines(site, id),
    '',
    ...challengeLocation(site),
    ...(closable(site) ? [closedLocation(site.app, id)] : []),
    ...errorLocations(site),
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
