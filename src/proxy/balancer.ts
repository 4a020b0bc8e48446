/**
 * nginx on one host that balances a site of several others. Pure text.
 *
 * No connection to a host is kept for later requests, as in `site.ts`: a host that goes away, or whose nginx
 * reloads, closes idle ones, and a POST that is just being sent on one would be lost.
 */

import { LOGS, PROXY_LIVE } from '../contract/proxy-paths.ts';
import { ROLLOUT_END_PATH, rolloutEndFile } from '../contract/rollout.ts';
import { detourLines, detourLocations, eventsMap } from './detours.ts';
import { challengeLocation, frontLines, HSTS, redirectServer } from './front.ts';
import { HEADER_BUFFERS, LOOKALIKES, UNBUFFERED } from './pass.ts';
import type { Front } from './proxy.ts';
import { type Split, sideHeaders, splitBlocks, splitLines, splitName } from './split.ts';
import { block, identifier, quoted } from './text.ts';
import { trustLines } from './trust.ts';

export interface Balancer extends Front {
  /** The hosts that serve: name, and address with port. */
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
  /**
   * Cookie of a session that one host holds in memory: its visitor stays on that host as long as it answers.
   */
  readonly sessionCookie?: string | undefined;
  readonly maxBodyBytes: number;
  readonly readTimeoutMs: number;
  /** Requests and answers stream through, as they come. */
  readonly unbuffered?: boolean | undefined;
  /** Proxies in front of the balancer itself. */
  readonly trustedProxies: readonly string[];
  /** A rollout: each host has both versions, and the balancer chooses for each visitor. */
  readonly split?: Split | undefined;
}

/** Not `.json.log`: the hosts log the same requests, with their release, and none may count twice. */
function balancerLog(app: string): string {
  return `${LOGS}/${app}.balancer.log`;
}

export function balancerConfig(balancer: Balancer): string {
  const { app, hosts, sessionCookie } = balancer;
  const id = identifier(app);
  const sticky = sessionCookie !== undefined && hosts.length > 1;
  const blocks = [
    '# Written by pipeline. Changes here are overwritten by the next deploy.',
    upstream(`${id}_hosts`, hosts),
    eventsMap(id),
    ...(sticky ? stickiness(balancer, id, sessionCookie) : []),
    map('$http_upgrade', `${id}_connection`, [
      ['""', 'close'],
      ['default', 'upgrade'],
    ]),
    ...(balancer.tls === undefined
      ? []
      : [map(`$upstream_http_${variable(HSTS.name)}`, `${id}_hsts`, [['""', quoted(HSTS.value)]])]),
    ...(balancer.split === undefined
      ? []
      : splitBlocks({ ...balancer.split, app, id, tls: balancer.tls !== undefined })),
    ...redirectServer(balancer),
    server(balancer, id, sticky),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/**
 * A host that does not take a request is left out for some seconds. If all are left out, they are asked
 * anyway (`backup`): one request that kills a process on each host must not take the site away.
 */
function upstream(name: string, hosts: Balancer['hosts']): string {
  return block(`upstream ${name}`, [
    ...hosts.map(({ address }) => `server ${address} max_fails=1 fail_timeout=5s;`),
    ...hosts.map(({ address }) => `server ${address} max_fails=0 backup;`),
  ]);
}

/** A visitor with a session gets a cookie of the balancer with the host's name, and goes there first. */
function stickiness({ hosts, tls }: Balancer, id: string, session: string): string[] {
  const of = (index: number) => `${id}_host_${index}`;
  const secure = tls === undefined ? '' : '; Secure';
  return [
    ...hosts.map(({ address }, index) =>
      block(`upstream ${of(index)}`, [
        `server ${address} max_fails=1 fail_timeout=5s;`,
        ...hosts
          .filter((_, other) => other !== index)
          .map((other) => `server ${other.address} max_fails=0 backup;`),
      ]),
    ),
    map(`$cookie_pipeline_${id}`, `${id}_to`, [
      ['default', `${id}_hosts`],
      ...hosts.map(({ name }, index) => [quoted(name), of(index)] as const),
    ]),
    // Of several attempts, the last one answered.
    map(
      '$upstream_addr',
      `${id}_from`,
      hosts.map(
        ({ name, address }) => [quoted(`~(^|[ ,])${address.replaceAll('.', '\\.')}$`), quoted(name)] as const,
      ),
    ),
    map(`$upstream_cookie_${session}`, `${id}_stay`, [
      ['""', '""'],
      ['default', `"pipeline_${id}=$${id}_from; Path=/; HttpOnly; SameSite=Lax${secure}"`],
    ]),
  ];
}

function server(balancer: Balancer, id: string, sticky: boolean): string {
  const { split } = balancer;
  const format = split === undefined ? 'pipeline' : `${id}_shared`;
  return block('server', [
    ...frontLines(balancer),
    '',
    ...(split === undefined ? [] : choice(balancer.app, id, split)),
    `access_log ${balancerLog(balancer.app)} ${format} buffer=64k flush=250ms;`,
    ...trustLines(balancer),
    'server_tokens off;',
    `client_max_body_size ${balancer.maxBodyBytes};`,
    // The hosts compress already.
    'gzip off;',
    ...(balancer.tls === undefined ? [] : [`add_header ${HSTS.name} $${id}_hsts always;`]),
    ...(sticky ? [`add_header Set-Cookie $${id}_stay;`] : []),
    ...(split === undefined ? [] : splitLines(id, balancer.app, split)),
    '',
    ...challengeLocation(balancer),
    ...(split === undefined ? [] : endLocation(balancer.app, split)),
    block('location /', [...detourLines(id, []), ...passed(balancer, id, sticky)]),
    ...detourLocations(id, passed(balancer, id, sticky)),
  ]);
}

/** Where its hosts hear what it has decided. A header of its own keeps out those of visitors. */
function endLocation(app: string, { rollout }: Split): string[] {
  return [
    block(`location = ${ROLLOUT_END_PATH}`, [
      `alias ${rolloutEndFile(app, rollout)};`,
      'default_type text/plain;',
      'add_header Cache-Control no-store;',
      'access_log off;',
      'log_not_found off;',
    ]),
  ];
}

/** In a balancer's folder of weights, a file means the candidate. */
function choice(app: string, id: string, split: Split): string[] {
  return [
    `set $${id}_side baseline;`,
    'open_file_cache off;',
    `if (-f ${PROXY_LIVE}/${app}/weights/${splitName(id, split)}) {\n    set $${id}_side candidate;\n}`,
  ];
}

function passed({ readTimeoutMs, split, unbuffered }: Balancer, id: string, sticky: boolean): string[] {
  return [
    `proxy_pass http://${sticky ? `$${id}_to` : `${id}_hosts`};`,
    'proxy_http_version 1.1;',
    'proxy_set_header Host $http_host;',
    'proxy_set_header X-Forwarded-For $remote_addr;',
    'proxy_set_header X-Forwarded-Proto $scheme;',
    ...LOOKALIKES,
    ...(split === undefined ? [] : sideHeaders(id)),
    'proxy_set_header Upgrade $http_upgrade;',
    `proxy_set_header Connection $${id}_connection;`,
    ...HEADER_BUFFERS,
    // The hosts are in the same network: one that is there answers soon.
    'proxy_connect_timeout 2s;',
    `proxy_read_timeout ${readTimeoutMs}ms;`,
    `proxy_send_timeout ${readTimeoutMs}ms;`,
    // Asks another host if one could not be reached, or gave no answer to a request that may be repeated.
    // Never repeats a POST that was sent.
    'proxy_next_upstream error timeout http_502;',
    'proxy_next_upstream_tries 2;',
    ...(unbuffered ? UNBUFFERED : []),
  ];
}

function map(from: string, to: string, entries: readonly (readonly [string, string])[]): string {
  return block(
    `map ${from} $${to}`,
    entries.map(([key, value]) => `${key} ${value};`),
  );
}

function variable(header: string): string {
  return header.toLowerCase().replaceAll('-', '_');
}
